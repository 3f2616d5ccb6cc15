import type { SpokenWords } from "../spoken-words.js";

/** Something said at a place in a socket's audio. */
export interface DeepgramUtterance {
  readonly text: string;
  /** Where it begins, in ms of the audio that the socket receives. */
  readonly startMs: number;
  /** How long each word takes, in ms. Default 250. */
  readonly wordMs?: number;
  /** How sure the model is of each word, 0 to 1. Default 0.98. */
  readonly confidence?: number;
  /** False: the pause behind it sounds like one within a sentence, so that Flux waits for its timeout. Default true. */
  readonly endsTurn?: boolean;
}

/** A word and where in the audio it was heard, in ms. */
export interface HeardWord {
  readonly word: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly confidence: number;
  readonly endsTurn: boolean;
}

/** Recognises what one socket receives. */
export interface Ear {
  /** Hears the audio up to `untilMs`, and gives the words that have ended since the last time. */
  hear(bytes: Uint8Array, untilMs: number): HeardWord[];
  /** Since when a word is being spoken that has not ended; `undefined` in silence. */
  speakingSince(untilMs: number): number | undefined;
}

const WORD_MS = 250;
const CONFIDENCE = 0.98;

/** "Recognises" a script, whatever the audio is. */
export class ScriptEar implements Ear {
  readonly #words: HeardWord[];

  constructor(script: readonly DeepgramUtterance[]) {
    this.#words = script.flatMap(({ text, startMs, wordMs = WORD_MS, confidence = CONFIDENCE, endsTurn = true }) =>
      text
        .split(/\s+/)
        .filter(Boolean)
        .map((word, index) => ({
          word,
          startMs: startMs + index * wordMs,
          endMs: startMs + (index + 1) * wordMs,
          confidence,
          endsTurn,
        })),
    );
  }

  hear(_bytes: Uint8Array, untilMs: number): HeardWord[] {
    const count = this.#words.findIndex(({ endMs }) => endMs > untilMs);
    return this.#words.splice(0, count < 0 ? this.#words.length : count);
  }

  speakingSince(untilMs: number): number | undefined {
    const next = this.#words[0];
    return next !== undefined && next.startMs < untilMs ? next.startMs : undefined;
  }
}

const BLOCK_MS = 10;
/** 10 ms of the only format that `SpokenWords` has. */
const BLOCK_BYTES = 320;

/** Recognises the words that a `TestPhone` speaks. */
export class SpokenEar implements Ear {
  readonly #spoken: SpokenWords;
  #rest = new Uint8Array(0);
  #heardMs = 0;
  #current: { readonly word: string; readonly startMs: number } | undefined;

  constructor(spoken: SpokenWords) {
    this.#spoken = spoken;
  }

  hear(bytes: Uint8Array): HeardWord[] {
    const audio = new Uint8Array(this.#rest.length + bytes.length);
    audio.set(this.#rest);
    audio.set(bytes, this.#rest.length);
    const whole = audio.length - (audio.length % BLOCK_BYTES);
    this.#rest = audio.slice(whole);
    const ended: HeardWord[] = [];
    for (const block of this.#spoken.decode(audio.slice(0, whole))) {
      if (block.type === "word") this.#current ??= { word: block.word, startMs: this.#heardMs };
      this.#heardMs += BLOCK_MS;
      if (block.type === "word" || this.#current === undefined) continue;
      ended.push({ ...this.#current, endMs: this.#heardMs, confidence: CONFIDENCE, endsTurn: true });
      this.#current = undefined;
    }
    return ended;
  }

  speakingSince(): number | undefined {
    return this.#current?.startMs;
  }
}
