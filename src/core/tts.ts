import type { AudioFormat, AudioFrame } from "./audio-frame.js";
import type { Clock } from "./clock.js";

/** Text to speech: configuration. `open` gives the connection of one call. */
export interface TTS {
  readonly provider: string;
  readonly model: string;
  /** Formats it can produce, best first. */
  readonly outputFormats: readonly AudioFormat[];
  /** Loads what can be loaded before a call. Called once by `serve()`. */
  prepare?(options: { readonly signal: AbortSignal }): Promise<void>;
  open(options: TtsOpenOptions): TtsConnection;
}

export interface TtsOpenOptions {
  /** One of `outputFormats`. */
  readonly format: AudioFormat;
  readonly language: string;
  /** Ends the connection. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

/** One call's warm connection. */
export interface TtsConnection extends AsyncDisposable {
  /** Begins one reply. Aborting `signal` drops the reply and keeps the connection. */
  speak(options: { readonly signal: AbortSignal }): TtsStream;
}

/** One reply's synthesis. Iterate it once; it fails by throwing a `PatterError`. */
export interface TtsStream extends AsyncIterable<TtsEvent> {
  write(text: string): void;
  /** Asks for the audio of everything written so far, now. */
  flush(): void;
  /** No more text will come; the iteration ends after the last audio. */
  end(): void;
}

/** When a word is spoken: offsets into all text written, ms of audio since the reply's first sample. */
export interface SpokenWord {
  readonly textStart: number;
  readonly textEnd: number;
  readonly startMs: number;
  readonly endMs: number;
}

export type TtsEvent =
  | { readonly type: "audio"; readonly frame: AudioFrame }
  | { readonly type: "words"; readonly words: readonly SpokenWord[] }
  /** All audio of the text up to `textEnd` has been yielded: one for each `flush`, in order. */
  | { readonly type: "flushed"; readonly textEnd: number }
  | { readonly type: "usage"; readonly characters: number };
