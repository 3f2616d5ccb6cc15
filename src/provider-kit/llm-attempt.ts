import type { Clock } from "../core/clock.js";
import { ProtocolError, ProviderTimeoutError } from "../core/errors.js";
import type { LlmChunk, LlmTiming, LlmUsage } from "../core/llm.js";
import { promptTokens } from "../core/llm-usage.js";
import type { HttpResponse, HttpSending } from "./http.js";
import { responseError } from "./http-errors.js";
import type { AnswerDecoder, AnswerRequest } from "./http-llm.js";
import { EventStreamParser } from "./sse.js";

/** How long the response's headers may take, connecting included. */
export const HEADERS_TIMEOUT_MS = 6000;
/** How long the first content may take after the headers, or after the model has stopped thinking. */
const FIRST_CONTENT_TIMEOUT_MS = 8000;
/** How long a model may stay silent between two pieces of content. */
const SILENCE_TIMEOUT_MS = 8000;
/** How long a caller may have to wait for content, whatever is tried meanwhile; also the longest thinking behind content. */
export const ANSWER_TIMEOUT_MS = 14_000;
/** Characters of a request in a token, roughly: for a prompt that the vendor has not counted. */
const CHARACTERS_PER_TOKEN = 4;

export interface AttemptOptions<Decoder extends AnswerDecoder> {
  readonly request: AnswerRequest<Decoder>;
  readonly body: string;
  readonly decoder: Decoder;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** When the caller has waited long enough for the first content, by the clock. */
  readonly latestContentMs: number;
}

/** One request of an answer, from sending it to the end of its stream. */
export class Attempt<Decoder extends AnswerDecoder> {
  readonly decoder: Decoder;
  readonly #options: AttemptOptions<Decoder>;
  readonly #sending: HttpSending;
  readonly #events = new EventStreamParser();
  #response: HttpResponse | undefined;
  #headersAtMs = 0;
  #firstContentMs: number | undefined;
  /** Whether something came since the last deadline that the next one counts from. */
  #hasProgress = false;
  /** When the model began to think about what it has not said yet. */
  #thinkingSinceMs: number | undefined;
  #hasEnded = false;
  /** Whether it was turned down or lost, rather than cut off from here: then it costs no more than the vendor said. */
  #hasFailed = false;
  #isClosed = false;

  constructor(options: AttemptOptions<Decoder>) {
    const { request, body, clock, signal, latestContentMs } = options;
    this.#options = options;
    this.decoder = options.decoder;
    const headersTimeoutMs = Math.max(0, Math.min(HEADERS_TIMEOUT_MS, latestContentMs - clock.now()));
    const { url, headers } = request;
    this.#sending = request.http.send({ method: "POST", url, headers, body, signal, clock, headersTimeoutMs });
  }

  /** Where the time went; known once the headers have come. */
  get timing(): LlmTiming | undefined {
    if (this.#response === undefined) return undefined;
    return { ...this.#response.timing, ...(this.#firstContentMs !== undefined && { firstContentMs: this.#firstContentMs }) };
  }

  get body(): string {
    return this.#options.body;
  }

  get hasThought(): boolean {
    return this.#thinkingSinceMs !== undefined;
  }

  /**
   * The next chunks of what has come already, none when it is used up. Events are decoded one by one: the first
   * content does not wait for what came together with it.
   */
  decoded(): readonly LlmChunk[] {
    const { decoder } = this;
    while (!decoder.isComplete) {
      const event = this.#events.next();
      if (event === undefined) break;
      const wasThinking = decoder.isThinking;
      const chunks = decoder.decode(event);
      if (decoder.isThinking) this.#thinkingSinceMs ??= this.#options.clock.now();
      this.#hasProgress ||= chunks.length > 0 || decoder.isThinking !== wasThinking;
      if (chunks.length === 0) continue;
      this.#thinkingSinceMs = undefined;
      this.#firstContentMs ??= this.#options.clock.now() - this.#headersAtMs;
      return chunks;
    }
    return [];
  }

  /** The next chunks, waited for; none when the answer is complete. */
  async read(): Promise<readonly LlmChunk[]> {
    try {
      this.#response ??= await this.#headers();
      for (;;) {
        const chunks = this.decoded();
        if (chunks.length > 0 || this.decoder.isComplete) return chunks;
        if (this.#hasEnded) break;
        await this.#receive(this.#response);
      }
      if (!this.decoder.mayEnd) throw this.#cutShort();
      return [];
    } catch (error) {
      const isTimeout = error instanceof ProviderTimeoutError && error.status === undefined;
      this.#hasFailed = !isTimeout && !this.#isClosed && !this.#options.signal.aborted;
      throw error;
    }
  }

  /** The last chunk. */
  done(): LlmChunk {
    return this.decoder.done(this.#response?.header("request-id") ?? this.#response?.header("x-request-id"));
  }

  /**
   * What was spent. A prompt that was sent and not counted, as before the vendor's first event, is taken to be the one
   * that `same` had, the usage of an equal request, and else to have a token for every four characters of the body.
   */
  usage(same: LlmUsage | undefined): LlmUsage | undefined {
    const usage = this.decoder.usage();
    const isCounted = usage !== undefined && (usage.isEstimated !== true || promptTokens(usage) > 0);
    if (isCounted || this.#hasFailed || !this.#sending.isSent) return usage;
    const { thinkingTokens: _, ...prompt } = same ?? { inputTokens: Math.ceil(this.body.length / CHARACTERS_PER_TOKEN) };
    return { ...prompt, outputTokens: usage?.outputTokens ?? 0, isEstimated: true };
  }

  /** Lets go of the exchange: a complete answer leaves its connection usable, any other is cancelled. */
  close(): void {
    this.#isClosed = true;
    if (this.decoder.isComplete) this.#response?.discard();
    else this.#sending.abort();
  }

  async #headers(): Promise<HttpResponse> {
    const { request, clock } = this.#options;
    const response = await this.#sending.headers();
    this.#headersAtMs = clock.now();
    response.expectProgress(this.#patienceMs());
    if (response.status !== 200) throw await responseError(request.identity, response, clock);
    return response;
  }

  /** Waits for bytes, or for the end of the stream. */
  async #receive(response: HttpResponse): Promise<void> {
    if (this.#hasProgress) response.expectProgress(this.#patienceMs());
    this.#hasProgress = false;
    const bytes = await response.read();
    this.#hasEnded = bytes === undefined;
    if (bytes === undefined) this.#events.end();
    else this.#events.push(bytes);
  }

  /** How long the next content may take. */
  #patienceMs(): number {
    const { hasContent, isThinking } = this.decoder;
    const nowMs = this.#options.clock.now();
    const timeoutMs = hasContent ? SILENCE_TIMEOUT_MS : FIRST_CONTENT_TIMEOUT_MS;
    let latestMs = this.#options.latestContentMs;
    if (hasContent) latestMs = (this.#thinkingSinceMs ?? nowMs) + ANSWER_TIMEOUT_MS;
    const leftMs = Math.max(0, latestMs - nowMs);
    return isThinking ? leftMs : Math.min(leftMs, timeoutMs);
  }

  #cutShort(): ProtocolError {
    const { provider, className } = this.#options.request.identity;
    return new ProtocolError(`${className} received an answer that was cut short. Try again, or fall back to another model.`, {
      provider,
      retryable: true,
    });
  }
}
