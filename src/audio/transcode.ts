import type { AudioFormat, AudioFrame } from "../core/audio-frame.js";
import { describeFormat, sameFormat } from "../core/audio-frame.js";
import { ConfigError } from "../core/errors.js";
import { decodeFrame, encodeFrame } from "./pcm.js";
import { Resampler } from "./resample.js";

/**
 * Turns a stream of frames of one format into another. Equal formats pass the very same frame through.
 *
 * Where the rates differ, the output lags by `delayMs`: the first frames come out shorter, possibly empty,
 * and `flush` returns the rest.
 */
export class Transcoder {
  readonly from: AudioFormat;
  readonly to: AudioFormat;
  /** How far the output lags behind the input, in ms; 0 when the rates are equal. */
  readonly delayMs: number;
  readonly #isIdentity: boolean;
  readonly #resampler: Resampler;

  /** Throws `ConfigError` when the rates cannot be converted. */
  constructor(from: AudioFormat, to: AudioFormat) {
    this.from = from;
    this.to = to;
    this.#isIdentity = sameFormat(from, to);
    this.#resampler = new Resampler(from.sampleRate, to.sampleRate);
    this.delayMs = this.#resampler.delayMs;
  }

  /** The frame in the format `to`. Throws `ConfigError` when the frame is not in the format `from`. */
  process(frame: AudioFrame): AudioFrame {
    if (!sameFormat(frame.format, this.from)) {
      throw new ConfigError(
        `A frame of ${describeFormat(frame.format)} reached a transcoder from ${describeFormat(this.from)}: use one transcoder per format.`,
      );
    }
    if (this.#isIdentity) return frame;
    return encodeFrame(this.#resampler.process(decodeFrame(frame)), this.to);
  }

  /** Ends the stream: returns what was held back, if anything, and is ready for another stream. */
  flush(): AudioFrame | undefined {
    const rest = this.#resampler.flush();
    return rest.length === 0 ? undefined : encodeFrame(rest, this.to);
  }
}
