import type { ProviderError } from "../core/errors.js";
import type { LlmChunk, LlmOptions, LlmUsage } from "../core/llm.js";
import type { HttpClient } from "./http.js";
import type { ProviderIdentity } from "./http-errors.js";
import { Answer } from "./llm-answer.js";
import type { ServerSentEvent } from "./sse.js";

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
  /** Sends the request a second time when no text, tool call or thinking has come after so long, in ms; the first content wins. Default: never. */
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
 * two pieces of content. While the model thinks, 14 s from when it began, however much it thinks. Nobody waits longer than
 * 14 s for the first content, all requests included; a follow-up to content has 14 s of its own. Time in which the reader
 * is busy does not count.
 *
 * A failure that may pass, of a request whose content has not begun, is answered by sending that request once more, after
 * 200 ms or as the vendor asks (up to 1 s). Each answer has one such retry, which a hedge uses up; follow-ups come on top,
 * within the bound that `followUp` sets.
 *
 * An abort, or ending the iteration early, ends it at once, without an error, and cancels what is on its way. Usage is
 * reported once whatever happens, with an estimate of what was cut off, or waited for in vain, before the vendor counted it.
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
