import type { AssistantBlock, CacheControl, CacheTtl, TextBlock, UserBlock, WireMessage, WireTool } from "./wire.js";

/** A place in the conversation. */
interface Position {
  readonly message: number;
  readonly block: number;
}

type Markable = Exclude<UserBlock | AssistantBlock, { readonly type: "thinking" | "redacted_thinking" }>;

const SHORT: CacheControl = { type: "ephemeral" };
const LONG: CacheControl = { type: "ephemeral", ttl: "1h" };

/** Marks the last tool: where the definitions end that all calls have in common. */
export function markTools(tools: readonly WireTool[], ttl: CacheTtl): readonly WireTool[] {
  return tools.map((tool, index) => (index === tools.length - 1 ? { ...tool, cache_control: lasting(ttl) } : tool));
}

/** Marks the first system text. What follows it belongs to one call and is no common beginning. */
export function markSystem(system: readonly TextBlock[], ttl: CacheTtl): readonly TextBlock[] {
  return system.map((block, index) => (index === 0 ? { ...block, cache_control: lasting(ttl) } : block));
}

/**
 * Marks two places in the conversation, for five minutes each: the end of the user's last message, and that of the user message
 * before it, where the last request had its marker. The API looks back only 20 blocks from a marker, and what is the user's is
 * final, while the agent's words may yet be cut to what was heard.
 *
 * While the user's last text may still change, the first marker stands on the block before it instead.
 */
export function markConversation(messages: readonly WireMessage[], isLastTextOpen: boolean): readonly WireMessage[] {
  const tail = isLastTextOpen ? lastSettled(messages) : endOf(messages, lastUserMessage(messages, messages.length));
  if (tail === undefined) return messages;
  const spare = endOf(messages, lastUserMessage(messages, tail.message));
  return messages.map((message, index) => {
    if (index === tail.message) return marked(message, tail.block);
    return index === spare?.message ? marked(message, spare.block) : message;
  });
}

function lasting(ttl: CacheTtl): CacheControl {
  return ttl === "1h" ? LONG : SHORT;
}

function lastUserMessage(messages: readonly WireMessage[], before: number): number {
  return messages.findLastIndex(({ role }, index) => index < before && role === "user");
}

function endOf(messages: readonly WireMessage[], message: number): Position | undefined {
  const block = (messages[message]?.content.length ?? 0) - 1;
  return block < 0 ? undefined : { message, block };
}

/** The last block that can carry a marker before the user's last text. */
function lastSettled(messages: readonly WireMessage[]): Position | undefined {
  const end = endOf(messages, lastUserMessage(messages, messages.length));
  if (end === undefined || messages[end.message]?.content[end.block]?.type !== "text") return end;
  let { message, block } = end;
  do {
    block--;
    if (block < 0) block = (messages[--message]?.content.length ?? 0) - 1;
  } while (message >= 0 && !isMarkable(messages[message]?.content[block]));
  return message < 0 ? undefined : { message, block };
}

function isMarkable(block: WireMessage["content"][number] | undefined): block is Markable {
  return block !== undefined && block.type !== "thinking" && block.type !== "redacted_thinking";
}

function marked(message: WireMessage, index: number): WireMessage {
  const content = message.content.map((block, position) =>
    position === index && isMarkable(block) ? { ...block, cache_control: SHORT } : block,
  );
  // The blocks are the message's own, each of its type.
  return { role: message.role, content } as WireMessage;
}
