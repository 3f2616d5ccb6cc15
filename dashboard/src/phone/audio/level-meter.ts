const PERIOD_MS = 50;

/** Measures loudness: the root mean square, 0 to 1, of each 50 ms. */
export class LevelMeter {
  readonly #periodSamples: number;
  #sum = 0;
  #samples = 0;

  constructor(sampleRate: number) {
    this.#periodSamples = (sampleRate * PERIOD_MS) / 1000;
  }

  /** Takes samples; returns the level when a period is over. */
  add(samples: Float32Array): number | undefined {
    for (const sample of samples) this.#sum += sample * sample;
    this.#samples += samples.length;
    if (this.#samples < this.#periodSamples) return undefined;
    const level = Math.sqrt(this.#sum / this.#samples);
    this.#sum = 0;
    this.#samples = 0;
    return level;
  }
}
