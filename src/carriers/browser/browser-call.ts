import { type AudioFormat, type AudioFrame, audioByteLength, audioDurationMs, bytesPerSample } from "../../core/audio-frame.js";
import type { CallEndReason, CallEvent } from "../../core/call-event.js";
import type { CallControl, MediaSocket } from "../../core/carrier.js";
import type { Clock } from "../../core/clock.js";
import { CarrierError } from "../../core/errors.js";
import { AsyncQueue } from "../../core/queue.js";
import type { Transport, TransportCloseReason, TransportEvent } from "../../core/transport.js";
import { MAX_BAD_FRAMES, MAX_FRAME_MS, type PageMessage, pageEvent, parsePageMessage, type ServerMessage } from "./protocol.js";

/** How long a page has for microphone and speaker, in ms. */
const READY_TIMEOUT_MS = 15_000;
/** Events waiting for the call; the oldest go first. At 20 ms a frame, 20 s. */
const RECEIVED_CAPACITY = 1000;
/** How far the microphone's audio may run ahead of time, in ms: what a stalled network delivers at once. */
const MAX_BURST_MS = 10_000;
/** Unsent audio at which the page counts as gone, in ms. */
const MAX_UNSENT_MS = 60_000;

export interface BrowserCallOptions {
  readonly callId: string;
  readonly socket: MediaSocket;
  readonly format: AudioFormat;
  readonly clock: Clock;
  /** The page's microphone and speaker run. */
  readonly onReady: (parameters: Readonly<Record<string, string>>) => void;
}

/** One call of a page: its media leg, and what can be done to it. Speaks the protocol of `protocol.ts`. */
export class BrowserCall implements Transport, CallControl {
  readonly format: AudioFormat;
  readonly playout = "marks";
  readonly #options: BrowserCallOptions;
  readonly #received = new AsyncQueue<TransportEvent>({ capacity: RECEIVED_CAPACITY });
  #state: "waiting" | "connected" | "ended" = "waiting";
  #badFrames = 0;
  /** A leaky bucket: audio that came faster than time, in ms, as of `#burstAtMs`. */
  #burstMs = 0;
  #burstAtMs = 0;

  constructor(options: BrowserCallOptions) {
    this.#options = options;
    this.format = options.format;
  }

  get received(): AsyncIterable<TransportEvent> {
    return this.#received;
  }

  /** Frames that were no message, or audio that could not be. */
  get badFrames(): number {
    return this.#badFrames;
  }

  /** Speaks with the page until the call ends. */
  async run(): Promise<void> {
    const { socket, clock, callId, format } = this.#options;
    this.#post({ type: "start", callId, format });
    const timeout = clock.setTimer(READY_TIMEOUT_MS, () => {
      if (this.#state === "waiting") this.#end("lost", 1008, "not ready in time");
    });
    try {
      for await (const message of socket.messages) {
        if (!(typeof message === "string" ? this.#take(parsePageMessage(message)) : this.#takeAudio(message)))
          this.#countBadFrame();
      }
    } finally {
      timeout[Symbol.dispose]();
      this.#end("lost", 1000, "");
    }
  }

  send(frame: AudioFrame): void {
    const { socket, format } = this.#options;
    if (this.#state === "ended") return;
    socket.send(frame.bytes);
    if (socket.bufferedBytes > audioByteLength(format, MAX_UNSENT_MS)) this.#end("lost", 1013, "the page does not read");
  }

  mark(name: string): void {
    this.#post({ type: "mark", name });
  }

  clear(): void {
    this.#post({ type: "clear" });
  }

  /** Tells the page, and ends the call. */
  hangUp(reason?: CallEndReason): Promise<void> {
    this.#post({ type: "hang_up", ...(reason === undefined ? {} : { reason }) });
    this.#end("local", 1000, "hung up");
    return Promise.resolve();
  }

  /** Always rejects: a page has no other number to go to. */
  transfer(to: string): Promise<void> {
    return Promise.reject(
      new CarrierError(`A browser call cannot be transferred to ${to}: only a telephone carrier, such as Twilio, can transfer.`),
    );
  }

  /** The page plays the tones; `w` is half a second of pause. */
  sendDtmf(digits: string): Promise<void> {
    if (!/^[0-9*#A-Dw]+$/.test(digits)) {
      return Promise.reject(new CarrierError(`"${digits}" cannot be sent as DTMF: use 0-9 * # A-D, and w for a pause.`));
    }
    if (this.#state === "ended") return Promise.reject(new CarrierError(`DTMF ${digits} was not sent: the call has ended.`));
    this.#post({ type: "dtmf", digits });
    return Promise.resolve();
  }

  notify(event: CallEvent): void {
    const shown = pageEvent(event);
    if (shown !== undefined) this.#post({ type: "event", event: shown });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.hangUp();
  }

  #take(message: PageMessage | undefined): boolean {
    if (message?.type === "hang_up") {
      this.#end("caller", 1000, "hung up");
      return true;
    }
    if (message?.type === "ready" && this.#state === "waiting") {
      this.#state = "connected";
      this.#burstAtMs = this.#options.clock.now();
      this.#options.onReady(message.parameters);
      return true;
    }
    if (this.#state === "ended") return true;
    if (this.#state === "waiting" || message === undefined || message.type === "ready") return false;
    this.#received.push(message);
    return true;
  }

  /** Says whether the bytes can be live audio: whole samples, of a sane length, no faster than time. */
  #takeAudio(bytes: Uint8Array): boolean {
    if (this.#state === "ended") return true;
    const durationMs = audioDurationMs(this.format, bytes.length);
    if (this.#state === "waiting" || bytes.length === 0 || durationMs > MAX_FRAME_MS) return false;
    if (bytes.length % bytesPerSample(this.format.encoding) !== 0) return false;
    const nowMs = this.#options.clock.now();
    const burstMs = Math.max(0, this.#burstMs - (nowMs - this.#burstAtMs)) + durationMs;
    if (burstMs > MAX_BURST_MS) return false;
    this.#burstMs = burstMs;
    this.#burstAtMs = nowMs;
    this.#received.push({ type: "audio", frame: { format: this.format, bytes } });
    return true;
  }

  #countBadFrame(): void {
    this.#badFrames++;
    if (this.#badFrames >= MAX_BAD_FRAMES) this.#end("lost", 1008, "too many frames that are no messages");
  }

  #post(message: ServerMessage): void {
    if (this.#state !== "ended") this.#options.socket.send(JSON.stringify(message));
  }

  #end(reason: TransportCloseReason, code: number, text: string): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#received.push({ type: "closed", reason });
    this.#received.end();
    this.#options.socket.close(code, text);
  }
}
