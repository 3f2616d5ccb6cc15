import type { AudioFormat, AudioFrame } from "../core/audio-frame.js";
import { audioByteLength, bytesPerSample, describeFormat } from "../core/audio-frame.js";
import { ConfigError } from "../core/errors.js";
import { silenceByte } from "./g711.js";

/** Cuts a stream of bytes, in chunks of any size, into frames of one length. */
export class FrameCutter {
  readonly format: AudioFormat;
  /** Bytes of a whole frame. */
  readonly frameBytes: number;
  #partial: Uint8Array;
  #filled = 0;

  /** `frameMs` is rounded down to whole samples. Throws `ConfigError` when nothing is left of it. */
  constructor(format: AudioFormat, frameMs: number) {
    this.format = format;
    this.frameBytes = audioByteLength(format, frameMs);
    if (!(this.frameBytes > 0)) {
      throw new ConfigError(
        `A frame of ${frameMs} ms at ${describeFormat(format)} holds no sample: use a longer one, such as 20 ms.`,
      );
    }
    this.#partial = new Uint8Array(this.frameBytes);
  }

  /** Takes bytes; returns the frames that are complete, each with memory of its own. */
  push(bytes: Uint8Array): AudioFrame[] {
    const frames: AudioFrame[] = [];
    let from = 0;
    while (from < bytes.length) {
      const part = bytes.subarray(from, from + this.frameBytes - this.#filled);
      this.#partial.set(part, this.#filled);
      this.#filled += part.length;
      from += part.length;
      if (this.#filled === this.frameBytes) frames.push(this.#take(this.frameBytes));
    }
    return frames;
  }

  /**
   * Ends the stream: returns the samples left over, if any, and is ready for another stream. With `pad`
   * they are filled up with silence to a whole frame. Half a sample is dropped.
   */
  flush(pad: boolean): AudioFrame | undefined {
    const whole = this.#filled - (this.#filled % bytesPerSample(this.format.encoding));
    if (whole === 0) {
      this.#filled = 0;
      return undefined;
    }
    this.#partial.fill(silenceByte(this.format.encoding), whole);
    return this.#take(pad ? this.frameBytes : whole);
  }

  #take(byteLength: number): AudioFrame {
    const frame = { format: this.format, bytes: this.#partial.subarray(0, byteLength) };
    this.#partial = new Uint8Array(this.frameBytes);
    this.#filled = 0;
    return frame;
  }
}

/** A frame of silence, rounded down to whole samples. */
export function silence(format: AudioFormat, durationMs: number): AudioFrame {
  return { format, bytes: new Uint8Array(audioByteLength(format, durationMs)).fill(silenceByte(format.encoding)) };
}
