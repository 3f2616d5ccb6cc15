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
 * everything before it: an answer whose words are unchanged goes back byte for byte, though the conversation may hold them with
 * other white space; where it holds other words, only the thinking before them is sent. None ends a message: the API refuses that.
 */
export function assistantBlocks(
  text: readonly TextBlock[],
  calls: readonly ToolUseBlock[],
  providerData: unknown,
  model: string,
): AssistantBlock[] {
  const answer = isAnthropicData(providerData) && providerData.model === model ? providerData.parts : [];
  const parts = answer.filter((part) => part.type !== "text" || part.text.trim() !== "");
  if (isUnchanged(parts, text, calls)) return replay(parts.slice(0, parts.findLastIndex((part) => !isThinking(part)) + 1), calls);
  const end = parts.findIndex((part) => !isThinking(part));
  return [...parts.slice(0, end < 0 ? parts.length : end).filter(isThinking), ...text, ...calls];
}

function isUnchanged(parts: readonly AnswerPart[], text: readonly TextBlock[], calls: readonly ToolUseBlock[]): boolean {
  if (parts.filter(({ type }) => type === "tool_use").length !== calls.length) return false;
  const answered = parts.map((part) => (part.type === "text" ? part.text : "")).join("");
  return withoutSpace(answered) === withoutSpace(text.map((block) => block.text).join(""));
}

/** Sentences that were spoken one by one are joined again by other white space than the answer had. */
function withoutSpace(text: string): string {
  return text.replace(/\s+/g, "");
}

function replay(parts: readonly AnswerPart[], calls: readonly ToolUseBlock[]): AssistantBlock[] {
  let call = 0;
  return parts.flatMap((part, index): readonly AssistantBlock[] => {
    if (part.type === "tool_use") return calls.slice(call, ++call);
    if (part.type !== "text") return [part];
    return [{ type: "text", text: index === parts.length - 1 ? part.text.trimEnd() : part.text }];
  });
}

function isThinking(part: AnswerPart): part is ThinkingBlock {
  return part.type === "thinking" || part.type === "redacted_thinking";
}

function isAnthropicData(value: unknown): value is AnthropicData {
  return typeof value === "object" && value !== null && "parts" in value && Array.isArray(value.parts) && "model" in value;
}
