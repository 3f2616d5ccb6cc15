import type { AnthropicRequestBlock, AnthropicRequestBody, AnthropicRequestMessage, WireCacheControl } from "./wire.js";

/** One block of a request in the order in which the model reads it: tools, system, messages. */
export interface PromptBlock {
  readonly section: "tools" | "system" | "messages";
  readonly role: "user" | "assistant" | "system";
  /** Where it stands in the request, such as `messages.2.content.0`. */
  readonly path: string;
  readonly type: string;
  /** Everything that the model reads of it; `cache_control` is not part of that. */
  readonly text: string;
  readonly tokens: number;
  readonly cacheControl: WireCacheControl | undefined;
  readonly block: AnthropicRequestBlock;
}

/** What an image or a document counts for, whatever its size. */
const MEDIA_TOKENS = 1500;

/** One token for each four characters: exact enough to grow with the text, and the same on every run. */
function tokensOf(text: string): number {
  return Math.ceil(text.length / 4);
}

/** The blocks of a valid request. Neighbouring messages of one role are one turn, as for the model. */
export function promptBlocks(body: AnthropicRequestBody): PromptBlock[] {
  const tools = (body.tools ?? []).map((tool, index) =>
    promptBlock("tools", "system", `tools.${index}`, { type: "tool", ...tool }),
  );
  const system = contentBlocks(body.system ?? []).map((block, index) =>
    promptBlock("system", "system", `system.${index}`, block),
  );
  const messages = (body.messages ?? []).flatMap((message, position) =>
    contentBlocks(message.content).map((block, index) =>
      promptBlock("messages", message.role, `messages.${position}.content.${index}`, block),
    ),
  );
  return [...tools, ...system, ...messages];
}

/** The blocks of a message's content; a string is one text. */
export function contentBlocks(content: AnthropicRequestMessage["content"]): readonly AnthropicRequestBlock[] {
  return typeof content === "string" ? [{ type: "text", text: content }] : content;
}

function promptBlock(
  section: PromptBlock["section"],
  role: PromptBlock["role"],
  path: string,
  block: AnthropicRequestBlock,
): PromptBlock {
  const { cache_control: cacheControl, ...rest } = block;
  // A text is the same text whether it was sent as a string, alone, or with its keys in another order.
  const read = rest.type === "text" ? (rest.text ?? "") : JSON.stringify(readFields(rest));
  const text = `${section === "messages" ? role : section} ${rest.type} ${read}\n`;
  const tokens = rest.type === "image" || rest.type === "document" ? MEDIA_TOKENS : tokensOf(read);
  return { section, role, path, type: rest.type, text, tokens, cacheControl: cacheControl ?? undefined, block };
}

/** The fields of a block that the model reads, in one order; what a client adds or leaves out besides changes nothing. */
function readFields(block: AnthropicRequestBlock): unknown {
  if (block.type === "tool_use") return [block.id, block.name, block.input];
  if (block.type === "tool_result") return [block.tool_use_id, resultContent(block.content), block.is_error ?? false];
  if (block.type === "thinking") return [block.thinking, block.signature];
  return block;
}

function resultContent(content: unknown): unknown {
  return typeof content === "string" ? [{ type: "text", text: content }] : (content ?? []);
}

/** Whether a block can carry a cache marker. */
export function isCacheable({ type, block }: PromptBlock): boolean {
  if (type === "text") return block.text?.trim() !== "";
  return type !== "thinking" && type !== "redacted_thinking";
}

/**
 * The prompt with the automatic marker (top-level `cache_control`) on its last cacheable block. A marker of its own with
 * the same lifetime stays as it is.
 */
export function withAutomaticMarker(blocks: readonly PromptBlock[], body: AnthropicRequestBody): readonly PromptBlock[] {
  if (body.cache_control === undefined || body.cache_control === null) return blocks;
  const target = automaticTarget(blocks);
  const { cache_control: cacheControl } = body;
  return blocks.map((block) => (block === target ? { ...block, cacheControl: block.cacheControl ?? cacheControl } : block));
}

/** The block that the automatic marker is put on. */
export function automaticTarget(blocks: readonly PromptBlock[]): PromptBlock | undefined {
  return blocks.findLast(isCacheable);
}

/** The prompt without the thinking of turns before the user's newest text, which some models do not read again. */
export function withoutOldThinking(blocks: readonly PromptBlock[]): readonly PromptBlock[] {
  const newest = blocks.findLastIndex(
    ({ section, role, type }) => section === "messages" && role === "user" && type !== "tool_result",
  );
  return blocks.filter(
    ({ section, type }, index) =>
      section !== "messages" || index > newest || (type !== "thinking" && type !== "redacted_thinking"),
  );
}
