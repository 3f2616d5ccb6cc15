import { rmsDbfs } from "../audio/level.js";

/** A stretch of speech, in ms from the first sample. */
export interface SpeechSpan {
  readonly startMs: number;
  readonly endMs: number;
}

const FRAME_MS = 5;
/** Speech is what lies less than this below the loudest moments, in dB … */
const SPEECH_RANGE_DB = 36;
/** … and above this share of the way from the quiet parts to them. */
const NOISE_SHARE = 0.3;
/** A recording whose loudest moments are below this, in dBFS, holds no speech. */
const SILENCE_DBFS = -75;
/** So much of a recording is louder than its loudest moments, in ms: a click is not the measure of a voice. */
const LOUDEST_MS = 100;
/** A shorter sound is a click, in ms. */
const MIN_SPEECH_MS = 30;

/** Finds speech by its energy alone. Pauses shorter than `maxPauseMs` belong to the speech around them. */
export function speechSpans(samples: Int16Array, sampleRate: number, maxPauseMs: number): SpeechSpan[] {
  const frameSamples = Math.round((sampleRate * FRAME_MS) / 1000);
  const levels: number[] = [];
  for (let at = 0; at + frameSamples <= samples.length; at += frameSamples)
    levels.push(rmsDbfs(samples.subarray(at, at + frameSamples)));
  const sorted = levels.toSorted((a, b) => b - a);
  const loud = sorted[Math.min(LOUDEST_MS / FRAME_MS, sorted.length - 1)];
  const quiet = sorted[Math.floor(sorted.length * 0.95)];
  if (loud === undefined || quiet === undefined || loud <= SILENCE_DBFS) return [];
  const threshold = Math.max(loud - SPEECH_RANGE_DB, quiet + NOISE_SHARE * (loud - quiet));

  const spans: { startMs: number; endMs: number }[] = [];
  for (const [index, level] of levels.entries()) {
    if (level < threshold) continue;
    const startMs = index * FRAME_MS;
    const last = spans.at(-1);
    if (last !== undefined && startMs - last.endMs < maxPauseMs) last.endMs = startMs + FRAME_MS;
    else spans.push({ startMs, endMs: startMs + FRAME_MS });
  }
  return spans.filter(({ startMs, endMs }) => endMs - startMs >= MIN_SPEECH_MS);
}
