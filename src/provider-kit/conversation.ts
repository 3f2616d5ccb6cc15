import type { AssistantMessage, ChatMessage, ToolMessage } from "../core/chat.js";

/** What a model is told of a call that has no result. */
const MISSING_RESULT = "There is no result: the tool was interrupted.";

/**
 * Brings a conversation into the form that every vendor accepts: no blank texts, and right behind each message with
 * tool calls exactly one result for every call, in the order of the calls. A missing result becomes an error result;
 * a result nobody asked for, or a second one, is dropped.
 */
export function wellFormed(messages: readonly ChatMessage[]): ChatMessage[] {
  const taken = new Set<ToolMessage>();
  return messages.flatMap((message, index): ChatMessage[] => {
    if (message.role === "tool") return [];
    if (message.role !== "assistant") return isBlank(message.content) ? [] : [message];
    const calls = message.tool_calls ?? [];
    if (calls.length === 0) return isBlank(message.content) ? [] : [message];
    const results = calls.map(({ id }): ToolMessage => {
      const result = findResult(messages, index, id, taken);
      if (result === undefined) return { role: "tool", tool_call_id: id, content: MISSING_RESULT, isError: true };
      taken.add(result);
      return result;
    });
    return [withoutBlank(message), ...results];
  });
}

/** The arguments of a tool call; an empty object for text that is no JSON object. */
export function toolArguments(json: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
  } catch {
    // The model wrote broken JSON; the call's result already says so.
    return {};
  }
}

/** Says whether a text has nothing to read in it. */
export function isBlank(text: string | null): boolean {
  return text === null || text.trim() === "";
}

/** The first result for `id` behind the call, unless a later call of the same id comes first: some servers use ids again. */
function findResult(
  messages: readonly ChatMessage[],
  callIndex: number,
  id: string,
  taken: ReadonlySet<ToolMessage>,
): ToolMessage | undefined {
  for (const message of messages.slice(callIndex + 1)) {
    if (message.role === "tool" && message.tool_call_id === id && !taken.has(message)) return message;
    if (message.role === "assistant" && message.tool_calls?.some((call) => call.id === id) === true) return undefined;
  }
  return undefined;
}

function withoutBlank(message: AssistantMessage): AssistantMessage {
  return isBlank(message.content) ? { ...message, content: null } : message;
}
