import { audioByteLength, audioDurationMs } from "../../core/audio-frame.js";
import type { CharacterTimes, Utterance } from "./voice.js";

/** A piece of an utterance as it is sent. */
export interface SpokenChunk {
  readonly bytes: Uint8Array;
  readonly startMs: number;
  readonly durationMs: number;
  /** The characters that begin within the chunk; times since the utterance's beginning. */
  readonly times: CharacterTimes;
}

/** Cuts an utterance into chunks of `chunkMs` of audio; the last one is shorter. */
export function chunksOf(utterance: Utterance, chunkMs: number): SpokenChunk[] {
  const { bytes, format } = utterance;
  const chunkBytes = audioByteLength(format, chunkMs);
  const chunks: SpokenChunk[] = [];
  for (let offset = 0; offset < bytes.length; offset += chunkBytes) {
    const part = bytes.subarray(offset, offset + chunkBytes);
    const startMs = audioDurationMs(format, offset);
    const isLast = offset + chunkBytes >= bytes.length;
    const endMs = isLast ? Number.POSITIVE_INFINITY : audioDurationMs(format, offset + chunkBytes);
    chunks.push({
      bytes: part,
      startMs,
      durationMs: audioDurationMs(format, part.length),
      times: timesBetween(utterance, startMs, endMs),
    });
  }
  return chunks;
}

function timesBetween(times: CharacterTimes, startMs: number, endMs: number): CharacterTimes {
  const inside = times.startMs.map((ms) => ms >= startMs - 1e-6 && ms < endMs - 1e-6);
  const pick = <T>(values: readonly T[]): T[] => values.filter((_, index) => inside[index]);
  return { characters: pick(times.characters), startMs: pick(times.startMs), durationMs: pick(times.durationMs) };
}

/** The alignment of a streamed HTTP response: seconds since the response's first sample. */
export function httpAlignment({ characters, startMs, durationMs }: CharacterTimes): HttpAlignment | null {
  if (characters.length === 0) return null;
  return {
    characters,
    character_start_times_seconds: startMs.map((ms) => ms / 1000),
    character_end_times_seconds: startMs.map((ms, index) => (ms + (durationMs[index] as number)) / 1000),
  };
}

/** The alignment of a socket's message: whole ms since the message's first sample. */
export function socketAlignment(
  { characters, startMs, durationMs }: CharacterTimes,
  chunkStartMs: number,
): SocketAlignment | null {
  if (characters.length === 0) return null;
  return {
    chars: characters,
    charStartTimesMs: startMs.map((ms) => Math.round(ms - chunkStartMs)),
    charDurationsMs: durationMs.map((ms) => Math.round(ms)),
  };
}

export interface HttpAlignment {
  readonly characters: readonly string[];
  readonly character_start_times_seconds: readonly number[];
  readonly character_end_times_seconds: readonly number[];
}

export interface SocketAlignment {
  readonly chars: readonly string[];
  readonly charStartTimesMs: readonly number[];
  readonly charDurationsMs: readonly number[];
}
