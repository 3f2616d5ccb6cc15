import { type AnthropicProblem, invalid } from "./errors.js";
import { contentBlocks } from "./prompt.js";
import type { CheckedRequest } from "./validate.js";
import { blockProblem, textProblem } from "./validate-blocks.js";
import { toolPairsProblem } from "./validate-tool-pairs.js";
import type { AnthropicRequestBlock, AnthropicRequestMessage } from "./wire.js";

const MAX_MESSAGES = 100_000;
const SYSTEM_FIELDS = new Set(["type", "text", "cache_control", "citations"]);

/** What is wrong with the system prompt. */
export function systemProblem({ body: { system } }: CheckedRequest): AnthropicProblem | undefined {
  if (system === undefined) return undefined;
  if (typeof system === "string") return textProblem({ type: "text", text: system }, "system", "system");
  if (!Array.isArray(system)) return invalid("system: Input should be a valid string or list");
  for (const [index, block] of system.entries()) {
    if (block?.type !== "text") return invalid(`system.${index}.type: Input should be 'text'`);
    const found = textProblem(block, `system.${index}`, "system");
    if (found !== undefined) return found;
    const extra = Object.keys(block).find((field) => !SYSTEM_FIELDS.has(field));
    if (extra !== undefined) return invalid(`system.${index}.${extra}: Extra inputs are not permitted`);
  }
  return undefined;
}

/** What is wrong with the conversation. */
export function messagesProblem(request: CheckedRequest): AnthropicProblem | undefined {
  const messages = request.body.messages ?? [];
  if (messages.length === 0) return invalid("messages: at least one message is required");
  if (messages.length > MAX_MESSAGES) return invalid(`messages: at most ${MAX_MESSAGES} messages are allowed`);
  for (const [index, message] of messages.entries()) {
    const found = messageProblem(message, index, request);
    if (found !== undefined) return found;
  }
  return (
    systemTurnsProblem(messages) ??
    toolPairsProblem(messages) ??
    lastMessageProblem(messages, request) ??
    manualThinkingProblem(messages, request)
  );
}

function messageProblem(
  message: AnthropicRequestMessage,
  index: number,
  { body: { messages = [] }, rules }: CheckedRequest,
): AnthropicProblem | undefined {
  const path = `messages.${index}`;
  const { role, content, ...rest } = Object(message) as AnthropicRequestMessage;
  if (role !== "user" && role !== "assistant" && role !== "system") {
    return invalid(`${path}.role: Input should be 'user' or 'assistant'`);
  }
  if (role === "system" && !rules.midCallSystem) return invalid(`${path}.role: role 'system' is not supported on this model`);
  if (index === 0 && role !== "user") return invalid('messages: first message must use the "user" role');
  const [extra] = Object.keys(rest);
  if (extra !== undefined) return invalid(`${path}.${extra}: Extra inputs are not permitted`);
  if (content === undefined) return invalid(`${path}.content: Field required`);
  if (typeof content !== "string" && !Array.isArray(content)) {
    return invalid(`${path}.content: Input should be a valid string or list`);
  }
  const isFinalAssistant = role === "assistant" && index === messages.length - 1;
  if (content.length === 0 && !isFinalAssistant) {
    return invalid(`${path}: all messages must have non-empty content except for the optional final assistant message`);
  }
  if (content === "") return undefined;
  for (const [position, block] of contentBlocks(content).entries()) {
    const found = blockProblem(block, `${path}.content.${position}`, role);
    if (found !== undefined) return found;
  }
  return isFinalAssistant && isPaused(message) ? undefined : lastBlockProblem(content, path);
}

function lastBlockProblem(content: AnthropicRequestMessage["content"], path: string): AnthropicProblem | undefined {
  const type = contentBlocks(content).at(-1)?.type;
  return type === "thinking" || type === "redacted_thinking"
    ? invalid(`${path}: The final block in an assistant message cannot be \`thinking\`.`)
    : undefined;
}

/** A turn in which the vendor's own tools ran goes on when it is sent back as it was: that is no prefill. */
function isPaused({ role, content }: AnthropicRequestMessage): boolean {
  return role === "assistant" && contentBlocks(content).some(({ type }) => type === "server_tool_use");
}

/** Instructions in mid-call stand behind a turn of the user's, and the assistant's turn or nothing follows them. */
function systemTurnsProblem(messages: readonly AnthropicRequestMessage[]): AnthropicProblem | undefined {
  const index = messages.findIndex(({ role }, position) => {
    if (role !== "system") return false;
    const next = messages[position + 1];
    return messages[position - 1]?.role !== "user" || (next !== undefined && next.role !== "assistant");
  });
  return index < 0
    ? undefined
    : invalid(
        `messages.${index}: role 'system' must follow a user message and must be the last message or precede an assistant message`,
      );
}

function lastMessageProblem(
  messages: readonly AnthropicRequestMessage[],
  { body, rules }: CheckedRequest,
): AnthropicProblem | undefined {
  const last = messages.at(-1) as AnthropicRequestMessage;
  if (last.role !== "assistant" || isPaused(last)) return undefined;
  const isThinking = (body.thinking?.type ?? rules.defaultThinking) !== "disabled";
  if (!rules.prefill || isThinking) {
    return invalid("This model does not support assistant message prefill. The conversation must end with a user message.");
  }
  const block = contentBlocks(last.content).at(-1);
  return block?.type === "text" && /\s$/.test(block.text ?? "")
    ? invalid("messages: final assistant content cannot end with trailing whitespace")
    : undefined;
}

/** Manual thinking: while tools run, the turn that called them begins with its thinking. */
function manualThinkingProblem(
  messages: readonly AnthropicRequestMessage[],
  { body }: CheckedRequest,
): AnthropicProblem | undefined {
  if (body.thinking?.type !== "enabled") return undefined;
  const last = messages.at(-1) as AnthropicRequestMessage;
  if (contentBlocks(last.content)[0]?.type !== "tool_result") return undefined;
  const index = messages.findLastIndex(({ role }) => role === "assistant");
  const first: AnthropicRequestBlock | undefined = contentBlocks(messages[index]?.content ?? [])[0];
  if (first === undefined || first.type === "thinking" || first.type === "redacted_thinking") return undefined;
  return invalid(
    `messages.${index}.content.0.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`${first.type}\`. When \`thinking\` is enabled, a final \`assistant\` message must start with a thinking block.`,
  );
}
