/** A sound of speech in an utterance; `pau` is a pause. */
export interface Phone {
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** What a voice made of a text. */
export interface Utterance {
  readonly samples: Int16Array;
  /** Hz. */
  readonly sampleRate: number;
  /** When its phones are spoken, where the voice knows. */
  readonly phones: readonly Phone[];
}

/** A word, or a few that belong together, as a voice is to read them out. */
export interface Piece {
  readonly spoken: string;
  /** Where it comes from in the text. */
  readonly start: number;
  readonly end: number;
}

/** Something that speaks, one text at a time. */
export interface Voice {
  /** The text in words that it reads rightly; none where there is nothing to say. */
  pieces(text: string): readonly Piece[];
  /** Rejects with a `PatterError`, or with what broke in it. */
  synthesise(text: string): Promise<Utterance>;
  /** The phones of each word by itself, where the voice knows; `undefined` when they cannot be told apart. */
  pronounce?(words: readonly string[]): Promise<readonly (readonly string[])[] | undefined>;
}
