import type { ChatMessage, ToolSpec } from "../core/chat.js";
import { systemClock } from "../core/clock.js";
import type { LLM, LlmChunk, LlmOptions } from "../core/llm.js";

/** One answer: text, tool calls, both, or an error to throw. */
export type TestAnswer =
  | string
  | Error
  | {
      readonly text?: string;
      readonly toolCalls?: readonly { readonly name: string; readonly arguments?: object; readonly id?: string }[];
    };

export interface TestLLMOptions {
  /** Time to the first token, in ms. Default 0. */
  readonly firstTokenMs?: number;
  /** Time between words, in ms. Default 0. */
  readonly wordMs?: number;
}

/** A model that gives prepared answers, in order, word by word, and remembers what it was asked. */
export class TestLLM implements LLM {
  readonly provider = "test";
  readonly model = "prepared-answers";
  readonly #answers: (TestAnswer | ((messages: readonly ChatMessage[]) => TestAnswer))[];
  readonly #options: TestLLMOptions;
  /** The messages of every request. */
  readonly requests: (readonly ChatMessage[])[] = [];
  /** Requests that were aborted before their end. */
  aborted = 0;

  constructor(
    answers: readonly (TestAnswer | ((messages: readonly ChatMessage[]) => TestAnswer))[],
    options: TestLLMOptions = {},
  ) {
    this.#answers = [...answers];
    this.#options = options;
  }

  async *stream(
    messages: readonly ChatMessage[],
    _tools?: readonly ToolSpec[] | null,
    options: LlmOptions = {},
  ): AsyncGenerator<LlmChunk> {
    this.requests.push(structuredClone(messages));
    const prepared = this.#answers.shift();
    if (prepared === undefined) throw new Error("TestLLM was asked once more than it has answers.");
    const answer = typeof prepared === "function" ? prepared(messages) : prepared;
    let finished = false;
    try {
      for await (const chunk of this.#answer(answer, options)) {
        finished = chunk.type === "done";
        yield chunk;
      }
    } finally {
      if (!finished) this.aborted++;
    }
  }

  async *#answer(answer: TestAnswer, { signal, clock = systemClock }: LlmOptions): AsyncGenerator<LlmChunk> {
    const { firstTokenMs = 0, wordMs = 0 } = this.#options;
    if (firstTokenMs > 0) await clock.sleep(firstTokenMs, signal);
    if (answer instanceof Error) throw answer;
    const { text = "", toolCalls = [] } = typeof answer === "string" ? { text: answer } : answer;
    for (const content of text.match(/\S+\s*/g) ?? []) {
      signal?.throwIfAborted();
      yield { type: "text", content };
      if (wordMs > 0) await clock.sleep(wordMs, signal);
    }
    for (const [index, call] of toolCalls.entries()) {
      yield {
        type: "tool_call",
        index,
        name: call.name,
        arguments: JSON.stringify(call.arguments ?? {}),
        ...(call.id === undefined ? {} : { id: call.id }),
      };
    }
    yield {
      type: "done",
      stopReason: toolCalls.length > 0 ? "tool_use" : "end_turn",
      usage: { inputTokens: 1, outputTokens: 1 },
    };
  }
}
