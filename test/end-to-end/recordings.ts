import { readFileSync } from "node:fs";
import { Resampler } from "../../src/audio/resample.js";
import { readWav, writeWav } from "../../src/audio/wav.js";
import { bytesOf } from "../../src/audio/pcm.js";

/** Debian's `asterisk-core-sounds-en-wav`: one speaker, 8 kHz, CC-BY-SA-3.0. */
const SOUNDS = "/usr/share/asterisk/sounds/en_US_f_Allison";
const SAMPLE_RATE = 8000;
/** Samples below this are silence at a recording's ends. */
const SILENCE = 150;

/** A piece of a caller's line: a recording, or the part of one between two moments in ms. */
export type Piece = string | { readonly from: string; readonly startMs: number; readonly endMs: number };

/** What the caller says, as 8 kHz samples: recordings, cut close and set side by side. */
function utterance(pieces: readonly Piece[], gapMs = 60): Int16Array {
  const gap = new Int16Array(samplesIn(gapMs));
  return concat(pieces.flatMap((piece, index) => (index === 0 ? [trimmed(load(piece))] : [gap, trimmed(load(piece))])));
}

/** One thing that a caller says, and the silence before it. */
export interface Turn {
  readonly beforeMs: number;
  readonly say: readonly Piece[];
}

/** A WAV of a caller's turns, with silence before each and after the last; at 8 kHz unless told. */
export function callerWav(turns: readonly Turn[], tailMs: number, sampleRate = SAMPLE_RATE): Uint8Array {
  const parts = turns.flatMap(({ beforeMs, say }) => [new Int16Array(samplesIn(beforeMs)), utterance(say)]);
  const samples = concat([...parts, new Int16Array(samplesIn(tailMs))]);
  const resampled = new Resampler(SAMPLE_RATE, sampleRate).process(samples);
  return writeWav({ encoding: "pcm16", sampleRate }, [bytesOf(resampled)]);
}

function load(piece: Piece): Int16Array {
  const name = typeof piece === "string" ? piece : piece.from;
  const samples = readWav(readFileSync(`${SOUNDS}/${name}.wav`)).samples();
  return typeof piece === "string" ? samples : samples.subarray(samplesIn(piece.startMs), samplesIn(piece.endMs));
}

function trimmed(samples: Int16Array): Int16Array {
  const loud = (sample: number): boolean => Math.abs(sample) > SILENCE;
  return samples.subarray(samples.findIndex(loud), samples.findLastIndex(loud) + 1);
}

function concat(parts: readonly Int16Array[]): Int16Array {
  const whole = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

function samplesIn(ms: number): number {
  return Math.round((ms * SAMPLE_RATE) / 1000);
}
