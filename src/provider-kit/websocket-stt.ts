import { type AudioFrame, audioDurationMs } from "../core/audio-frame.js";
import { ProviderError } from "../core/errors.js";
import { AsyncQueue } from "../core/queue.js";
import { onAbort } from "../core/signals.js";
import type { SttEvent, SttOpenOptions, SttStream } from "../core/stt.js";
import type { SocketClose, VendorSocket } from "./websocket.js";
import { RecentAudio } from "./websocket-stt-audio.js";
import { type RecognisedWords, ReportedWords } from "./websocket-stt-words.js";

/** How much of what was recognised last is sent again over a new socket, in ms: a word may have been cut in two. */
const REPLAY_MS = 1000;
/** How often in a row a socket may fail, without anything recognised between, before the stream fails. */
const RECONNECTS = 3;
/** How long the second and the third are waited for, in ms, times the failures before. */
const RECONNECT_DELAY_MS = 250;
/** How long the vendor may take to answer `finalize()`. */
const FINALIZE_TIMEOUT_MS = 800;
/** How far a vendor's count of the audio may lie behind ours when it answers `finalize()`, in ms. */
const FINALIZE_TOLERANCE_MS = 100;
/** Audio whose usage is reported without a final between, in ms. */
const USAGE_MS = 5000;

/** What a vendor's message says. Times are ms of audio since its socket was opened. */
export type SttReading =
  | ({
      readonly type: "words";
      readonly isFinal: boolean;
      /** Up to where the audio has been recognised. */
      readonly untilMs: number;
      /** Whether the vendor says that it answers a request to finalize. */
      readonly answersFinalize?: boolean;
    } & RecognisedWords)
  | { readonly type: "speech_start"; readonly audioMs: number }
  | { readonly type: "turn_end"; readonly reason: string }
  | { readonly type: "eager_turn_end" | "turn_resumed"; readonly transcript: string };

/** How a vendor recognises speech over a socket, for one call. */
export interface SttProtocol {
  /** Opens a socket; rejects with a `ProviderError`. */
  connect(signal: AbortSignal): Promise<VendorSocket>;
  /** Gives the reader of one socket's messages. It throws a `ProviderError` for one that reports a failure. */
  reader(): (message: string | Uint8Array) => Iterable<SttReading>;
  /** The error for a socket that the vendor closed. */
  closedError(close: SocketClose): ProviderError;
  /** Asks for final words. Without it, what is recognised by then counts as final. */
  readonly finalizeMessage?: string;
  /** Sent behind the last audio. */
  readonly closeMessage?: string;
  /** Sent after `afterMs` without audio: a message, or audio that stands for silence. */
  readonly keepAlive?: { readonly afterMs: number; readonly message: string | AudioFrame };
}

/**
 * One call's recognition over a vendor's sockets, one after the other: when one is lost, the next is given the last second
 * that was recognised and all that was not, and times go on. The first socket is opened at once; if that fails,
 * the stream fails. `finalize()` is answered within 800 ms, by what is known by then if the vendor does not.
 *
 * Audio that comes while no socket is open waits, 10 s of it at the most. Each frame is written once, as it is.
 */
export class WebSocketSttStream implements SttStream {
  readonly #protocol: SttProtocol;
  readonly #options: SttOpenOptions;
  readonly #events = new AsyncQueue<SttEvent>();
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  readonly #audio = new RecentAudio();
  readonly #words = new ReportedWords((event) => this.#report(event));
  #requests: FinalizeRequest[] = [];
  #socket: VendorSocket | undefined;
  /** The stream's time at which the open socket's audio began. */
  #originMs = 0;
  /** Up to where the audio has been recognised, and up to where for good. */
  #recognisedMs = 0;
  #doneMs = 0;
  #hasConnected = false;
  /** Whether a socket was lost whose words have not been looked through. */
  #wasOpen = false;
  /** In a row, since something was recognised. */
  #failures = 0;
  #sentAtMs = 0;
  #unreportedMs = 0;
  #keepAliveTimer: Disposable | undefined;

  constructor(protocol: SttProtocol, options: SttOpenOptions) {
    this.#protocol = protocol;
    this.#options = options;
    const link = onAbort(options.signal, () => this.#close());
    this.#running = this.#run().finally(() => link[Symbol.dispose]());
  }

  write(frame: AudioFrame): void {
    if (this.#closing.signal.aborted || frame.bytes.length === 0) return;
    this.#audio.push(frame);
    if (this.#socket !== undefined) this.#send(this.#socket, frame);
  }

  finalize(): void {
    if (this.#events.ended || this.#closing.signal.aborted) return;
    const atMs = this.#audio.writtenMs;
    if (atMs <= this.#doneMs) {
      this.#words.settle(1);
      return;
    }
    const timer = this.#options.clock.setTimer(FINALIZE_TIMEOUT_MS, () => {
      this.#requests = this.#requests.filter((other) => other !== request);
      this.#words.settle(1);
    });
    const request: FinalizeRequest = { atMs, timer };
    this.#requests.push(request);
    if (this.#protocol.finalizeMessage !== undefined) this.#socket?.send(this.#protocol.finalizeMessage);
  }

  [Symbol.asyncIterator](): AsyncIterator<SttEvent> {
    return this.#events[Symbol.asyncIterator]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
    await this.#running;
  }

  #close(): void {
    if (this.#closing.signal.aborted) return;
    if (this.#protocol.closeMessage !== undefined) this.#socket?.send(this.#protocol.closeMessage);
    this.#reportUsage();
    this.#closing.abort();
  }

  async #run(): Promise<void> {
    try {
      for (;;) await this.#connected().catch((error: unknown) => this.#recover(error));
    } catch (error) {
      if (this.#closing.signal.aborted) this.#events.end();
      else this.#events.fail(error);
    } finally {
      for (const { timer } of this.#requests) timer[Symbol.dispose]();
      this.#requests = [];
    }
  }

  /** Opens a socket and reads it until it is lost. */
  async #connected(): Promise<never> {
    await using socket = await this.#protocol.connect(this.#closing.signal);
    const read = this.#protocol.reader();
    this.#begin(socket);
    try {
      for await (const message of socket.messages) for (const reading of read(message)) this.#take(reading);
    } finally {
      this.#socket = undefined;
      this.#keepAliveTimer?.[Symbol.dispose]();
    }
    this.#closing.signal.throwIfAborted();
    throw this.#protocol.closedError(socket.closed ?? { code: 1005, reason: "" });
  }

  #begin(socket: VendorSocket): void {
    const { startMs, frames } = this.#audio.since(this.#recognisedMs);
    this.#originMs = startMs;
    this.#socket = socket;
    for (const frame of frames) this.#send(socket, frame);
    const { finalizeMessage } = this.#protocol;
    if (finalizeMessage !== undefined) for (const _ of this.#requests) socket.send(finalizeMessage);
    this.#sentAtMs = this.#options.clock.now();
    this.#awaitSilence();
    this.#hasConnected = true;
    this.#wasOpen = true;
  }

  /** Prepares the next socket, or gives up. */
  async #recover(error: unknown): Promise<void> {
    this.#closing.signal.throwIfAborted();
    const retryable = error instanceof ProviderError && error.retryable;
    if (!retryable || !this.#hasConnected || this.#failures >= RECONNECTS) {
      this.#words.settle(0);
      throw error;
    }
    if (this.#wasOpen) this.#recognisedMs = this.#words.settleBefore(this.#recognisedMs - REPLAY_MS);
    this.#wasOpen = false;
    await this.#options.clock.sleep(RECONNECT_DELAY_MS * this.#failures, this.#closing.signal);
    this.#failures++;
  }

  #take(reading: SttReading): void {
    this.#failures = 0;
    switch (reading.type) {
      case "words":
        this.#takeWords(reading);
        return;
      case "speech_start":
        this.#report({ type: "speech_start", audioMs: reading.audioMs + this.#originMs });
        return;
      case "turn_end":
      case "eager_turn_end":
      case "turn_resumed":
        this.#report(reading);
        return;
    }
  }

  #takeWords({
    type: _,
    isFinal,
    untilMs,
    answersFinalize = false,
    ...recognised
  }: Extract<SttReading, { type: "words" }>): void {
    const originMs = this.#originMs;
    this.#recognisedMs = untilMs + originMs;
    // A word that is being spoken may have begun a while before.
    this.#audio.forget(this.#recognisedMs - 2 * REPLAY_MS);
    const words = recognised.words.map((word) => ({
      ...word,
      startMs: word.startMs + originMs,
      endMs: word.endMs + originMs,
    }));
    const shifted = { ...recognised, words };
    const canAnswer = isFinal || this.#protocol.finalizeMessage === undefined;
    const answered = canAnswer ? this.#answer(this.#recognisedMs + (answersFinalize ? FINALIZE_TOLERANCE_MS : 0)) : 0;
    if (!isFinal && answered === 0) {
      this.#words.partial(shifted);
      return;
    }
    this.#words.final(shifted, answered);
    this.#doneMs = this.#recognisedMs;
    this.#reportUsage();
  }

  /** Takes out the requests for what was written up to then, and says how many. */
  #answer(untilMs: number): number {
    const answered = this.#requests.filter(({ atMs }) => atMs <= untilMs);
    for (const { timer } of answered) timer[Symbol.dispose]();
    this.#requests = this.#requests.slice(answered.length);
    return answered.length;
  }

  #send(socket: VendorSocket, { format, bytes }: AudioFrame): void {
    socket.send(bytes);
    this.#sentAtMs = this.#options.clock.now();
    this.#unreportedMs += audioDurationMs(format, bytes.length);
    if (this.#unreportedMs >= USAGE_MS) this.#reportUsage();
  }

  /** Keeps the socket alive while no audio comes. */
  #awaitSilence(): void {
    const { keepAlive } = this.#protocol;
    const { clock } = this.#options;
    if (keepAlive === undefined) return;
    const dueMs = this.#sentAtMs + keepAlive.afterMs;
    this.#keepAliveTimer = clock.setTimer(dueMs - clock.now(), () => {
      if (this.#socket !== undefined && clock.now() >= this.#sentAtMs + keepAlive.afterMs)
        this.#keepAlive(this.#socket, keepAlive.message);
      this.#awaitSilence();
    });
  }

  #keepAlive(socket: VendorSocket, message: string | AudioFrame): void {
    this.#sentAtMs = this.#options.clock.now();
    if (typeof message === "string") {
      socket.send(message);
      return;
    }
    this.#send(socket, message);
    // The vendor counts it as audio; the call has not heard it.
    this.#originMs -= audioDurationMs(message.format, message.bytes.length);
  }

  #report(event: SttEvent): void {
    this.#events.push(event);
  }

  /** The audio sent since the last report, that which was sent again included: the vendor bills both. */
  #reportUsage(): void {
    if (this.#unreportedMs > 0) this.#report({ type: "usage", audioMs: this.#unreportedMs });
    this.#unreportedMs = 0;
  }
}

interface FinalizeRequest {
  /** The audio written when it was made. */
  readonly atMs: number;
  readonly timer: Disposable;
}
