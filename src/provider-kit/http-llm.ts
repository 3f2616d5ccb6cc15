import { type Clock, systemClock } from "../core/clock.js";
import { ProviderError } from "../core/errors.js";
import type { LlmChunk, LlmOptions, LlmTiming, LlmUsage } from "../core/llm.js";
import { totalUsage } from "../core/llm-usage.js";
import { onAbort } from "../core/signals.js";
import { race } from "./hedge.js";
import type { HttpClient, HttpRequest } from "./http.js";
import { type ProviderIdentity, readText } from "./http-errors.js";
import { ANSWER_TIMEOUT_MS, Attempt, HEADERS_TIMEOUT_MS } from "./llm-attempt.js";
import type { ServerSentEvent } from "./sse.js";

/** The wait before the one retry, unless the vendor names another. */
const RETRY_DELAY_MS = 200;
/** A vendor that asks for more patience than this is not asked again: another model answers sooner. */
const MAX_RETRY_DELAY_MS = 1000;
const MAX_WARMUP_BYTES = 65_536;

/** Turns the events of one answer into chunks. Made anew for every attempt. */
export interface AnswerDecoder {
  /** The chunks of one event. @throws ProviderError for a failure reported inside the stream. */
  decode(event: ServerSentEvent): readonly LlmChunk[];
  /** The last chunk; asked for when `isComplete`, or at the end of the stream. */
  done(requestId: string | undefined): LlmChunk;
  /** Says whether nothing more belongs to the answer. */
  readonly isComplete: boolean;
  /** Says whether the stream may end here; an answer cut short is an error. */
  readonly mayEnd: boolean;
  /** Says whether text or a tool call has come. */
  readonly hasContent: boolean;
  /** Says whether the model is thinking just now: text may be far off, and nothing is wrong. */
  readonly isThinking: boolean;
  /** Tokens so far, estimated where the vendor has not said; `undefined` before it has said anything. */
  usage(): LlmUsage | undefined;
}

/** What an answer consists of before the request that a decoder is made for. */
export interface EarlierParts<Decoder> {
  /** The decoders of the parts that a follow-up went on from, in order. */
  readonly earlier: readonly Decoder[];
  /** How many tool calls those parts hold: the index of the next one. */
  readonly toolCalls: number;
}

/** A request to send on as part of the same answer. */
export interface FollowUp {
  /** Why, for the `retries` of the answer, such as `pause_turn`. */
  readonly reason: string;
  readonly body: string;
}

/** One streamed request to a model. */
export interface AnswerRequest<Decoder extends AnswerDecoder = AnswerDecoder> {
  readonly http: HttpClient;
  readonly identity: ProviderIdentity;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Made anew for every request that is sent. */
  readonly decoder: (parts: EarlierParts<Decoder>) => Decoder;
  /** Sends the request a second time when no content has come after so long, in ms; the first content wins. Default: never. */
  readonly hedgeAfterMs?: number | undefined;
  /** Asked when a part is complete; what it returns is sent at once, and its chunks go on in the same answer. It sets its own bound. */
  readonly followUp?: (complete: Decoder, earlier: readonly Decoder[]) => FollowUp | undefined;
  /** Says more about a vendor's error before it is thrown, such as the name of a retired model's successor. */
  readonly explain?: (error: ProviderError) => ProviderError;
}

/**
 * Streams one answer over HTTP and server-sent events: `text` and `tool_call` chunks, then one `done` with the usage of
 * every request that was sent, with the timing of the one whose content came first, and with why it was sent again.
 *
 * Deadlines, by the clock in `options`, each ending in a `ProviderTimeoutError`: 3 s for a connection; 6 s for the
 * headers, connecting included; 8 s from there to the first content, where only text and tool calls count; 8 s between
 * two pieces of content. While the model thinks, 14 s. Nobody waits longer than 14 s for the first content, retries
 * included. Time in which the reader is busy does not count.
 *
 * A failure that may pass is answered by one more request, after 200 ms or as the vendor asks (up to 1 s), and only while
 * nothing of the answer has been yielded. A hedge takes the place of that retry: no answer is ever asked for a third time.
 *
 * An abort, or ending the iteration early, ends it at once, without an error, and cancels what is on its way. Usage is
 * reported once whatever happens, of what failed or was cut off as far as the vendor has told it.
 */
export function streamAnswer<Decoder extends AnswerDecoder>(
  request: AnswerRequest<Decoder>,
  options: LlmOptions = {},
): AsyncGenerator<LlmChunk, void, undefined> {
  return new AnswerStream(request, options);
}

/** The chunks of an answer; `return` also ends a `next` that is still waiting. */
class AnswerStream<Decoder extends AnswerDecoder> implements AsyncGenerator<LlmChunk, void, undefined> {
  readonly #controller = new AbortController();
  readonly #chunks: AsyncGenerator<LlmChunk, void, undefined>;

  constructor(request: AnswerRequest<Decoder>, options: LlmOptions) {
    this.#chunks = new Answer(request, options, this.#controller).chunks();
  }

  next(): Promise<IteratorResult<LlmChunk, void>> {
    return this.#chunks.next();
  }

  return(): Promise<IteratorResult<LlmChunk, void>> {
    this.#controller.abort();
    return this.#chunks.return();
  }

  throw(error: unknown): Promise<IteratorResult<LlmChunk, void>> {
    this.#controller.abort();
    return this.#chunks.throw(error);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** One answer: its requests, and what they cost. */
class Answer<Decoder extends AnswerDecoder> {
  readonly #request: AnswerRequest<Decoder>;
  readonly #options: LlmOptions;
  readonly #clock: Clock;
  readonly #controller: AbortController;
  readonly #signal: AbortSignal;
  /** Every request that was sent. */
  readonly #attempts: Attempt<Decoder>[] = [];
  /** The two that were sent for the same content. */
  #hedged: readonly Attempt<Decoder>[] = [];
  readonly #earlier: Decoder[] = [];
  readonly #retries: string[] = [];
  #mayAskAgain = true;
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
    const latestContentMs = this.#clock.now() + ANSWER_TIMEOUT_MS;
    for (;;) {
      try {
        const first = await this.#ask(body, latestContentMs);
        if (first.chunks.length > 0) this.#timing ??= first.attempt.timing;
        return first;
      } catch (error) {
        const delayMs = this.#retryDelayMs(error);
        if (delayMs === undefined || this.#clock.now() + delayMs >= latestContentMs) throw error;
        this.#mayAskAgain = false;
        this.#retries.push(reasonOf(error));
        await this.#clock.sleep(delayMs, this.#signal);
      }
    }
  }

  async #ask(body: string, latestContentMs: number): Promise<FirstContent<Decoder>> {
    const { hedgeAfterMs } = this.#request;
    const attempt = this.#send(body, latestContentMs);
    if (hedgeAfterMs === undefined || !this.#mayAskAgain) return { attempt, chunks: await attempt.read() };
    const openHedge = (): Attempt<Decoder> => {
      this.#mayAskAgain = false;
      this.#retries.push("hedge");
      const hedge = this.#send(body, latestContentMs);
      this.#hedged = [attempt, hedge];
      return hedge;
    };
    const { winner, chunks, loser } = await race(attempt, openHedge, hedgeAfterMs, this.#clock);
    loser?.close();
    return { attempt: winner, chunks };
  }

  #send(body: string, latestContentMs: number): Attempt<Decoder> {
    const decoder = this.#request.decoder({ earlier: this.#earlier, toolCalls: this.#toolCalls });
    const attempt = new Attempt({
      request: this.#request,
      body,
      decoder,
      clock: this.#clock,
      signal: this.#signal,
      latestContentMs,
    });
    this.#attempts.push(attempt);
    return attempt;
  }

  #followUp(complete: Decoder): string | undefined {
    const followUp = this.#request.followUp?.(complete, this.#earlier);
    if (followUp === undefined) return undefined;
    this.#earlier.push(complete);
    this.#retries.push(followUp.reason);
    return followUp.body;
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
    let total: LlmUsage | undefined;
    for (const attempt of this.#attempts) {
      const isHedged = this.#hedged.includes(attempt);
      const usage = attempt.usage(isHedged ? this.#hedged.find((other) => other !== attempt) : undefined);
      if (usage !== undefined) total = totalUsage(usage, total);
    }
    return total;
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

/** Asks for something small, only so that the connection is open; its failure is the next request's to report. */
export async function openConnection(
  http: HttpClient,
  request: Pick<HttpRequest, "url" | "headers">,
  options: LlmOptions = {},
): Promise<void> {
  const { signal, clock } = options;
  try {
    const response = await http.request({ method: "GET", ...request, signal, clock, headersTimeoutMs: HEADERS_TIMEOUT_MS });
    await readText(response, MAX_WARMUP_BYTES);
    response.discard();
  } catch (error) {
    // A vendor that is down while the phone rings may be up when the caller has spoken.
    if (!(error instanceof ProviderError) && signal?.aborted !== true) throw error;
  }
}
