import { ConfigError } from "../core/errors.js";
import { Fft } from "./fft.js";
import { MEL_FRAME, MEL_HOP, MelBands, melBandPosition } from "./mel.js";

const SAMPLE_RATE = 16_000;
/** Frames the network sees: the one to extend, two before and two after it. */
const CONTEXT = 5;
const LOW_BANDS = 17;
const HIGH_BANDS = 6;
const INPUTS = CONTEXT * LOW_BANDS;
/** The telephone speech of the training lagged 6 ms behind its original: what is estimated lies later by that. */
const TRAINING_LAG = 96;
/** Samples between the oldest one that is not returned yet and the newest frame. */
const LEAD = 3 * MEL_HOP - MEL_FRAME / 2 - TRAINING_LAG;
const WINDOW = LEAD + MEL_FRAME;

/** A network of one hidden layer: 85 inputs (5 frames of 17 low bands), hidden units, 6 high bands. */
export interface BandwidthExtensionWeights {
  readonly inputMean: readonly number[];
  readonly inputDeviation: readonly number[];
  /** The weights of the first input for every hidden unit, then those of the second, and so on. */
  readonly hiddenWeights: readonly number[];
  readonly hiddenBias: readonly number[];
  /** The weights of the first hidden unit for every output, then those of the second, and so on. */
  readonly outputWeights: readonly number[];
  readonly outputBias: readonly number[];
}

/** Loads the weights that come with the package. */
export async function loadBandwidthExtensionWeights(): Promise<BandwidthExtensionWeights> {
  const { BANDWIDTH_EXTENSION_WEIGHTS } = await import("./bandwidth-extension-weights.js");
  return BANDWIDTH_EXTENSION_WEIGHTS;
}

/**
 * Gives telephone speech, upsampled to 16 kHz, a plausible band from 4 to 8 kHz, so that recognisers for
 * wideband speech understand it. The band is noise: every 10 ms a small network estimates its spectrum from
 * the band below, and noise of that spectrum is added with overlap. The input itself is left as it is.
 *
 * The output is aligned with the input in time, lasts as long, and does not depend on chunking; the same
 * input always gets the same noise. `process` holds back up to `delayMs`, 31.5 ms when fed 20 ms at a time.
 */
export class BandwidthExtension {
  /** How far the output lags behind the input at most, in ms. */
  readonly delayMs = (WINDOW / SAMPLE_RATE) * 1000;
  readonly #network: Network;
  readonly #mel = new MelBands(LOW_BANDS);
  readonly #noise = new ShapedNoise();
  /** Low bands of the last five frames, oldest first. */
  readonly #bands = new Float64Array(INPUTS);
  /** The samples not returned yet; before the first come `LEAD` samples of silence. */
  readonly #window = new Float64Array(WINDOW);
  #filled = LEAD;
  #silenceLeft = LEAD;
  #isFirstFrame = true;

  /** Throws `ConfigError` when the weights do not have the shape of the network. */
  constructor(weights: BandwidthExtensionWeights) {
    this.#network = new Network(weights);
  }

  /** Takes samples at 16 kHz; returns those that are complete, possibly none. */
  process(samples: Int16Array): Int16Array {
    const hops = Math.max(0, Math.floor((this.#filled + samples.length - WINDOW) / MEL_HOP) + 1);
    const output = new Int16Array(hops * MEL_HOP);
    let from = 0;
    for (let hop = 0; hop < hops; hop++) {
      const missing = WINDOW - this.#filled;
      this.#window.set(samples.subarray(from, from + missing), this.#filled);
      from += missing;
      this.#extend(output, hop * MEL_HOP);
      this.#window.copyWithin(0, MEL_HOP);
      this.#filled = WINDOW - MEL_HOP;
    }
    this.#window.set(samples.subarray(from), this.#filled);
    this.#filled += samples.length - from;
    const skipped = Math.min(this.#silenceLeft, output.length);
    this.#silenceLeft -= skipped;
    return output.subarray(skipped);
  }

  /** Ends the stream: returns what was held back, and is ready for another stream. */
  flush(): Int16Array {
    const held = this.#filled - this.#silenceLeft;
    const rest = this.process(new Int16Array(WINDOW)).slice(0, held);
    this.reset();
    return rest;
  }

  /** Forgets the stream so far. */
  reset(): void {
    this.#window.fill(0);
    this.#filled = LEAD;
    this.#silenceLeft = LEAD;
    this.#isFirstFrame = true;
    this.#noise.reset();
  }

  /** Returns the oldest hop of a full window. */
  #extend(output: Int16Array, to: number): void {
    this.#bands.copyWithin(0, LOW_BANDS);
    this.#mel.compute(this.#window, LEAD, this.#bands, INPUTS - LOW_BANDS);
    if (this.#isFirstFrame) {
      for (let frame = 0; frame < CONTEXT - 1; frame++) this.#bands.copyWithin(frame * LOW_BANDS, INPUTS - LOW_BANDS);
      this.#isFirstFrame = false;
    }
    // The estimate is for the frame two before the newest; its noise rises in this hop and falls in the next.
    const noise = this.#noise.next(this.#network.highBands(this.#bands));
    for (let i = 0; i < MEL_HOP; i++) {
      const value = Math.round(this.#window[i]! + noise[i]!);
      output[to + i] = value > 32_767 ? 32_767 : value < -32_768 ? -32_768 : value;
    }
  }
}

/** Estimates the log energies of the high bands from those of the low bands. */
class Network {
  readonly #units: number;
  /** The weights of one hidden unit after the other, for inputs that are not normalised. */
  readonly #hiddenWeights: Float64Array;
  readonly #hiddenBias: Float64Array;
  readonly #outputWeights: Float64Array;
  readonly #outputBias: Float64Array;
  readonly #output = new Float64Array(HIGH_BANDS);

  constructor(weights: BandwidthExtensionWeights) {
    const units = weights.hiddenBias.length;
    checkSizes(weights, units);
    this.#units = units;
    this.#hiddenWeights = new Float64Array(units * INPUTS);
    this.#hiddenBias = Float64Array.from(weights.hiddenBias);
    this.#outputWeights = Float64Array.from(weights.outputWeights);
    this.#outputBias = Float64Array.from(weights.outputBias);
    for (let unit = 0; unit < units; unit++) {
      for (let input = 0; input < INPUTS; input++) {
        const weight = weights.hiddenWeights[input * units + unit]! / weights.inputDeviation[input]!;
        this.#hiddenWeights[unit * INPUTS + input] = weight;
        this.#hiddenBias[unit] = this.#hiddenBias[unit]! - weight * weights.inputMean[input]!;
      }
    }
  }

  /** The result is overwritten by the next call. */
  highBands(lowBands: Float64Array): Float64Array {
    const output = this.#output;
    output.set(this.#outputBias);
    for (let unit = 0; unit < this.#units; unit++) {
      let sum = this.#hiddenBias[unit]!;
      const row = unit * INPUTS;
      for (let input = 0; input < INPUTS; input++) sum += this.#hiddenWeights[row + input]! * lowBands[input]!;
      const activation = Math.tanh(sum);
      for (let band = 0; band < HIGH_BANDS; band++) {
        output[band] = output[band]! + activation * this.#outputWeights[unit * HIGH_BANDS + band]!;
      }
    }
    return output;
  }
}

function checkSizes(weights: BandwidthExtensionWeights, units: number): void {
  const sizes = {
    inputMean: INPUTS,
    inputDeviation: INPUTS,
    hiddenWeights: INPUTS * units,
    outputWeights: units * HIGH_BANDS,
    outputBias: HIGH_BANDS,
  } as const;
  for (const name of Object.keys(sizes) as (keyof typeof sizes)[]) {
    const { length } = weights[name];
    if (length !== sizes[name] || units === 0) {
      throw new ConfigError(
        `Bandwidth extension needs ${sizes[name]} values of ${name} for ${units} hidden units, not ${length}: use the weights that come with the package.`,
      );
    }
  }
}

const FFT_SIZE = 512;
const LOWEST_NOISE_HZ = 3950;
/**
 * Log energies that the high bands show on average when every bin has amplitude 1 (and the spectrum is as
 * level across the bands as speech on average). Measured over 100,000 frames.
 */
const UNIT_NOISE_BANDS = [12.589, 13.665, 13.85, 14.101, 14.319, 14.524] as const;

/** Noise with a given spectrum above 4 kHz, in pieces of one hop that overlap by half. */
class ShapedNoise {
  readonly #fft = new Fft(FFT_SIZE);
  readonly #real = new Float64Array(FFT_SIZE);
  readonly #imaginary = new Float64Array(FFT_SIZE);
  readonly #fade = Float64Array.from({ length: 2 * MEL_HOP }, (_, i) => Math.sin((Math.PI * (i + 0.5)) / (2 * MEL_HOP)));
  readonly #cosines = Float64Array.from({ length: FFT_SIZE }, (_, i) => Math.cos((2 * Math.PI * i) / FFT_SIZE));
  /** For every bin, where it lies among the high bands: 0 at the centre of the first, 5 of the last. */
  readonly #positions = Float64Array.from({ length: FFT_SIZE / 2 }, (_, bin) =>
    Math.max(0, Math.min(HIGH_BANDS - 1, melBandPosition((bin * SAMPLE_RATE) / FFT_SIZE) - LOW_BANDS)),
  );
  /** The first half is complete, the second still lacks the next piece. */
  readonly #overlap = new Float64Array(2 * MEL_HOP);
  #random = 1;

  /** One hop of noise with these log energies from its end on; overwritten by the next call. */
  next(logEnergies: Float64Array): Float64Array {
    const real = this.#real.fill(0);
    const imaginary = this.#imaginary.fill(0);
    for (let bin = Math.round((LOWEST_NOISE_HZ * FFT_SIZE) / SAMPLE_RATE); bin < FFT_SIZE / 2; bin++) {
      const position = this.#positions[bin]!;
      const band = Math.min(HIGH_BANDS - 2, Math.floor(position));
      const share = position - band;
      const logPower =
        (1 - share) * (logEnergies[band]! - UNIT_NOISE_BANDS[band]!) +
        share * (logEnergies[band + 1]! - UNIT_NOISE_BANDS[band + 1]!);
      const amplitude = Math.exp(logPower / 2);
      const phase = this.#nextPhase();
      real[bin] = amplitude * this.#cosines[phase]!;
      imaginary[bin] = amplitude * this.#cosines[(phase + FFT_SIZE / 4) % FFT_SIZE]!;
    }
    this.#fft.transform(real, imaginary);
    this.#overlap.copyWithin(0, MEL_HOP).fill(0, MEL_HOP);
    for (let i = 0; i < 2 * MEL_HOP; i++) this.#overlap[i] = this.#overlap[i]! + real[i]! * this.#fade[i]!;
    return this.#overlap;
  }

  reset(): void {
    this.#overlap.fill(0);
    this.#random = 1;
  }

  /** A random index of a full turn, by a xorshift generator. */
  #nextPhase(): number {
    let state = this.#random;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#random = state;
    return (state >>> 16) % FFT_SIZE;
  }
}
