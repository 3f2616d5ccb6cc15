import { type AudioFrame, audioDurationMs } from "../core/audio-frame.js";

/** How much is kept at the most, in ms: the oldest goes first. */
const KEPT_MS = 10_000;

interface Kept {
  readonly frame: AudioFrame;
  readonly startMs: number;
  readonly endMs: number;
}

/** What a call has said of late, for the next socket when one is lost. Times are ms of audio since the stream was opened. */
export class RecentAudio {
  readonly #kept: Kept[] = [];
  #writtenMs = 0;

  /** Length of all audio so far. */
  get writtenMs(): number {
    return this.#writtenMs;
  }

  push(frame: AudioFrame): void {
    const startMs = this.#writtenMs;
    this.#writtenMs += audioDurationMs(frame.format, frame.bytes.length);
    this.#kept.push({ frame, startMs, endMs: this.#writtenMs });
    const [oldest] = this.#kept;
    if (oldest !== undefined && oldest.endMs <= this.#writtenMs - KEPT_MS) this.#kept.shift();
  }

  /** Forgets the frames that ended by then. */
  forget(beforeMs: number): void {
    const first = this.#kept.findIndex(({ endMs }) => endMs > beforeMs);
    if (first !== 0) this.#kept.splice(0, first < 0 ? this.#kept.length : first);
  }

  /** What is kept from that moment on, in whole frames, and where the first of them begins. */
  since(fromMs: number): { readonly startMs: number; readonly frames: readonly AudioFrame[] } {
    const kept = this.#kept.filter(({ endMs }) => endMs > fromMs);
    return { startMs: kept[0]?.startMs ?? this.#writtenMs, frames: kept.map(({ frame }) => frame) };
  }
}
