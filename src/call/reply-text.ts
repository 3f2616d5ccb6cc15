import type { SpokenWord } from "../core/tts.js";
import { SpeechMap } from "./heard-text.js";

interface Sentence {
  readonly round: number;
  /** As the model wrote it. */
  readonly source: string;
  /** As the voice speaks it. */
  readonly spoken: string;
  readonly spokenStart: number;
}

/** What was heard of a reply, by rounds of the model. */
export interface HeardReply {
  readonly rounds: readonly string[];
  readonly text: string;
  readonly heard: string;
  readonly isEstimated: boolean;
}

/** The text of one reply in the order it is spoken, and which part of it a moment of its audio has reached. */
export class ReplyText {
  readonly #map = new SpeechMap();
  readonly #sentences: Sentence[] = [];

  get audioMs(): number {
    return this.#map.audioMs;
  }

  get isEmpty(): boolean {
    return this.#sentences.length === 0;
  }

  /** All text so far, as spoken. */
  get spoken(): string {
    return this.#map.text;
  }

  /** Adds a sentence and returns what to write to the synthesiser. */
  add(round: number, source: string, spoken: string): string {
    const written = this.#sentences.length === 0 ? spoken : ` ${spoken}`;
    const spokenStart = this.#map.text.length + written.length - spoken.length;
    this.#sentences.push({ round, source: source.trim(), spoken, spokenStart });
    this.#map.addText(written);
    return written;
  }

  addAudio(durationMs: number): void {
    this.#map.addAudio(durationMs);
  }

  addWords(words: readonly SpokenWord[]): void {
    this.#map.addWords(words);
  }

  completeText(textEnd: number): void {
    this.#map.completeText(textEnd);
  }

  /** The text of one round of the model, heard or not. */
  roundText(round: number): string {
    return this.#join((sentence) => (sentence.round === round ? sentence.source : ""));
  }

  /** What the first `audioMs` of the reply's audio have said. */
  heardAt(audioMs: number, isEstimated: boolean): HeardReply {
    const heard = this.#map.heardAt(audioMs);
    const part = (sentence: Sentence): string => heardPart(sentence, heard.textEnd);
    const rounds = (this.#sentences.at(-1)?.round ?? -1) + 1;
    return {
      rounds: Array.from({ length: rounds }, (_, round) =>
        this.#join((sentence) => (sentence.round === round ? part(sentence) : "")),
      ),
      text: this.#join((sentence) => sentence.source),
      heard: this.#join(part),
      isEstimated: isEstimated || heard.isEstimated,
    };
  }

  #join(part: (sentence: Sentence) => string): string {
    return this.#sentences.map(part).filter(Boolean).join(" ");
  }
}

/** The words of a sentence's source that are spoken before `textEnd`. */
function heardPart(sentence: Sentence, textEnd: number): string {
  const { source, spoken, spokenStart } = sentence;
  if (textEnd >= spokenStart + spoken.length) return source;
  if (textEnd <= spokenStart) return "";
  const heard = spoken.slice(0, textEnd - spokenStart);
  if (spoken === source) return heard.trimEnd();
  // The voice says other words than the text holds: the same share of its words was heard.
  const words = wordsOf(source);
  const share = wordsOf(heard).length / wordsOf(spoken).length;
  return words
    .slice(0, Math.round(share * words.length))
    .join("")
    .trimEnd();
}

/** Words with the marks before them: "- **Fish**" is one. */
function wordsOf(text: string): readonly string[] {
  return text.match(/[^\p{L}\p{N}]*[\p{L}\p{N}]\S*\s*/gu) ?? [];
}
