import type { ChatMessage, ToolCallMessage } from "../core/chat.js";

/** What a tool answered. */
export interface ToolOutcome {
  readonly content: string;
  readonly isError: boolean;
}

type Entry =
  | { readonly type: "user"; text: string }
  | { readonly type: "assistant"; readonly reply: number; text: string; providerData?: unknown }
  | {
      readonly type: "tools";
      readonly reply: number;
      text: string;
      readonly calls: readonly ToolCallMessage[];
      readonly outcomes: Map<string, ToolOutcome>;
      providerData?: unknown;
    };

/**
 * The conversation as the model may know it: what the caller said, and what the caller heard.
 *
 * Text beside a tool call is entered before it has been heard; `settle` cuts it once, in place, when the
 * reply has ended. Every tool call has exactly one result in `messages()`.
 */
export class History {
  readonly #entries: Entry[] = [];
  /** The replies of which a text that the model had already been shown was cut. */
  readonly #cutReplies = new Set<number>();

  addUser(text: string): void {
    this.#entries.push({ type: "user", text });
  }

  /** Adds text the caller heard in full or in part; blank text is nothing. */
  addAssistant(reply: number, text: string, providerData?: unknown): void {
    if (text.trim() === "") return;
    const isValid = providerData !== undefined && !this.#cutReplies.has(reply);
    this.#entries.push({ type: "assistant", reply, text, ...(isValid ? { providerData } : {}) });
  }

  /** Adds an answer that calls tools, before any of them has run. */
  addToolCalls(reply: number, text: string, calls: readonly ToolCallMessage[], providerData?: unknown): void {
    this.#entries.push({
      type: "tools",
      reply,
      text,
      calls,
      outcomes: new Map(),
      ...(providerData === undefined ? {} : { providerData }),
    });
  }

  /** Enters a tool's one result; a second for the same call is ignored. */
  addToolOutcome(toolCallId: string, outcome: ToolOutcome): void {
    const entry = this.#entries.findLast(
      (candidate) => candidate.type === "tools" && candidate.calls.some((call) => call.id === toolCallId),
    );
    if (entry?.type !== "tools" || entry.outcomes.has(toolCallId)) return;
    entry.outcomes.set(toolCallId, outcome);
  }

  /** Whether a tool call of this id has been entered. */
  hasToolCall(toolCallId: string): boolean {
    return this.#entries.some((entry) => entry.type === "tools" && entry.calls.some((call) => call.id === toolCallId));
  }

  /** How many times a reply has called tools: the round it is in now. */
  toolRounds(reply: number): number {
    return this.#entries.filter((entry) => entry.type === "tools" && entry.reply === reply).length;
  }

  /**
   * Cuts the texts beside the tool calls of a reply to what was heard, in order. What a model wants back may be signed over
   * everything before it: behind the first cut it is dropped.
   */
  settle(reply: number, heard: readonly string[]): void {
    let round = 0;
    let isCut = false;
    for (const entry of this.#entries) {
      if (entry.type === "user") continue;
      if (isCut) entry.providerData = undefined;
      if (entry.type === "assistant" || entry.reply !== reply) continue;
      const text = heard[round++] ?? "";
      isCut ||= text !== entry.text;
      entry.text = text;
    }
    if (isCut) this.#cutReplies.add(reply);
  }

  /** The conversation for the model. A tool that has not answered yet is reported so. */
  messages(): ChatMessage[] {
    return this.#entries.flatMap(messagesOf);
  }
}

function messagesOf(entry: Entry): ChatMessage[] {
  if (entry.type === "user") return [{ role: "user", content: entry.text }];
  const providerData = entry.providerData === undefined ? {} : { providerData: entry.providerData };
  if (entry.type === "assistant") return [{ role: "assistant", content: entry.text, ...providerData }];
  const content = entry.text.trim() === "" ? null : entry.text;
  return [
    { role: "assistant", content, tool_calls: entry.calls, ...providerData },
    ...entry.calls.map((call): ChatMessage => {
      const outcome = entry.outcomes.get(call.id) ?? { content: "The tool has not answered yet.", isError: true };
      return { role: "tool", tool_call_id: call.id, content: outcome.content, ...(outcome.isError ? { isError: true } : {}) };
    }),
  ];
}
