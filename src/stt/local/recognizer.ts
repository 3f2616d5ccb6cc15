/** A word as a recogniser gives it: times in ms of the audio that this recogniser was given. */
export interface RecognizedWord {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly confidence?: number;
}

/** Speech between two pauses, or up to the moment it was asked for. */
export interface RecognizedSegment {
  readonly transcript: string;
  readonly words: readonly RecognizedWord[];
}

/** One call's recogniser. Its methods are called one after another. */
export interface Recognizer {
  /** How much silence it must hear before `finish` knows all of the words, in ms. */
  readonly tailMs: number;
  /** Takes samples at 16 kHz. A `segment` is done with; `partial` is what the present segment holds so far. */
  accept(samples: Int16Array): Promise<{ readonly partial: string; readonly segment?: RecognizedSegment | undefined }>;
  /** The present segment, done with now; possibly empty. */
  finish(): Promise<RecognizedSegment>;
  free(): void;
}

/** A loaded model. */
export interface RecognitionModel {
  /** Throws `ConfigError` when the model does not know the language. */
  open(language: string): Promise<Recognizer>;
  dispose(): void;
}

/** No words. */
export const EMPTY_SEGMENT: RecognizedSegment = { transcript: "", words: [] };
