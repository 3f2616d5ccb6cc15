import { systemClock } from "../core/clock.js";
import { ProtocolError, ProviderError } from "../core/errors.js";
import type { LlmChunk, LlmOptions, LlmUsage } from "../core/llm.js";
import { totalUsage } from "../core/llm-usage.js";
import type { HttpClient, HttpRequest } from "./http.js";
import { type ProviderIdentity, readText, responseError } from "./http-errors.js";
import { type ServerSentEvent, serverSentEvents } from "./sse.js";

/** How long the response's headers may take; also the whole of a non-streamed answer. */
const HEADERS_TIMEOUT_MS = 6000;
/** How long a model may stay silent within its answer. Pings are silence. */
const SILENCE_TIMEOUT_MS = 8000;
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
 * Streams one answer over HTTP and server-sent events.
 *
 * A failure that may pass is tried again once, and only while nothing of the answer has been yielded.
 * An abort ends the iteration at once, without an error. Usage is reported once, with that of an attempt that failed: of
 * an aborted or failed answer as far as the vendor has told it.
 */
export async function* streamAnswer<Decoder extends AnswerDecoder>(
  request: AnswerRequest<Decoder>,
  options: LlmOptions = {},
): AsyncGenerator<LlmChunk, void, undefined> {
  const { signal, clock = systemClock } = options;
  let decoder = request.decoder({ earlier: [], toolCalls: 0 });
  let spent: LlmUsage | undefined;
  try {
    for (let attempt = 1; ; attempt++) {
      let hasContent = false;
      try {
        for await (const chunk of attemptAnswer(request, decoder, options)) {
          if (signal?.aborted === true) return;
          hasContent = true;
          yield chunk.type === "done" && spent !== undefined ? { ...chunk, usage: totalUsage(spent, chunk.usage) } : chunk;
        }
        return;
      } catch (error) {
        if (signal?.aborted === true) return;
        const delayMs = attempt === 1 && !hasContent ? retryDelayMs(error) : undefined;
        if (delayMs === undefined) throw error;
        if (!(await slept(clock.sleep(delayMs, signal), signal))) return;
        spent = decoder.usage();
        decoder = request.decoder({ earlier: [], toolCalls: 0 });
      }
    }
  } finally {
    const usage = decoder.usage() ?? spent;
    if (usage !== undefined) options.onUsage?.(usage === spent ? usage : totalUsage(usage, spent));
  }
}

async function* attemptAnswer<Decoder extends AnswerDecoder>(
  request: AnswerRequest<Decoder>,
  decoder: Decoder,
  options: LlmOptions,
): AsyncGenerator<LlmChunk, void, undefined> {
  const { http, identity, url, headers, body } = request;
  const { signal, clock } = options;
  const response = await http.request({
    method: "POST",
    url,
    headers,
    body,
    signal,
    clock,
    headersTimeoutMs: HEADERS_TIMEOUT_MS,
  });
  try {
    response.expectProgress(SILENCE_TIMEOUT_MS);
    if (response.status !== 200) throw await responseError(identity, response);
    for await (const event of serverSentEvents(response.body)) {
      if (event.event !== "ping") response.expectProgress(SILENCE_TIMEOUT_MS);
      yield* decoder.decode(event);
      if (decoder.isComplete) break;
    }
    if (!decoder.isComplete && !decoder.mayEnd) throw cutShort(identity);
    yield decoder.done(response.header("request-id") ?? response.header("x-request-id"));
  } finally {
    if (decoder.isComplete) response.discard();
    else response.abort();
  }
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

function cutShort(identity: ProviderIdentity): ProtocolError {
  return new ProtocolError(
    `${identity.className} received an answer that was cut short. Try again, or fall back to another model.`,
    {
      provider: identity.provider,
      retryable: true,
    },
  );
}

function retryDelayMs(error: unknown): number | undefined {
  if (!(error instanceof ProviderError) || !error.retryable) return undefined;
  const delayMs = error.retryAfterMs ?? RETRY_DELAY_MS;
  return delayMs <= MAX_RETRY_DELAY_MS ? delayMs : undefined;
}

/** Waits; `false` when the signal cut the wait short. */
async function slept(sleep: Promise<void>, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    await sleep;
    return true;
  } catch (error) {
    if (signal?.aborted === true) return false;
    throw error;
  }
}
