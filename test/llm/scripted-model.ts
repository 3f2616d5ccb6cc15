import { expect } from "vitest";
import { VirtualClock } from "../../src/core/clock.js";
import type { LlmChunk, LlmOptions, LlmUsage } from "../../src/core/llm.js";
import { HttpClient } from "../../src/provider-kit/http.js";
import { type AnswerRequest, streamAnswer } from "../../src/provider-kit/http-llm.js";
import { IDENTITY, type Reply, ScriptedDecoder, ScriptedVendor } from "./scripted-fetch.js";

export interface Outcome {
  readonly chunks: readonly LlmChunk[];
  readonly error?: unknown;
  readonly endedMs: number;
}

/** A made-up model on virtual time. */
export class Model {
  readonly clock = new VirtualClock();
  readonly vendor: ScriptedVendor;
  readonly usages: LlmUsage[] = [];
  readonly #request: Partial<AnswerRequest<ScriptedDecoder>>;

  constructor(replies: readonly Reply[], request: Partial<AnswerRequest<ScriptedDecoder>> = {}) {
    this.vendor = new ScriptedVendor(this.clock, ...replies);
    this.#request = request;
  }

  stream(options: LlmOptions = {}): AsyncGenerator<LlmChunk, void, undefined> {
    const request: AnswerRequest<ScriptedDecoder> = {
      http: new HttpClient(IDENTITY, { fetch: this.vendor.fetch }),
      identity: IDENTITY,
      url: "https://api.example.com/v1/answers",
      headers: {},
      body: "{}",
      decoder: ({ toolCalls }) => new ScriptedDecoder(toolCalls),
      ...this.#request,
    };
    return streamAnswer(request, { clock: this.clock, onUsage: (usage) => this.usages.push(usage), ...options });
  }

  /** Reads an answer to its end or its failure. */
  async answer(options?: LlmOptions): Promise<Outcome> {
    const chunks: LlmChunk[] = [];
    const reading = async (): Promise<Outcome> => {
      try {
        for await (const chunk of this.stream(options)) chunks.push(chunk);
        return { chunks, endedMs: this.clock.now() };
      } catch (error) {
        return { chunks, error, endedMs: this.clock.now() };
      }
    };
    const outcome = await this.clock.runUntil(reading());
    // A body that does not end is given up after half a second.
    await this.clock.advance(500);
    expect(this.clock.pendingTimers).toBe(0);
    return outcome;
  }
}
