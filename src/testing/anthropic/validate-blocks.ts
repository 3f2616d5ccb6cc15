import { type AnthropicProblem, invalid } from "./errors.js";
import type { AnthropicRequestBlock } from "./wire.js";

type Role = "user" | "assistant" | "system";

interface BlockRule {
  readonly roles: readonly Role[];
  readonly required: readonly string[];
  readonly optional: readonly string[];
}

/** The blocks that the server knows, with their fields. */
const BLOCKS: ReadonlyMap<unknown, BlockRule> = new Map(
  Object.entries({
    text: { roles: ["user", "assistant", "system"], required: ["text"], optional: ["citations"] },
    image: { roles: ["user"], required: ["source"], optional: [] },
    document: { roles: ["user"], required: ["source"], optional: ["title", "context", "citations"] },
    search_result: { roles: ["user"], required: ["source", "title", "content"], optional: ["citations"] },
    tool_result: { roles: ["user"], required: ["tool_use_id"], optional: ["content", "is_error"] },
    tool_use: { roles: ["assistant"], required: ["id", "name", "input"], optional: ["caller"] },
    thinking: { roles: ["assistant"], required: ["thinking", "signature"], optional: [] },
    redacted_thinking: { roles: ["assistant"], required: ["data"], optional: [] },
    server_tool_use: { roles: ["assistant"], required: ["id", "name", "input"], optional: ["caller"] },
    ...Object.fromEntries(
      ["web_search", "web_fetch", "code_execution", "bash_code_execution", "text_editor_code_execution", "tool_search"].map(
        (tool) => [`${tool}_tool_result`, { roles: ["assistant"], required: ["tool_use_id", "content"], optional: ["caller"] }],
      ),
    ),
  } satisfies Record<string, BlockRule>),
);
const RESULT_BLOCKS = new Set(["text", "image", "document", "search_result"]);
const NAME = /^[a-zA-Z0-9_-]{1,64}$/;

/** What is wrong with one block of a message. */
export function blockProblem(given: AnthropicRequestBlock, path: string, role: Role): AnthropicProblem | undefined {
  const block = Object(given) as AnthropicRequestBlock;
  const rule = BLOCKS.get(block.type);
  if (rule === undefined) {
    return invalid(`${path}: Input tag '${block.type}' found using 'type' does not match any of the expected tags`);
  }
  if (!rule.roles.includes(role)) {
    return invalid(`${path}: \`${block.type}\` blocks cannot be provided in a message with the role '${role}'`);
  }
  const missing = rule.required.find((field) => block[field] === undefined);
  if (missing !== undefined) return invalid(`${path}.${block.type}.${missing}: Field required`);
  const known = new Set(["type", "cache_control", ...rule.required, ...rule.optional]);
  const extra = Object.keys(block).find((field) => !known.has(field));
  if (extra !== undefined) return invalid(`${path}.${block.type}.${extra}: Extra inputs are not permitted`);
  if (block.type === "text") return textProblem(block, path, "messages");
  if (block.type === "tool_use" || block.type === "server_tool_use") return toolUseProblem(block, path);
  if (block.type === "tool_result") return resultProblem(block, path);
  return undefined;
}

/** What is wrong with a text. */
export function textProblem(block: AnthropicRequestBlock, path: string, section: string): AnthropicProblem | undefined {
  if (typeof block.text !== "string") return invalid(`${path}.text: Input should be a valid string`);
  const isBlank = block.text.trim() === "";
  if (isBlank && block.cache_control !== undefined && block.cache_control !== null) {
    return invalid(`${path}.text: cache_control cannot be set for empty text blocks`);
  }
  if (block.text === "") return invalid(`${section}: text content blocks must be non-empty`);
  return isBlank ? invalid(`${section}: text content blocks must contain non-whitespace text`) : undefined;
}

const CALL_IDS: Readonly<Record<string, RegExp>> = { tool_use: /^[a-zA-Z0-9_-]+$/, server_tool_use: /^srvtoolu_[a-zA-Z0-9_]+$/ };

function toolUseProblem({ type, id, name, input }: AnthropicRequestBlock, path: string): AnthropicProblem | undefined {
  const ids = CALL_IDS[type] as RegExp;
  if (typeof id !== "string" || !ids.test(id)) {
    return invalid(`${path}.${type}.id: String should match pattern '${ids.source}'`);
  }
  if (typeof name !== "string" || !NAME.test(name)) {
    return invalid(`${path}.${type}.name: String should match pattern '${NAME.source}'`);
  }
  return typeof input === "object" && input !== null && !Array.isArray(input)
    ? undefined
    : invalid(`${path}.${type}.input: Input should be a valid dictionary`);
}

function resultProblem({ content, is_error: isError }: AnthropicRequestBlock, path: string): AnthropicProblem | undefined {
  if (isError !== undefined && isError !== null && typeof isError !== "boolean") {
    return invalid(`${path}.tool_result.is_error: Input should be a valid boolean`);
  }
  const isEmpty = content === undefined || content === "" || (Array.isArray(content) && content.length === 0);
  if (isError === true && isEmpty) return invalid(`${path}.tool_result: content cannot be empty if \`is_error\` is true`);
  return resultContentProblem(content, `${path}.content`);
}

function resultContentProblem(content: unknown, path: string): AnthropicProblem | undefined {
  if (content === undefined || typeof content === "string") return undefined;
  if (!Array.isArray(content)) return invalid(`${path}: Input should be a valid string or list`);
  for (const [index, item] of content.entries()) {
    const block = Object(item) as AnthropicRequestBlock;
    if (!RESULT_BLOCKS.has(block.type)) {
      return invalid(`${path}.${index}: Input tag '${block.type}' found using 'type' does not match any of the expected tags`);
    }
    const found = blockProblem(block, `${path}.${index}`, "user");
    if (found !== undefined) return found;
  }
  return undefined;
}
