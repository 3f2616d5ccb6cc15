import type { AssistantBlock, TextBlock, ThinkingBlock, ToolUseBlock } from "./wire.js";

/** A block of an answer: what was signed, and what stood around it. */
export type AnswerPart = ThinkingBlock | { readonly type: "text"; readonly text: string } | { readonly type: "tool_use" };

/** What an assistant message carries back to the model that wrote it: an answer with thinking, in its order. */
export interface AnthropicData {
  readonly model: string;
  readonly parts: readonly AnswerPart[];
}

/**
 * The blocks of an assistant message. Thinking stands where it stood, and only for the model that signed it. It is signed over
 * everything before it: where the conversation holds other words than the answer had, only the thinking before them is sent.
 */
export function assistantBlocks(
  text: readonly TextBlock[],
  calls: readonly ToolUseBlock[],
  providerData: unknown,
  model: string,
): AssistantBlock[] {
  const parts = isAnthropicData(providerData) && providerData.model === model ? providerData.parts : [];
  if (isUnchanged(parts, text, calls)) return replayed(parts, calls);
  const end = parts.findIndex((part) => !isThinking(part));
  return [...parts.slice(0, end < 0 ? parts.length : end).filter(isThinking), ...text, ...calls];
}

function isUnchanged(parts: readonly AnswerPart[], text: readonly TextBlock[], calls: readonly ToolUseBlock[]): boolean {
  if (parts.length === 0 || parts.filter(({ type }) => type === "tool_use").length !== calls.length) return false;
  const answered = parts.map((part) => (part.type === "text" ? part.text : "")).join("");
  return answered.trim() === text.map((block) => block.text.trim()).join("");
}

function replayed(parts: readonly AnswerPart[], calls: readonly ToolUseBlock[]): AssistantBlock[] {
  const spoken = parts.filter((part) => part.type !== "text" || part.text.trim() !== "");
  let call = 0;
  return spoken.flatMap((part, index): readonly AssistantBlock[] => {
    if (part.type === "tool_use") return calls.slice(call, ++call);
    if (part.type !== "text") return [part];
    return [{ type: "text", text: index === spoken.length - 1 ? part.text.trimEnd() : part.text }];
  });
}

function isThinking(part: AnswerPart): part is ThinkingBlock {
  return part.type === "thinking" || part.type === "redacted_thinking";
}

function isAnthropicData(value: unknown): value is AnthropicData {
  return typeof value === "object" && value !== null && "parts" in value && Array.isArray(value.parts) && "model" in value;
}
