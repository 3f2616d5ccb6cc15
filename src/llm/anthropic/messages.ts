import type { AssistantMessage, ChatMessage, ToolSpec } from "../../core/chat.js";
import { isBlank, toolArguments, wellFormed } from "../../provider-kit/conversation.js";
import type {
  AssistantBlock,
  CacheTtl,
  MessagesBody,
  TextBlock,
  ThinkingBlock,
  UserBlock,
  WireMessage,
  WireParameters,
  WireTool,
  WireToolChoice,
} from "./wire.js";

/** What an assistant message carries back to the model that wrote it. */
export interface AnthropicData {
  readonly model: string;
  readonly thinking: readonly ThinkingBlock[];
}

/** How a conversation is sent: what the model accepts, and what is cached. */
export interface BodyOptions {
  /** Go in first, as they are; thinking is replayed to the model they name. */
  readonly parameters: WireParameters;
  /** Sent only with tools; a tool's name in it may be the caller's own. */
  readonly toolChoice?: WireToolChoice;
  /** How long tools and system prompt are cached; left out, nothing is marked. The conversation is always cached for 5 minutes. */
  readonly caching?: { readonly ttl: CacheTtl };
  /** The last user text may still change: nothing from there on is marked. */
  readonly speculative?: boolean;
  /** A conversation may end with the model's own words. Otherwise a user turn follows them. */
  readonly acceptsPrefill: boolean;
  /** Instructions may stand between the turns. Otherwise they go in brackets into the user's turn. */
  readonly acceptsMidCallSystem: boolean;
  /** Takes what the caller should know; may be told the same with every request. */
  readonly warn: (code: string, message: string) => void;
}

/** The first message must be the user's; a call that begins with the agent's greeting gets this one. */
const CALL_CONNECTED = "[The call is connected.]";
/** Newer models refuse a conversation that ends with their own words. */
const GO_ON = "[The caller is silent.]";

/**
 * Converts a conversation to a request body. Equal conversations give equal bytes, and a longer one begins with
 * the bytes of the shorter, so that a cached beginning stays valid.
 */
export function messagesBody(messages: readonly ChatMessage[], tools: readonly ToolSpec[], options: BodyOptions): MessagesBody {
  const conversation = wellFormed(messages);
  return {
    ...options.parameters,
    stream: true,
    ...prefixOf(conversation, tools, options),
    messages: wireMessages(conversation.slice(systemEnd(conversation)), options.parameters.model),
  };
}

/**
 * The request that writes the cached beginning of later ones, and answers nothing: the same tools and system prompt
 * with their markers, and a placeholder for the conversation.
 */
export function warmupBody(
  messages: readonly ChatMessage[],
  tools: readonly ToolSpec[],
  options: BodyOptions,
): Omit<MessagesBody, "stream"> {
  return {
    ...options.parameters,
    max_tokens: 0,
    ...prefixOf(wellFormed(messages), tools, options),
    messages: [userText(CALL_CONNECTED)],
  };
}

function systemEnd(conversation: readonly ChatMessage[]): number {
  const firstTurn = conversation.findIndex(({ role }) => role !== "system");
  return firstTurn < 0 ? conversation.length : firstTurn;
}

function prefixOf(
  conversation: readonly ChatMessage[],
  tools: readonly ToolSpec[],
  { caching, toolChoice }: BodyOptions,
): Pick<MessagesBody, "tools" | "tool_choice" | "system"> {
  const system = systemBlocks(conversation.slice(0, systemEnd(conversation)), caching !== undefined);
  return {
    ...(tools.length === 0 ? {} : { tools: wireTools(tools, caching !== undefined) }),
    ...(tools.length === 0 || toolChoice === undefined ? {} : { tool_choice: toolChoice }),
    ...(system.length === 0 ? {} : { system }),
  };
}

function systemBlocks(messages: readonly ChatMessage[], promptCaching: boolean): TextBlock[] {
  return messages.map((message, index) => ({
    type: "text",
    text: message.content ?? "",
    // Only the first is the same for every call.
    ...(promptCaching && index === 0 ? { cache_control: { type: "ephemeral" } } : {}),
  }));
}

function wireTools(tools: readonly ToolSpec[], promptCaching: boolean): WireTool[] {
  return tools.map((tool, index) => {
    const { name, description, parameters } = tool.function;
    const { $schema: _dialect, ...schema } = parameters;
    return {
      name,
      ...(description === undefined ? {} : { description }),
      input_schema: { ...schema, type: "object" },
      ...(promptCaching && index === tools.length - 1 ? { cache_control: { type: "ephemeral" } } : {}),
    };
  });
}

function wireMessages(conversation: readonly ChatMessage[], model: string): WireMessage[] {
  const messages: WireMessage[] = [];
  const add = (message: WireMessage): void => {
    const last = messages.at(-1);
    if (last?.role === "user" && message.role === "user")
      messages[messages.length - 1] = { role: "user", content: [...last.content, ...message.content] };
    else if (last?.role === "assistant" && message.role === "assistant")
      messages[messages.length - 1] = { role: "assistant", content: [...last.content, ...message.content] };
    else messages.push(message);
  };
  if (conversation[0]?.role !== "user") add(userText(CALL_CONNECTED));
  for (const message of conversation)
    add(
      message.role === "assistant"
        ? { role: "assistant", content: assistantBlocks(message, model) }
        : { role: "user", content: [userBlock(message)] },
    );
  if (messages.at(-1)?.role === "assistant") add(userText(GO_ON));
  return messages;
}

function userText(text: string): WireMessage {
  return { role: "user", content: [{ type: "text", text }] };
}

function userBlock(message: Exclude<ChatMessage, AssistantMessage>): UserBlock {
  switch (message.role) {
    case "user":
      return { type: "text", text: message.content };
    case "system":
      // Most models take instructions only at the beginning; in brackets they stand apart from the caller's words.
      return { type: "text", text: `[${message.content}]` };
    case "tool":
      return {
        type: "tool_result",
        tool_use_id: wireId(message.tool_call_id),
        ...(isBlank(message.content) ? {} : { content: message.content }),
        ...(message.isError === true ? { is_error: true } : {}),
      };
  }
}

function assistantBlocks(message: AssistantMessage, model: string): AssistantBlock[] {
  const text: AssistantBlock[] = isBlank(message.content) ? [] : [{ type: "text", text: message.content ?? "" }];
  const calls = (message.tool_calls ?? []).map(
    (call): AssistantBlock => ({
      type: "tool_use",
      id: wireId(call.id),
      name: call.function.name,
      input: toolArguments(call.function.arguments),
    }),
  );
  return [...thinkingBlocks(message.providerData, model), ...text, ...calls];
}

/** Signed thinking is only valid for the model that wrote it. */
function thinkingBlocks(providerData: unknown, model: string): readonly ThinkingBlock[] {
  return isAnthropicData(providerData) && providerData.model === model ? providerData.thinking : [];
}

function isAnthropicData(value: unknown): value is AnthropicData {
  return typeof value === "object" && value !== null && "thinking" in value && Array.isArray(value.thinking) && "model" in value;
}

/** Ids from other vendors may hold characters that this one refuses. */
function wireId(id: string): string {
  return id.replace(/[^a-zA-Z0-9_-]/g, "_");
}
