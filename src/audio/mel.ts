import { Fft } from "./fft.js";

/** Samples of a frame: 25 ms at 16 kHz. */
export const MEL_FRAME = 400;
/** Samples from one frame to the next: 10 ms at 16 kHz. */
export const MEL_HOP = 160;

const SAMPLE_RATE = 16_000;
const FFT_SIZE = 512;
const LOWEST_HZ = 20;
const HIGHEST_HZ = 8000;
const BANDS = 23;
const PRE_EMPHASIS = 0.97;

/**
 * Log energies of mel bands, in nepers of power, as speech recognisers compute them: 23 triangular bands
 * from 20 to 8000 Hz over frames of 25 ms at 16 kHz, with pre-emphasis and a window between Hann and Hamming.
 */
export class MelBands {
  readonly #fft = new Fft(FFT_SIZE);
  readonly #real = new Float64Array(FFT_SIZE);
  readonly #imaginary = new Float64Array(FFT_SIZE);
  readonly #window = Float64Array.from(
    { length: MEL_FRAME },
    (_, i) => (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / (MEL_FRAME - 1))) ** 0.85,
  );
  readonly #bands: readonly MelBand[];

  /** Computes the lowest `count` bands, at most 23. */
  constructor(count: number) {
    this.#bands = Array.from({ length: count }, (_, index) => melBand(index));
  }

  /** Writes the log energies of the frame that starts at `from` to `energies`, from `to` on. */
  compute(samples: Float64Array, from: number, energies: Float64Array, to: number): void {
    const real = this.#real;
    const imaginary = this.#imaginary;
    let mean = 0;
    for (let i = 0; i < MEL_FRAME; i++) mean += samples[from + i]!;
    mean /= MEL_FRAME;
    let previous = samples[from]! - mean;
    for (let i = 0; i < MEL_FRAME; i++) {
      const sample = samples[from + i]! - mean;
      real[i] = (sample - PRE_EMPHASIS * previous) * this.#window[i]!;
      previous = sample;
    }
    real.fill(0, MEL_FRAME);
    imaginary.fill(0);
    this.#fft.transform(real, imaginary);
    this.#bands.forEach(({ firstBin, weights }, index) => {
      let energy = 0;
      for (let i = 0; i < weights.length; i++) {
        const bin = firstBin + i;
        energy += weights[i]! * (real[bin]! ** 2 + imaginary[bin]! ** 2);
      }
      energies[to + index] = Math.log(Math.max(energy, 1));
    });
  }
}

interface MelBand {
  readonly firstBin: number;
  readonly weights: Float64Array;
}

function melBand(index: number): MelBand {
  const position = (bin: number) => melBandPosition((bin * SAMPLE_RATE) / FFT_SIZE) - index;
  const bins = Array.from({ length: FFT_SIZE / 2 }, (_, bin) => bin).filter((bin) => Math.abs(position(bin)) < 1);
  return { firstBin: bins[0] ?? 0, weights: Float64Array.from(bins, (bin) => 1 - Math.abs(position(bin))) };
}

/** Where a frequency lies among the bands: `n` at the centre of band `n`, between two centres in proportion. */
export function melBandPosition(hz: number): number {
  const lowest = mel(LOWEST_HZ);
  const spacing = (mel(HIGHEST_HZ) - lowest) / (BANDS + 1);
  return (mel(hz) - lowest) / spacing - 1;
}

function mel(hz: number): number {
  return 1127 * Math.log(1 + hz / 700);
}
