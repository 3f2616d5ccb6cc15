import { silence } from "../audio/frames.js";
import { decodeFrame } from "../audio/pcm.js";
import { type AudioFormat, type AudioFrame, audioDurationMs } from "../core/audio-frame.js";
import type { CallControl } from "../core/carrier.js";
import type { Clock } from "../core/clock.js";
import { AsyncQueue } from "../core/queue.js";
import type { Transport, TransportCloseReason, TransportEvent } from "../core/transport.js";

const FRAME_MS = 20;

/** A moment in which audio that was begun had run out before it went on. Times are ms on the line's clock. */
export interface PlayoutGap {
  readonly startMs: number;
  readonly durationMs: number;
}

export interface WavLineOptions {
  readonly format: AudioFormat;
  readonly clock: Clock;
  /** Asked every 20 ms for the caller's voice. */
  readonly caller: (nowMs: number) => Uint8Array | "hang_up" | undefined;
}

interface Sent {
  readonly bytes: Uint8Array;
  readonly arrivedMs: number;
  offset: number;
}

/**
 * A telephone line without a telephone: plays what the agent sends, 20 ms at a time on a clock, reports marks when
 * the audio before them has been played, and records both sides. The recordings are aligned: the same sample of both
 * channels is the same moment, the agent's as it is heard, the caller's as it is spoken.
 */
export class WavLine implements Transport, CallControl {
  readonly format: AudioFormat;
  readonly playout = "marks";
  readonly received = new AsyncQueue<TransportEvent>();
  readonly #options: WavLineOptions;
  readonly #startMs: number;
  readonly #heard: Uint8Array[] = [];
  readonly #spoken: Uint8Array[] = [];
  readonly #gaps: PlayoutGap[] = [];
  readonly #silence: Uint8Array;
  #out: (Sent | string)[] = [];
  #dryMs: number | undefined;
  #frames = 0;
  #timer: Disposable | undefined;
  #closed = false;

  constructor(options: WavLineOptions) {
    this.#options = options;
    this.format = options.format;
    this.#startMs = options.clock.now();
    this.#silence = silence(options.format, FRAME_MS).bytes;
    this.#tick();
  }

  /** Ms since the line was opened. */
  get nowMs(): number {
    return this.#options.clock.now() - this.#startMs;
  }

  get gaps(): readonly PlayoutGap[] {
    return this.#gaps;
  }

  /** What was recorded so far, in samples of the line's rate. */
  recording(): { readonly caller: Int16Array; readonly agent: Int16Array } {
    const channel = (frames: readonly Uint8Array[]): Int16Array =>
      decodeFrame({ format: this.format, bytes: Buffer.concat(frames) });
    return { caller: channel(this.#spoken), agent: channel(this.#heard) };
  }

  send(frame: AudioFrame): void {
    if (!this.#closed) this.#out.push({ bytes: frame.bytes, arrivedMs: this.nowMs, offset: 0 });
  }

  mark(name: string): void {
    if (!this.#closed) this.#out.push(name);
  }

  clear(): void {
    const marks = this.#out.filter((item) => typeof item === "string");
    this.#out = [];
    this.#dryMs = undefined;
    for (const name of marks) this.received.push({ type: "mark", name });
  }

  async hangUp(): Promise<void> {
    this.#close("local");
  }

  /** Resolves: who listens to a recording is told by the call's events. */
  async transfer(): Promise<void> {}

  /** The same. */
  async sendDtmf(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close("local");
  }

  #close(reason: TransportCloseReason): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.[Symbol.dispose]();
    this.received.push({ type: "closed", reason });
    this.received.end();
  }

  /** Runs every frame that is due: a late timer loses none. */
  #tick(): void {
    while (!this.#closed && this.#frames * FRAME_MS <= this.nowMs) this.#frame(this.#frames++ * FRAME_MS);
    if (this.#closed) return;
    this.#timer = this.#options.clock.setTimer(this.#frames * FRAME_MS - this.nowMs, () => this.#tick());
  }

  /** What happens at a frame's boundary: what was spoken in the last 20 ms arrives, what is heard in the next begins. */
  #frame(nowMs: number): void {
    if (nowMs > 0) this.#listen(nowMs);
    if (this.#closed) return;
    this.#reportMarks();
    this.#heard.push(this.#play(nowMs));
  }

  #listen(nowMs: number): void {
    const voice = this.#options.caller(nowMs);
    if (voice === "hang_up") {
      this.#spoken.push(this.#silence);
      this.#close("caller");
      return;
    }
    const bytes = voice ?? this.#silence;
    this.#spoken.push(bytes);
    this.received.push({ type: "audio", frame: { format: this.format, bytes } });
  }

  #play(nowMs: number): Uint8Array {
    const frame = this.#silence.slice();
    let filled = 0;
    for (let item = this.#next(nowMs); item !== undefined && filled < frame.length; item = this.#next(nowMs)) {
      this.#endGap(nowMs);
      const part = item.bytes.subarray(item.offset, item.offset + frame.length - filled);
      frame.set(part, filled);
      filled += part.length;
      item.offset += part.length;
      if (item.offset === item.bytes.length) this.#out.shift();
      // A mark at the end of the frame has not been played yet.
      if (filled < frame.length) this.#reportMarks();
    }
    if (filled > 0 && this.#next(nowMs) === undefined) this.#dryMs = nowMs + audioDurationMs(this.format, filled);
    return frame;
  }

  /** The audio to play next, if it was here in time. */
  #next(nowMs: number): Sent | undefined {
    const item = this.#out.find((candidate) => typeof candidate !== "string");
    return item !== undefined && item.arrivedMs <= nowMs ? item : undefined;
  }

  #endGap(nowMs: number): void {
    if (this.#dryMs !== undefined && nowMs > this.#dryMs)
      this.#gaps.push({ startMs: this.#dryMs, durationMs: nowMs - this.#dryMs });
    this.#dryMs = undefined;
  }

  #reportMarks(): void {
    while (typeof this.#out[0] === "string") this.received.push({ type: "mark", name: this.#out.shift() as string });
  }
}
