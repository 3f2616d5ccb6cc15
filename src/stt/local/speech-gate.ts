import { rmsDbfs } from "../../audio/level.js";
import { decodeFrame } from "../../audio/pcm.js";
import { type AudioFormat, audioDurationMs } from "../../core/audio-frame.js";

/** Kept before the sound that opens the gate, in ms. */
const BEFORE_MS = 300;
/** Let through after the last sound, in ms: enough for a recogniser that ends a segment by itself at a pause. */
const AFTER_MS = 600;
/** How much louder than the line's own noise a sound is, in dB. */
const ABOVE_NOISE_DB = 8;
/** Nothing quieter is a sound, in dBFS. */
const QUIETEST_DBFS = -55;
/** How fast the estimate of the noise follows a line that becomes louder, in dB per second; downwards it follows at once. */
const NOISE_RISE_DB = 1;

export type Gated =
  | { readonly type: "audio"; readonly bytes: Uint8Array }
  | { readonly type: "skipped"; readonly durationMs: number };

/**
 * Keeps long silences from a recogniser. Online models adapt to what they hear: seconds of an empty line before one word
 * make them misunderstand it, and they cost as much time as speech. In doubt, sound passes.
 */
export class SpeechGate {
  readonly #format: AudioFormat;
  #noiseDbfs = QUIETEST_DBFS - ABOVE_NOISE_DB;
  #isOpen = false;
  #quietMs = 0;
  #held: Uint8Array[] = [];
  #heldMs = 0;

  constructor(format: AudioFormat) {
    this.#format = format;
  }

  /** Takes a piece of audio, and returns what is to be recognised and what is left out, in order. */
  push(bytes: Uint8Array): Gated[] {
    const durationMs = audioDurationMs(this.#format, bytes.length);
    if (this.#isSound(bytes, durationMs)) {
      this.#quietMs = 0;
      this.#isOpen = true;
      return [...this.#release(), { type: "audio", bytes }];
    }
    this.#quietMs += durationMs;
    if (this.#isOpen && this.#quietMs <= AFTER_MS) return [{ type: "audio", bytes }];
    this.#isOpen = false;
    return this.#hold(bytes, durationMs);
  }

  #isSound(bytes: Uint8Array, durationMs: number): boolean {
    const level = rmsDbfs(decodeFrame({ format: this.#format, bytes }));
    const risen = this.#noiseDbfs + (NOISE_RISE_DB * durationMs) / 1000;
    this.#noiseDbfs = Math.min(level, risen);
    return level > Math.max(QUIETEST_DBFS, this.#noiseDbfs + ABOVE_NOISE_DB);
  }

  #hold(bytes: Uint8Array, durationMs: number): Gated[] {
    this.#held.push(bytes);
    this.#heldMs += durationMs;
    let skippedMs = 0;
    while (this.#heldMs > BEFORE_MS) {
      const droppedMs = audioDurationMs(this.#format, (this.#held.shift() as Uint8Array).length);
      this.#heldMs -= droppedMs;
      skippedMs += droppedMs;
    }
    return skippedMs > 0 ? [{ type: "skipped", durationMs: skippedMs }] : [];
  }

  #release(): Gated[] {
    const held = this.#held.map((bytes): Gated => ({ type: "audio", bytes }));
    this.#held = [];
    this.#heldMs = 0;
    return held;
  }
}
