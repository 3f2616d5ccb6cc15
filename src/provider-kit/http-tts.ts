import { type AudioFormat, audioDurationMs } from "../core/audio-frame.js";
import type { Clock } from "../core/clock.js";
import { ProviderError } from "../core/errors.js";
import { AsyncQueue } from "../core/queue.js";
import { ChildController, onAbort } from "../core/signals.js";
import type { TtsConnection, TtsEvent, TtsOpenOptions, TtsStream } from "../core/tts.js";
import type { HttpClient, HttpResponse } from "./http.js";
import type { ProviderIdentity } from "./http-errors.js";
import { type CharacterTimes, isSpeakable, SpokenText } from "./spoken-text.js";
import { WholeSamples } from "./whole-samples.js";

/** How long the response's headers may take, and then each next piece of audio. */
const HEADERS_TIMEOUT_MS = 4000;
const SILENCE_TIMEOUT_MS = 4000;
/** A failure within this time of the request is answered by one more request, after a moment. */
const RETRY_WITHIN_MS = 2000;
const RETRY_AFTER_MS = 200;
/** A vendor that asks to wait longer than this is not asked again: the caller hears nothing meanwhile. */
const MAX_RETRY_AFTER_MS = 1000;

/** One request for speech. */
export interface SpeechRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A piece of a response. */
export interface SpeechPart {
  readonly bytes?: Uint8Array;
  /** When the characters are spoken, since the response's first sample; the same stretch told in several ways, best first. */
  readonly times?: readonly CharacterTimes[];
}

/** Reads a response's body. Made anew for every response. */
export interface SpeechDecoder {
  /** The parts that are complete with these bytes. @throws ProviderError for what the vendor's protocol does not allow. */
  push(bytes: Uint8Array): readonly SpeechPart[];
  /** What the body's end completes. @throws ProviderError when it must not end here. */
  end(): readonly SpeechPart[];
}

/** What a vendor's HTTP speech needs of its provider. */
export interface HttpSpeech {
  readonly identity: ProviderIdentity;
  readonly http: HttpClient;
  /** The request for `text`; `spokenText` is what this reply has said before it. */
  request(text: string, spokenText: string, signal: AbortSignal): Promise<SpeechRequest>;
  decoder(): SpeechDecoder;
  /** The error for a response that is no success. Reads its body. */
  failure(response: HttpResponse, clock: Clock): Promise<ProviderError>;
}

/**
 * One call's speech over HTTP: every flush is a request, one at a time, answered by a streamed body.
 *
 * Deadlines, each ending in a `ProviderTimeoutError`: 4 s for the headers and 4 s between two pieces of the body. A request
 * that fails within 2 s, before its first audio, and in a way that may pass, is sent once more after 200 ms. An abort drops
 * the request; its connection stays usable where it is HTTP/2. Failures are told to the reply that they befall, whose audio
 * and words so far stay with the caller; the next reply is asked for as usual.
 */
export class HttpTtsConnection implements TtsConnection {
  readonly #speech: HttpSpeech;
  readonly #options: TtsOpenOptions;
  readonly #controller: ChildController;

  constructor(speech: HttpSpeech, options: TtsOpenOptions) {
    this.#speech = speech;
    this.#options = options;
    this.#controller = new ChildController(options.signal);
  }

  speak({ signal }: { readonly signal: AbortSignal }): TtsStream {
    const { format, clock } = this.#options;
    return new HttpTtsStream({ speech: this.#speech, format, clock, signals: [this.#controller.signal, signal] });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#controller.abort(new DOMException("The connection was closed.", "AbortError"));
  }
}

interface StreamOptions {
  readonly speech: HttpSpeech;
  readonly format: AudioFormat;
  readonly clock: Clock;
  readonly signals: readonly AbortSignal[];
}

class HttpTtsStream implements TtsStream {
  readonly #options: StreamOptions;
  readonly #spoken = new SpokenText();
  readonly #controller = new AbortController();
  readonly #links: readonly Disposable[];
  readonly #texts = new AsyncQueue<string>();
  readonly #events = new AsyncQueue<TtsEvent>();
  readonly #samples: WholeSamples;

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#samples = new WholeSamples(options.format);
    this.#links = options.signals.map((signal) => onAbort(signal, () => this.#drop(signal.reason)));
    void this.#run();
  }

  write(text: string): void {
    this.#spoken.write(text);
  }

  flush(): void {
    if (!this.#texts.ended) this.#texts.push(this.#spoken.flush());
  }

  end(): void {
    if (this.#spoken.hasPending) this.flush();
    this.#texts.end();
  }

  [Symbol.asyncIterator](): AsyncIterator<TtsEvent> {
    return {
      next: () => this.#events.next(),
      return: async () => {
        this.#drop(new DOMException("Nobody listens any more.", "AbortError"));
        return { value: undefined, done: true };
      },
    };
  }

  /** An aborted reply ends without an error. */
  #drop(reason: unknown): void {
    this.#texts.end();
    this.#texts.drain();
    this.#events.end();
    this.#events.drain();
    this.#controller.abort(reason);
  }

  async #run(): Promise<void> {
    let spokenText = "";
    try {
      for await (const text of this.#texts) {
        if (isSpeakable(text)) await this.#speakText(text, spokenText);
        this.#push(this.#spoken.completeNext());
        spokenText += text;
      }
      this.#events.end();
    } catch (error) {
      if (!this.#controller.signal.aborted) this.#events.fail(error);
    } finally {
      this.#texts.end();
      for (const link of this.#links) link[Symbol.dispose]();
    }
  }

  async #speakText(text: string, spokenText: string): Promise<void> {
    const { speech, clock } = this.#options;
    const { signal } = this.#controller;
    const request = await speech.request(text, spokenText, signal);
    const beganMs = clock.now();
    const audioMs = this.#spoken.audioMs;
    this.#push([{ type: "usage", characters: text.length }]);
    try {
      await this.#receive(request);
    } catch (error) {
      const isFresh = this.#spoken.audioMs === audioMs && clock.now() - beganMs < RETRY_WITHIN_MS;
      if (signal.aborted || !isFresh || !mayPass(error)) throw error;
      await clock.sleep(Math.max(RETRY_AFTER_MS, retryAfterMs(error)), signal);
      await this.#receive(request);
    }
  }

  async #receive(request: SpeechRequest): Promise<void> {
    const { speech, clock } = this.#options;
    const { signal } = this.#controller;
    const response = await speech.http.request({
      method: "POST",
      ...request,
      clock,
      signal,
      headersTimeoutMs: HEADERS_TIMEOUT_MS,
    });
    try {
      if (response.status !== 200) throw await speech.failure(response, clock);
      await this.#read(response);
    } finally {
      // What was read to its end stays as it is.
      response.abort();
    }
  }

  async #read(response: HttpResponse): Promise<void> {
    const decoder = this.#options.speech.decoder();
    const beginsMs = this.#spoken.audioMs;
    this.#samples.reset();
    for (;;) {
      response.expectProgress(SILENCE_TIMEOUT_MS);
      const bytes = await response.read();
      if (bytes === undefined) break;
      for (const part of decoder.push(bytes)) this.#take(part, beginsMs);
    }
    for (const part of decoder.end()) this.#take(part, beginsMs);
  }

  #take({ bytes, times = [] }: SpeechPart, beginsMs: number): void {
    this.#push(this.#spoken.addTimes(times, beginsMs));
    const whole = bytes === undefined ? undefined : this.#samples.add(bytes);
    if (whole === undefined || whole.length === 0) return;
    const { format } = this.#options;
    this.#spoken.addAudio(audioDurationMs(format, whole.length));
    this.#push([{ type: "audio", frame: { format, bytes: whole } }]);
  }

  #push(events: readonly TtsEvent[]): void {
    for (const event of events) this.#events.push(event);
  }
}

function mayPass(error: unknown): boolean {
  return error instanceof ProviderError && error.retryable && retryAfterMs(error) <= MAX_RETRY_AFTER_MS;
}

function retryAfterMs(error: unknown): number {
  return error instanceof ProviderError ? (error.retryAfterMs ?? 0) : 0;
}
