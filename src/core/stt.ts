import type { AudioFormat, AudioFrame } from "./audio-frame.js";
import type { Clock } from "./clock.js";

/** Speech to text: configuration. `open` gives the stream of one call. */
export interface STT {
  /** The vendor's name in events, records and prices, such as `deepgram`. */
  readonly provider: string;
  readonly model: string;
  /** Accepted formats, best first. The call converts only when its own is not among them. */
  readonly inputFormats: readonly AudioFormat[];
  /**
   * Set where it hears in the words whether a turn is over: it says `turn_end` within this time of the last word, in ms.
   * Until then silence alone does not end a turn that has words.
   */
  readonly turnEndWithinMs?: number;
  /** Loads what can be loaded before a call: models, sockets' code. Called once by `serve()`. */
  prepare?(options: { readonly signal: AbortSignal }): Promise<void>;
  open(options: SttOpenOptions): SttStream;
}

export interface SttOpenOptions {
  /** BCP 47, such as `en` or `en-GB`. */
  readonly language: string;
  /** One of `inputFormats`; every frame written has it. */
  readonly format: AudioFormat;
  /** Ends the stream. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

/** One call's recognition. Iterate it once; it fails by throwing a `PatterError`. */
export interface SttStream extends AsyncIterable<SttEvent>, AsyncDisposable {
  /** Never blocks and never throws; after the end it does nothing. */
  write(frame: AudioFrame): void;
  /** Asks for a `final` of everything written so far. It may be empty; it always comes. */
  finalize(): void;
}

/** A recognised word; times are ms of audio since the stream was opened. */
export interface SttWord {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly confidence?: number;
}

export type SttEvent =
  | { readonly type: "speech_start"; readonly audioMs: number }
  | {
      /** A `final` is a segment, not a turn. A `partial` replaces the one before it. */
      readonly type: "partial" | "final";
      readonly transcript: string;
      readonly words?: readonly SttWord[];
      readonly confidence?: number;
      /** Set on the answer to `finalize()`. */
      readonly finalized?: boolean;
    }
  /** The caller's turn is over. `transcript`: the words of the whole turn, in the place of all that came before. */
  | { readonly type: "turn_end"; readonly transcript?: string; readonly reason: string }
  | { readonly type: "eager_turn_end" | "turn_resumed"; readonly transcript: string }
  | { readonly type: "usage"; readonly audioMs: number };
