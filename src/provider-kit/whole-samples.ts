import { type AudioFormat, bytesPerSample } from "../core/audio-frame.js";

/** Audio that comes in pieces cut anywhere, also within a sample, as pieces of whole samples. */
export class WholeSamples {
  readonly #sampleBytes: number;
  /** The first byte of a sample whose second is still to come. */
  #half: Uint8Array | undefined;

  constructor(format: AudioFormat) {
    this.#sampleBytes = bytesPerSample(format.encoding);
  }

  /** The samples that are complete with these bytes; not a copy where nothing has to be joined. */
  add(bytes: Uint8Array): Uint8Array {
    if (this.#sampleBytes === 1) return bytes;
    const joined = this.#half === undefined ? bytes : Buffer.concat([this.#half, bytes]);
    const even = joined.length - (joined.length % 2);
    this.#half = even === joined.length ? undefined : joined.subarray(even);
    return joined.subarray(0, even);
  }

  /** What comes next is a stream of its own. */
  reset(): void {
    this.#half = undefined;
  }
}
