import type { AssistantMessage, ChatMessage, ToolCallMessage, ToolMessage } from "../core/chat.js";

/** What a model is told of a call that has no result. */
const MISSING_RESULT = "There is no result: the tool was interrupted.";

/** A half of a character in a JSON text, as it is or escaped; it may have its other half. */
const SURROGATES = /\\u[dD][89a-fA-F]|\p{Surrogate}/u;

/** An assistant message with tool calls, and the results found for them, in the order of the calls. */
interface CallRound {
  readonly message: AssistantMessage;
  readonly results: (ToolMessage | undefined)[];
}

/** Where the result of a call goes. */
interface Slot {
  readonly round: CallRound;
  readonly index: number;
}

/**
 * Brings a conversation into the form that every vendor accepts: no blank texts, and right behind each message with
 * tool calls exactly one result for every call, in the order of the calls. A missing result becomes an error result;
 * a result nobody asked for, or a second one, is dropped.
 */
export function wellFormed(messages: readonly ChatMessage[]): ChatMessage[] {
  const parts: (ChatMessage | CallRound)[] = [];
  const awaited = new Map<string, Slot[]>();
  for (const message of messages) {
    if (message.role === "tool") {
      const slot = awaited.get(message.tool_call_id)?.shift();
      if (slot !== undefined) slot.round.results[slot.index] = message;
    } else if (message.role === "assistant" && message.tool_calls !== undefined && message.tool_calls.length > 0) {
      const round: CallRound = { message: withoutBlank(message), results: message.tool_calls.map(() => undefined) };
      awaitResults(awaited, round, message.tool_calls);
      parts.push(round);
    } else if (!isBlank(message.content)) parts.push(message);
  }
  const conversation: ChatMessage[] = [];
  for (const part of parts) {
    if ("results" in part) conversation.push(part.message, ...allResults(part));
    else conversation.push(part);
  }
  return conversation;
}

/** Some servers use ids again: a result then belongs to the newest message that calls by its id. */
function awaitResults(awaited: Map<string, Slot[]>, round: CallRound, calls: readonly ToolCallMessage[]): void {
  for (const { id } of calls) awaited.set(id, []);
  for (const [index, { id }] of calls.entries()) awaited.get(id)?.push({ round, index });
}

function allResults({ message, results }: CallRound): ToolMessage[] {
  return (message.tool_calls ?? []).map(
    ({ id }, index) => results[index] ?? { role: "tool", tool_call_id: id, content: MISSING_RESULT, isError: true },
  );
}

/** The arguments of a tool call; an empty object for text that is no JSON object. */
export function toolArguments(json: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(json, SURROGATES.test(json) ? validValue : undefined);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
  } catch {
    // The model wrote broken JSON; the call's result already says so.
    return {};
  }
}

/** The text with each half of a cut emoji replaced: servers refuse a request that holds one. */
export function validText(text: string): string {
  return text.isWellFormed() ? text : text.toWellFormed();
}

function validValue(_key: string, value: unknown): unknown {
  return typeof value === "string" ? validText(value) : value;
}

/** Says whether a text has nothing to read in it. */
export function isBlank(text: string | null): boolean {
  return text === null || text.trim() === "";
}

function withoutBlank(message: AssistantMessage): AssistantMessage {
  return isBlank(message.content) ? { ...message, content: null } : message;
}
