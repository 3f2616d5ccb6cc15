import type { AudioFormat, AudioFrame } from "../core/audio-frame.js";
import { ConfigError } from "../core/errors.js";
import { FrameCutter } from "./frames.js";
import { encodeFrame } from "./pcm.js";

// ITU-T Q.23: one frequency of each group at a time.
const ROW_HZ = [697, 770, 852, 941] as const;
const COLUMN_HZ = [1209, 1336, 1477, 1633] as const;
const KEYS = "123A456B789C*0#D";

const PAUSE_MS: Readonly<Record<string, number>> = { w: 500, W: 1000 };
// The levels of a telephone, -8 and -6 dBm0: the line attenuates the higher group more.
const ROW_AMPLITUDE = 9050;
const COLUMN_AMPLITUDE = 11_400;
/** Tones fade in and out for so long, so that they do not click. */
const FADE_MS = 3;

export interface DtmfToneOptions {
  /** Length of each tone in ms. Default 120. */
  readonly toneMs?: number;
  /** Silence after each tone in ms. Default 80. */
  readonly gapMs?: number;
  /** Length of the frames in ms. Default 20. */
  readonly frameMs?: number;
}

/**
 * The tones of a telephone's keys, as frames. `digits` holds `0`-`9`, `*`, `#`, `A`-`D`, and the pauses
 * `w` (half a second) and `W` (a second). Throws `ConfigError` at any other character.
 */
export function dtmfTones(digits: string, format: AudioFormat, options: DtmfToneOptions = {}): AudioFrame[] {
  const { toneMs = 120, gapMs = 80, frameMs = 20 } = options;
  const gap = new Int16Array(samplesIn(gapMs, format));
  const cutter = new FrameCutter(format, frameMs);
  const frames: AudioFrame[] = [];
  const append = (samples: Int16Array) => frames.push(...cutter.push(encodeFrame(samples, format).bytes));
  for (const digit of digits) {
    const pauseMs = PAUSE_MS[digit];
    if (pauseMs !== undefined) {
      append(new Int16Array(samplesIn(pauseMs, format)));
      continue;
    }
    append(tone(digit, digits, samplesIn(toneMs, format), format.sampleRate));
    append(gap);
  }
  const rest = cutter.flush(true);
  return rest === undefined ? frames : [...frames, rest];
}

function tone(digit: string, digits: string, length: number, sampleRate: number): Int16Array {
  const key = KEYS.indexOf(digit);
  if (key < 0) throw new ConfigError(`"${digit}" in "${digits}" is no DTMF digit: use 0-9, *, #, A-D, and w or W for a pause.`);
  const row = (2 * Math.PI * ROW_HZ[key >> 2]!) / sampleRate;
  const column = (2 * Math.PI * COLUMN_HZ[key & 3]!) / sampleRate;
  const fade = (FADE_MS * sampleRate) / 1000;
  return Int16Array.from({ length }, (_, i) => {
    const edge = Math.min(1, (i + 1) / fade, (length - i) / fade);
    return Math.round(edge * (ROW_AMPLITUDE * Math.sin(row * i) + COLUMN_AMPLITUDE * Math.sin(column * i)));
  });
}

function samplesIn(durationMs: number, format: AudioFormat): number {
  return Math.max(0, Math.round((durationMs * format.sampleRate) / 1000));
}

/** Long enough to tell the rows apart, short enough that two fit into the shortest tone of 40 ms. */
const BLOCK_MS = 12.75;
/** Blocks quieter than -45 dBFS hold no digit. */
const MIN_MEAN_SQUARE = 184 ** 2;
/** The two tones' least share of a block's energy: speech spreads over more. Tones 1.5 % off still have it. */
const MIN_TONE_SHARE = 0.7;
/** The share above which a digit already recognised goes on, so that a poor block does not end it. */
const MIN_LASTING_SHARE = 0.4;
/** How far, as a ratio of powers, the strongest tone of a group stands out from the others: 8 dB. */
const MIN_PEAK_RATIO = 6.3;
/** Most power of the column over the row (8 dB), and of the row over the column (4 dB). */
const MAX_TWIST = 6.3;
const MAX_REVERSE_TWIST = 2.5;

/**
 * Finds DTMF digits in a stream of samples with Goertzel filters. A digit is reported once, 13 to 26 ms
 * into its tone; tones of 40 ms and gaps of 40 ms are long enough.
 */
export class DtmfDetector {
  readonly #rows: Float64Array;
  readonly #columns: Float64Array;
  readonly #block: Float64Array;
  #filled = 0;
  #current: string | undefined;
  #previous: string | undefined;

  /** `sampleRate` is in Hz. Throws `ConfigError` below 8000, where the highest tone is not safe. */
  constructor(sampleRate = 8000) {
    if (!(sampleRate >= 8000))
      throw new ConfigError(`DTMF is detected at 8000 Hz or more, not ${sampleRate} Hz: resample the audio first.`);
    const coefficient = (hz: number) => 2 * Math.cos((2 * Math.PI * hz) / sampleRate);
    this.#rows = Float64Array.from(ROW_HZ, coefficient);
    this.#columns = Float64Array.from(COLUMN_HZ, coefficient);
    this.#block = new Float64Array(Math.round((BLOCK_MS * sampleRate) / 1000));
  }

  /** Takes samples; returns the digits whose tones were recognised in them, usually none. */
  push(samples: Int16Array): string[] {
    const digits: string[] = [];
    let from = 0;
    while (from < samples.length) {
      const part = samples.subarray(from, from + this.#block.length - this.#filled);
      this.#block.set(part, this.#filled);
      this.#filled += part.length;
      from += part.length;
      if (this.#filled < this.#block.length) break;
      this.#filled = 0;
      const digit = this.#advance();
      if (digit !== undefined) digits.push(digit);
    }
    return digits;
  }

  /** A digit begins, and ends, with two blocks in a row that agree on it. */
  #advance(): string | undefined {
    const hit = this.#hit();
    const isConfirmed = hit === this.#previous;
    this.#previous = hit;
    if (!isConfirmed || hit === this.#current) return undefined;
    this.#current = hit;
    return hit;
  }

  #hit(): string | undefined {
    const block = this.#block;
    const energy = energyOf(block);
    if (energy < block.length * MIN_MEAN_SQUARE) return undefined;
    // The energy of a sine of `power` is twice that power by the block's length.
    const share = (power: number) => (2 * power) / (block.length * energy);
    const rows = this.#rows.map((coefficient) => goertzel(block, coefficient));
    const columns = this.#columns.map((coefficient) => goertzel(block, coefficient));
    if (this.#current !== undefined) {
      const key = KEYS.indexOf(this.#current);
      if (share(rows[key >> 2]! + columns[key & 3]!) > MIN_LASTING_SHARE) return this.#current;
    }
    const row = peakOf(rows);
    const column = peakOf(columns);
    if (row === undefined || column === undefined) return undefined;
    if (column.power > row.power * MAX_TWIST || row.power > column.power * MAX_REVERSE_TWIST) return undefined;
    return share(row.power + column.power) > MIN_TONE_SHARE ? KEYS[row.index * 4 + column.index] : undefined;
  }
}

function energyOf(block: Float64Array): number {
  let energy = 0;
  for (let i = 0; i < block.length; i++) energy += block[i]! ** 2;
  return energy;
}

/** The strongest of a group's powers, if it stands out. */
function peakOf(powers: Float64Array): { readonly index: number; readonly power: number } | undefined {
  const power = Math.max(...powers);
  const index = powers.indexOf(power);
  const standsOut = powers.every((other, i) => i === index || power > other * MIN_PEAK_RATIO);
  return standsOut ? { index, power } : undefined;
}

/** Power of one frequency: `(amplitude * length / 2) ** 2` for a sine. */
function goertzel(block: Float64Array, coefficient: number): number {
  let last = 0;
  let beforeLast = 0;
  for (let i = 0; i < block.length; i++) {
    const next = block[i]! + coefficient * last - beforeLast;
    beforeLast = last;
    last = next;
  }
  return last * last + beforeLast * beforeLast - coefficient * last * beforeLast;
}
