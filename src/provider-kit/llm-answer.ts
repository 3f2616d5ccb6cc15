import { type Clock, systemClock } from "../core/clock.js";
import { ProviderError } from "../core/errors.js";
import type { LlmChunk, LlmOptions, LlmTiming, LlmUsage } from "../core/llm.js";
import { answerUsage } from "../core/llm-usage.js";
import { onAbort } from "../core/signals.js";
import { race } from "./hedge.js";
import type { AnswerDecoder, AnswerRequest } from "./http-llm.js";
import { ANSWER_TIMEOUT_MS, Attempt } from "./llm-attempt.js";

/** The wait before the one retry, unless the vendor names another. */
const RETRY_DELAY_MS = 200;
/** A vendor that asks for more patience than this is not asked again: another model answers sooner. */
const MAX_RETRY_DELAY_MS = 1000;

/** One answer: its requests, and what they cost. */
export class Answer<Decoder extends AnswerDecoder> {
  readonly #request: AnswerRequest<Decoder>;
  readonly #options: LlmOptions;
  readonly #clock: Clock;
  readonly #controller: AbortController;
  readonly #signal: AbortSignal;
  /** Every request that was sent. */
  readonly #attempts: Attempt<Decoder>[] = [];
  readonly #earlier: Decoder[] = [];
  readonly #retries: string[] = [];
  #mayAskAgain = true;
  /** When the caller has waited long enough for something to be said. */
  #latestContentMs = 0;
  #toolCalls = 0;
  #timing: LlmTiming | undefined;

  constructor(request: AnswerRequest<Decoder>, options: LlmOptions, controller: AbortController) {
    this.#request = request;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#controller = controller;
    this.#signal = controller.signal;
  }

  async *chunks(): AsyncGenerator<LlmChunk, void, undefined> {
    const { signal } = this.#options;
    using _link = signal === undefined ? undefined : onAbort(signal, () => this.#controller.abort(signal.reason));
    this.#renewPatience();
    try {
      for (let body: string | undefined = this.#request.body; body !== undefined; ) {
        if (this.#signal.aborted) return;
        const first = await this.#firstContent(body);
        const { attempt } = first;
        for (let { chunks } = first; chunks.length > 0; chunks = await attempt.read()) {
          for (; chunks.length > 0; chunks = attempt.decoded()) {
            for (const chunk of chunks) {
              if (this.#signal.aborted) return;
              if (chunk.type === "tool_call") this.#toolCalls = Math.max(this.#toolCalls, chunk.index + 1);
              yield chunk;
            }
          }
        }
        if (this.#signal.aborted) return;
        attempt.close();
        body = this.#followUp(attempt.decoder);
        if (body === undefined) yield this.#done(attempt);
      }
    } catch (error) {
      if (this.#signal.aborted) return;
      throw error instanceof ProviderError ? (this.#request.explain?.(error) ?? error) : error;
    } finally {
      for (const attempt of this.#attempts) attempt.close();
      const usage = this.#usage();
      if (usage !== undefined) this.#options.onUsage?.(usage);
    }
  }

  /** The first chunks of what `body` asks for, none for an empty answer, and where the rest comes from. */
  async #firstContent(body: string): Promise<FirstContent<Decoder>> {
    for (;;) {
      try {
        const first = await this.#ask(body);
        if (first.chunks.length > 0) this.#timing ??= first.attempt.timing;
        return first;
      } catch (error) {
        const delayMs = this.#retryDelayMs(error);
        if (delayMs === undefined || this.#clock.now() + delayMs >= this.#latestContentMs) throw error;
        this.#mayAskAgain = false;
        this.#retries.push(reasonOf(error));
        await this.#clock.sleep(delayMs, this.#signal);
      }
    }
  }

  async #ask(body: string): Promise<FirstContent<Decoder>> {
    const { hedgeAfterMs } = this.#request;
    const attempt = this.#send(body);
    if (hedgeAfterMs === undefined || !this.#mayAskAgain) return { attempt, chunks: await attempt.read() };
    const openHedge = (): Attempt<Decoder> => {
      this.#mayAskAgain = false;
      this.#retries.push("hedge");
      return this.#send(body);
    };
    const { winner, chunks, loser } = await race(attempt, openHedge, hedgeAfterMs, this.#clock);
    loser?.close();
    return { attempt: winner, chunks };
  }

  #send(body: string): Attempt<Decoder> {
    const decoder = this.#request.decoder({ earlier: this.#earlier, toolCalls: this.#toolCalls });
    const attempt = new Attempt({
      request: this.#request,
      body,
      decoder,
      clock: this.#clock,
      signal: this.#signal,
      latestContentMs: this.#latestContentMs,
    });
    this.#attempts.push(attempt);
    return attempt;
  }

  #followUp(complete: Decoder): string | undefined {
    const followUp = this.#request.followUp?.(complete, this.#earlier);
    if (followUp === undefined) return undefined;
    this.#earlier.push(complete);
    this.#retries.push(followUp.reason);
    if (complete.hasContent) this.#renewPatience();
    return followUp.body;
  }

  #renewPatience(): void {
    this.#latestContentMs = this.#clock.now() + ANSWER_TIMEOUT_MS;
  }

  #done(attempt: Attempt<Decoder>): LlmChunk {
    const usage = this.#usage();
    const timing = this.#timing ?? attempt.timing;
    return {
      ...attempt.done(),
      ...(usage !== undefined && { usage }),
      ...(timing !== undefined && { timing }),
      ...(this.#retries.length > 0 && { retries: this.#retries }),
    };
  }

  #usage(): LlmUsage | undefined {
    return answerUsage(this.#attempts.flatMap((attempt) => attempt.usage(this.#usageOfSame(attempt)) ?? []));
  }

  /** What another attempt with the same request has been told it costs. */
  #usageOfSame(attempt: Attempt<Decoder>): LlmUsage | undefined {
    const same = this.#attempts.find(
      (other) => other !== attempt && other.body === attempt.body && other.decoder.usage() !== undefined,
    );
    return same?.decoder.usage();
  }

  #retryDelayMs(error: unknown): number | undefined {
    if (this.#signal.aborted || !this.#mayAskAgain) return undefined;
    if (!(error instanceof ProviderError) || !error.retryable) return undefined;
    const delayMs = error.retryAfterMs ?? RETRY_DELAY_MS;
    return delayMs <= MAX_RETRY_DELAY_MS ? delayMs : undefined;
  }
}

interface FirstContent<Decoder extends AnswerDecoder> {
  readonly attempt: Attempt<Decoder>;
  readonly chunks: readonly LlmChunk[];
}

function reasonOf(error: unknown): string {
  return error instanceof ProviderError ? (error.vendorCode ?? error.code) : "provider";
}
