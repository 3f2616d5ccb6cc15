import type { Utterance } from "./voice.js";

/** The level that speech is brought to, as the root mean square of its samples where there is speech. */
const TARGET_DBFS = -20;
/** No sample goes higher. */
const PEAK = 10 ** (-1.5 / 20) * 32_767;
/** No voice is made more than this louder, in dB. */
const MAX_GAIN_DB = 15;
const BLOCK_MS = 5;
/** Blocks this far below the loudest are silence: the last breath of a word is louder. */
const SILENCE_DB = 45;
/** Left around speech, and faded; speech ends more slowly than it begins. */
const MARGIN_MS = 10;
const TAIL_MS = 40;

/** Finds the part of an utterance in which something is spoken, in samples; none in silence. */
export function spokenRange({ samples, sampleRate, phones }: Utterance): { readonly start: number; readonly end: number } {
  const size = Math.round((sampleRate * BLOCK_MS) / 1000);
  const powers = blockPowers(samples, size);
  const loudest = powers.reduce((most, power) => Math.max(most, power), 0);
  const threshold = Math.max(1, loudest * 10 ** (-SILENCE_DB / 10));
  const first = powers.findIndex((power) => power > threshold);
  if (first < 0) return { start: 0, end: 0 };
  const last = powers.findLastIndex((power) => power > threshold);
  // Some voices hiss where they are silent: what lies well outside their phones is no speech either.
  const spoken = phones.filter(({ name }) => name !== "pau");
  const [earliestMs, latestMs] = [spoken[0]?.startMs ?? 0, spoken.at(-1)?.endMs ?? Number.POSITIVE_INFINITY];
  const startMs = Math.max(first * BLOCK_MS, earliestMs - MARGIN_MS) - MARGIN_MS;
  const endMs = Math.min((last + 1) * BLOCK_MS, latestMs + TAIL_MS) + TAIL_MS;
  const sampleAt = (ms: number): number => Math.max(0, Math.min(samples.length, Math.round((ms * sampleRate) / 1000)));
  return { start: sampleAt(startMs), end: sampleAt(endMs) };
}

/** What to multiply a voice's samples with, so that its speech has the usual level. */
export function levelGain(samples: Int16Array, sampleRate: number): number {
  const powers = blockPowers(samples, Math.round((sampleRate * 20) / 1000));
  const loudest = powers.reduce((most, power) => Math.max(most, power), 0);
  if (loudest === 0) return 1;
  const speech = powers.filter((power) => power > loudest / 1000);
  const dbfs = 10 * Math.log10(speech.reduce((sum, power) => sum + power, 0) / speech.length / 32_768 ** 2);
  return 10 ** (Math.min(MAX_GAIN_DB, TARGET_DBFS - dbfs) / 20);
}

/** Multiplies samples with the gain, or with the most that clips none of them, and fades both ends. */
export function levelled(samples: Int16Array, sampleRate: number, gain: number): Int16Array {
  let peak = 1;
  for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
  const factor = Math.min(gain, PEAK / peak);
  const fade = Math.min(samples.length >> 1, Math.round((sampleRate * BLOCK_MS) / 1000));
  return samples.map((sample, index) => {
    const edge = Math.min(index, samples.length - 1 - index);
    return Math.round(sample * factor * (edge < fade ? edge / fade : 1));
  });
}

function blockPowers(samples: Int16Array, size: number): number[] {
  return Array.from({ length: Math.ceil(samples.length / size) }, (_, block) => {
    const part = samples.subarray(block * size, (block + 1) * size);
    return part.reduce((sum, sample) => sum + sample * sample, 0) / part.length;
  });
}
