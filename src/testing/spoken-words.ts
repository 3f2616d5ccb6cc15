import { MULAW_SILENCE } from "../audio/g711.js";
import { type AudioFormat, bytesPerSample, MULAW_8K, PCM16_16K } from "../core/audio-frame.js";

/** The audio of spoken words is cut into blocks of this length, in ms. */
const BLOCK_MS = 10;
/** Sample value of the short pause that ends a word; part of the speech for a VAD. */
const WORD_END = 1;
/** Distance between the sample values of two words. */
const WORD_STEP = 8;

/** Mu-law has no more codes than this for words. */
const MAX_MULAW_WORDS = 250;

/** What a stretch of audio holds. */
export type SpokenBlock =
  | { readonly type: "silence" }
  | { readonly type: "word_end" }
  | { readonly type: "word"; readonly word: string };

/**
 * A voice for tests: each word is a constant amplitude of its own, so that what was said, sent and heard
 * can be read back from the audio, word by word. All doubles of one test share it. Audio is pcm16 at 16 kHz, or mu-law at
 * 8 kHz for carriers that have nothing else.
 */
export class SpokenWords {
  readonly format: AudioFormat;
  readonly #values = new Map<string, number>();
  readonly #words: string[] = [];

  constructor({ encoding = "pcm16" }: { readonly encoding?: "pcm16" | "mulaw" } = {}) {
    this.format = encoding === "mulaw" ? MULAW_8K : PCM16_16K;
  }

  /** How long a word takes to say, in ms: 40 for each letter, 120 at least. */
  durationMs(word: string): number {
    return Math.max(120, word.length * 40);
  }

  /** Says `text`. */
  encode(text: string): Uint8Array {
    const words = wordsOf(text);
    const samples = new Int16Array(words.reduce((sum, word) => sum + this.#sampleCount(this.durationMs(word)), 0));
    let offset = 0;
    for (const word of words) {
      const end = offset + this.#sampleCount(this.durationMs(word));
      samples.fill(this.#valueOf(word), offset, end - this.#sampleCount(BLOCK_MS));
      samples.fill(WORD_END, end - this.#sampleCount(BLOCK_MS), end);
      offset = end;
    }
    return this.#bytesOf(samples);
  }

  /** A sound that is no word. */
  noise(durationMs: number): Uint8Array {
    return this.#bytesOf(new Int16Array(this.#sampleCount(durationMs)).fill(WORD_END));
  }

  /** Reads audio back in blocks of 10 ms. */
  decode(bytes: Uint8Array): SpokenBlock[] {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const width = bytesPerSample(this.format.encoding);
    const blockBytes = this.#sampleCount(BLOCK_MS) * width;
    const blocks: SpokenBlock[] = [];
    for (let offset = 0; offset + width <= bytes.byteLength; offset += blockBytes)
      blocks.push(this.#blockOf(width === 1 ? valueOf(view.getUint8(offset)) : view.getInt16(offset, true)));
    return blocks;
  }

  /** The words in a stretch of audio, with spaces between; one that was cut off counts when half of it is there. */
  words(bytes: Uint8Array): string {
    const reader = new WordReader(this);
    const words = reader.read(bytes);
    return [...words, ...(reader.unfinished === undefined ? [] : [reader.unfinished])].join(" ");
  }

  #bytesOf(samples: Int16Array): Uint8Array {
    return this.format.encoding === "mulaw" ? Uint8Array.from(samples, codeOf) : new Uint8Array(samples.buffer);
  }

  #blockOf(value: number): SpokenBlock {
    if (value === 0) return { type: "silence" };
    if (value === WORD_END) return { type: "word_end" };
    const word = this.#words[value / WORD_STEP - 1];
    if (word === undefined) throw new Error(`Sample value ${value} is no word of this test: the audio was changed on its way.`);
    return { type: "word", word };
  }

  #valueOf(word: string): number {
    let value = this.#values.get(word);
    if (value === undefined) {
      this.#words.push(word);
      value = this.#words.length * WORD_STEP;
      this.#values.set(word, value);
    }
    return value;
  }

  #sampleCount(durationMs: number): number {
    return (durationMs * this.format.sampleRate) / 1000;
  }
}

/** The mu-law code that stands for a sample value: codes count down from silence. */
function codeOf(value: number): number {
  if (value <= WORD_END) return MULAW_SILENCE - value;
  const word = value / WORD_STEP;
  if (word > MAX_MULAW_WORDS) throw new Error(`Mu-law has codes for ${MAX_MULAW_WORDS} different words, and this is one more.`);
  return MULAW_SILENCE - WORD_END - word;
}

function valueOf(code: number): number {
  const value = MULAW_SILENCE - code;
  return value <= WORD_END ? value : (value - WORD_END) * WORD_STEP;
}

/** Collects words from blocks, in the order they come. Silence within a word does not end it. */
export class WordReader {
  readonly #spoken: SpokenWords;
  #word: string | undefined;
  #blocks = 0;

  constructor(spoken: SpokenWords) {
    this.#spoken = spoken;
  }

  /** The word at hand, when at least half of it has come. */
  get unfinished(): string | undefined {
    if (this.#word === undefined) return undefined;
    return this.#blocks * BLOCK_MS * 2 >= this.#spoken.durationMs(this.#word) ? this.#word : undefined;
  }

  /** Reads on and returns the words that ended; one that was cut off counts when half of it came. */
  read(bytes: Uint8Array): string[] {
    const words: string[] = [];
    for (const block of this.#spoken.decode(bytes)) {
      if (block.type === "silence") continue;
      if (block.type === "word" && block.word === this.#word) {
        this.#blocks++;
        continue;
      }
      if (this.unfinished !== undefined) words.push(this.unfinished);
      this.#word = block.type === "word" ? block.word : undefined;
      this.#blocks = 1;
    }
    return words;
  }
}

export function wordsOf(text: string): string[] {
  return text.match(/\S+/g) ?? [];
}
