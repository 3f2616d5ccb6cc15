import { encodeMulaw } from "../../../../src/audio/g711.js";
import { bytesOf } from "../../../../src/audio/pcm.js";
import { Resampler } from "../../../../src/audio/resample.js";
import type { AudioFormat } from "../../../../src/core/audio-frame.js";

const FRAME_MS = 20;

/** Turns what a microphone delivers into frames of 20 ms in the format of the wire. */
export class CaptureFramer {
  readonly #resampler: Resampler;
  readonly #encoding: AudioFormat["encoding"];
  readonly #frame: Int16Array;
  #filled = 0;

  constructor(deviceRate: number, format: AudioFormat) {
    this.#resampler = new Resampler(deviceRate, format.sampleRate);
    this.#encoding = format.encoding;
    this.#frame = new Int16Array((format.sampleRate * FRAME_MS) / 1000);
  }

  /** Takes samples from -1 to 1; calls `onFrame` with the bytes of each frame that is complete. */
  process(samples: Float32Array, onFrame: (bytes: Uint8Array) => void): void {
    const resampled = this.#resampler.process(toInt16(samples));
    for (let taken = 0; taken < resampled.length; ) {
      const part = resampled.subarray(taken, taken + this.#frame.length - this.#filled);
      this.#frame.set(part, this.#filled);
      this.#filled += part.length;
      taken += part.length;
      if (this.#filled < this.#frame.length) return;
      this.#filled = 0;
      onFrame(this.#encoding === "mulaw" ? encodeMulaw(this.#frame) : bytesOf(this.#frame.slice()));
    }
  }
}

function toInt16(samples: Float32Array): Int16Array {
  const converted = new Int16Array(samples.length);
  for (let i = 0; i < samples.length; i++) {
    converted[i] = Math.round(Math.max(-1, Math.min(1, samples[i] as number)) * 32_767);
  }
  return converted;
}
