import type { AudioFormat, AudioFrame } from "./audio-frame.js";
import type { Clock } from "./clock.js";

/** Voice activity detection: configuration. `open` gives the stream of one call. */
export interface VAD {
  readonly provider: string;
  readonly inputFormat: AudioFormat;
  /** Loads what can be loaded before a call. Called once by `serve()`. */
  prepare?(options: { readonly signal: AbortSignal }): Promise<void>;
  open(options: { readonly signal: AbortSignal; readonly clock: Clock }): VadStream;
}

/** One call's detection. Iterate it once; it fails by throwing a `PatterError`. */
export interface VadStream extends AsyncIterable<VadEvent>, AsyncDisposable {
  /** Never blocks and never throws; after the end it does nothing. */
  write(frame: AudioFrame): void;
}

export type VadEvent =
  /** `audioMs`: where the first sample of the speech lies, in ms of audio written. */
  | { readonly type: "speech_start"; readonly audioMs: number }
  /** `audioMs`: where the last sample of the speech lies; the event comes a hangover later. */
  | { readonly type: "speech_end"; readonly audioMs: number };
