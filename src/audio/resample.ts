import { ConfigError } from "../core/errors.js";

/** Taps on each side of the centre, in samples of the lower of the two rates: 3 ms at 8 kHz. */
const HALF_WIDTH = 24;
/** Shape of the Kaiser window: side lobes under -80 dB. */
const KAISER_BETA = 8;
/** The -6 dB point, as a share of the lower Nyquist frequency: 3760 Hz when one side is 8 kHz. */
const CUTOFF = 0.94;
const MAX_PHASES = 2048;
const BLOCK_SAMPLES = 2048;

/**
 * Changes the sample rate of a stream: a polyphase windowed-sinc filter for any ratio of integer rates.
 *
 * The output is aligned with the input in time and does not depend on how the input is cut into chunks:
 * `process` holds back what still needs later samples (`delayMs` of it) and `flush` returns that rest. In
 * all, `ceil(inputSamples * toRate / fromRate)` samples come out. With 8 kHz on one side it is flat to
 * 3.3 kHz and 75 dB down from 4.2 kHz. Equal rates pass the very same array through.
 *
 * Each instance computes its own filter: between 8 and 16 kHz that is 96 coefficients, less than a shared
 * table costs in care.
 */
export class Resampler {
  /** How far the output lags behind the input, in ms; 0 when the rates are equal. */
  readonly delayMs: number;
  readonly #up: number;
  readonly #down: number;
  readonly #half: number;
  /** One filter of `2 * half` taps per phase, one after the other. */
  readonly #filters: Float64Array;
  /** The samples from the next output's first tap on. */
  readonly #window: Float64Array;
  #filled = 0;
  /** Where the next output lies between two input samples, in units of `1 / up`. */
  #phase = 0;

  /** Rates are in Hz. Throws `ConfigError` when one is no positive integer, or the ratio is impractical. */
  constructor(fromRate: number, toRate: number) {
    const divisor = greatestCommonDivisor(checkedRate(fromRate), checkedRate(toRate));
    this.#up = toRate / divisor;
    this.#down = fromRate / divisor;
    if (this.#up > MAX_PHASES || this.#down > MAX_PHASES) {
      throw new ConfigError(
        `Cannot resample ${fromRate} Hz to ${toRate} Hz: the ratio ${this.#up}/${this.#down} is too fine. Use a usual rate, such as 8000, 16000, 22050, 24000, 44100 or 48000 Hz.`,
      );
    }
    const isIdentity = fromRate === toRate;
    // Even, so that the taps come in groups of four.
    this.#half = isIdentity ? 0 : 2 * Math.ceil((HALF_WIDTH * Math.max(1, this.#down / this.#up)) / 2);
    this.#filters = isIdentity ? new Float64Array(0) : designFilters(this.#up, this.#down, this.#half);
    this.#window = new Float64Array(isIdentity ? 0 : 2 * this.#half + BLOCK_SAMPLES);
    this.delayMs = (this.#half / fromRate) * 1000;
    this.reset();
  }

  /** Takes samples at `fromRate`; returns the samples at `toRate` that are complete, possibly none. */
  process(samples: Int16Array): Int16Array {
    if (this.#half === 0) return samples;
    const available = this.#filled + samples.length - (2 * this.#half - 1);
    const output = new Int16Array(Math.max(0, Math.ceil((available * this.#up - this.#phase) / this.#down)));
    let written = 0;
    for (let from = 0; from < samples.length; from += BLOCK_SAMPLES) {
      written = this.#filter(samples.subarray(from, from + BLOCK_SAMPLES), output, written);
    }
    return output;
  }

  /** Ends the stream: returns what was held back, and is ready for another stream. */
  flush(): Int16Array {
    const rest = this.process(new Int16Array(this.#half));
    this.reset();
    return rest;
  }

  /** Forgets the stream so far. */
  reset(): void {
    this.#phase = 0;
    this.#filled = Math.max(0, this.#half - 1);
    this.#window.fill(0, 0, this.#filled);
  }

  #filter(block: Int16Array, output: Int16Array, from: number): number {
    const window = this.#window;
    const filters = this.#filters;
    const taps = 2 * this.#half;
    window.set(block, this.#filled);
    const filled = this.#filled + block.length;
    let written = from;
    let start = 0;
    let phase = this.#phase;
    while (start + taps <= filled) {
      const filter = phase * taps;
      // Four sums, so that the additions need not wait for one another.
      let a = 0;
      let b = 0;
      let c = 0;
      let d = 0;
      for (let k = 0; k < taps; k += 4) {
        a += window[start + k]! * filters[filter + k]!;
        b += window[start + k + 1]! * filters[filter + k + 1]!;
        c += window[start + k + 2]! * filters[filter + k + 2]!;
        d += window[start + k + 3]! * filters[filter + k + 3]!;
      }
      const value = Math.round(a + b + (c + d));
      output[written++] = value > 32_767 ? 32_767 : value < -32_768 ? -32_768 : value;
      phase += this.#down;
      while (phase >= this.#up) {
        phase -= this.#up;
        start++;
      }
    }
    window.copyWithin(0, start, filled);
    this.#filled = filled - start;
    this.#phase = phase;
    return written;
  }
}

/** Kaiser-windowed sinc filters, one per phase, each with a gain of exactly 1 at 0 Hz. */
function designFilters(up: number, down: number, half: number): Float64Array {
  const taps = 2 * half;
  const filters = new Float64Array(up * taps);
  const bandwidth = CUTOFF * Math.min(1, up / down);
  for (let phase = 0; phase < up; phase++) {
    const filter = filters.subarray(phase * taps, (phase + 1) * taps);
    let sum = 0;
    for (let k = 0; k < taps; k++) {
      const distance = k - (half - 1) - phase / up;
      const inWindow = 1 - (distance / half) ** 2;
      const window = inWindow <= 0 ? 0 : besselI0(KAISER_BETA * Math.sqrt(inWindow));
      const coefficient = sinc(bandwidth * distance) * window;
      filter[k] = coefficient;
      sum += coefficient;
    }
    for (let k = 0; k < taps; k++) filter[k] = filter[k]! / sum;
  }
  return filters;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** The modified Bessel function of the first kind and order zero, by its power series. */
function besselI0(x: number): number {
  let sum = 1;
  let term = 1;
  for (let n = 1; term > sum * 1e-10; n++) {
    term *= (x / (2 * n)) ** 2;
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

function checkedRate(rate: number): number {
  if (Number.isInteger(rate) && rate > 0) return rate;
  throw new ConfigError(`A sample rate must be a positive whole number of Hz, not ${rate}.`);
}
