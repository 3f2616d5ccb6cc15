/** How samples are coded: signed 16-bit little-endian PCM, or 8-bit G.711. */
export type AudioEncoding = "pcm16" | "mulaw" | "alaw";

/** A mono audio format; `sampleRate` is in Hz. */
export interface AudioFormat {
  readonly encoding: AudioEncoding;
  readonly sampleRate: number;
}

/** A piece of audio with its format. Audio never crosses a boundary without one. */
export interface AudioFrame {
  readonly format: AudioFormat;
  readonly bytes: Uint8Array;
}

/** The telephone network's format. */
export const MULAW_8K: AudioFormat = { encoding: "mulaw", sampleRate: 8000 };

/** The wideband format of speech models and of the browser page. */
export const PCM16_16K: AudioFormat = { encoding: "pcm16", sampleRate: 16000 };

/** Bytes of one sample: 2 for `pcm16`, 1 for G.711. */
export function bytesPerSample(encoding: AudioEncoding): 1 | 2 {
  return encoding === "pcm16" ? 2 : 1;
}

/** Length in ms of `byteLength` bytes of this format. */
export function audioDurationMs(format: AudioFormat, byteLength: number): number {
  return (byteLength / bytesPerSample(format.encoding) / format.sampleRate) * 1000;
}

/** Bytes of `durationMs` of this format, rounded down to whole samples. */
export function audioByteLength(format: AudioFormat, durationMs: number): number {
  return Math.floor((durationMs * format.sampleRate) / 1000 + 1e-6) * bytesPerSample(format.encoding);
}

/** Says whether two formats are the same. */
export function sameFormat(a: AudioFormat, b: AudioFormat): boolean {
  return a.encoding === b.encoding && a.sampleRate === b.sampleRate;
}

/** A format as people write it: `mulaw 8000 Hz`. */
export function describeFormat(format: AudioFormat): string {
  return `${format.encoding} ${format.sampleRate} Hz`;
}

/** The format to use of those that are offered, best first: the wanted one where it is among them. */
export function chooseFormat(offered: readonly AudioFormat[], wanted: AudioFormat): AudioFormat {
  return offered.find((format) => sameFormat(format, wanted)) ?? offered[0] ?? wanted;
}
