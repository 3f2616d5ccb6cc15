import type { SpokenWord } from "../core/tts.js";

/** How many characters a voice speaks in a second, until a sentence of this reply has shown it. */
const DEFAULT_CHARACTERS_PER_SECOND = 15;

interface Anchor {
  readonly textEnd: number;
  readonly audioMs: number;
}

/** How much of a text has been spoken at a moment of its audio. */
export interface HeardText {
  readonly textEnd: number;
  /** Whether the end was computed from a speaking rate and not told by the synthesiser. */
  readonly isEstimated: boolean;
}

/**
 * Maps the audio of one reply to its text: exactly where the synthesiser gives word times,
 * by proportion between the sentences' ends otherwise.
 */
export class SpeechMap {
  #text = "";
  #audioMs = 0;
  readonly #anchors: Anchor[] = [{ textEnd: 0, audioMs: 0 }];
  readonly #words: SpokenWord[] = [];

  get text(): string {
    return this.#text;
  }

  /** Length of all audio so far. */
  get audioMs(): number {
    return this.#audioMs;
  }

  addText(text: string): void {
    this.#text += text;
  }

  addAudio(durationMs: number): void {
    this.#audioMs += durationMs;
  }

  addWords(words: readonly SpokenWord[]): void {
    this.#words.push(...words);
  }

  /** All audio of the text up to `textEnd` has been added. */
  completeText(textEnd: number): void {
    this.#anchors.push({ textEnd: Math.min(textEnd, this.#text.length), audioMs: this.#audioMs });
  }

  /** The text spoken in the first `audioMs`, in whole words; a word counts from its middle on. */
  heardAt(audioMs: number): HeardText {
    if (audioMs <= 0) return { textEnd: 0, isEstimated: false };
    const after = this.#anchors.findIndex((anchor) => anchor.audioMs > audioMs + 0.5);
    const before = (after < 0 ? this.#anchors.at(-1) : this.#anchors[after - 1]) as Anchor;
    // Playout fills the last frame up: a little more audio than the text has.
    const isAll = before.textEnd === this.#text.length;
    if (isAll || Math.abs(before.audioMs - audioMs) <= 0.5) return { textEnd: before.textEnd, isEstimated: false };
    const next = after < 0 ? undefined : this.#anchors[after];
    const timed = this.#timedEnd(before.textEnd, audioMs);
    if (timed !== undefined) return { textEnd: Math.min(timed, next?.textEnd ?? this.#text.length), isEstimated: false };
    return { textEnd: this.#estimatedEnd(before, next, audioMs), isEstimated: true };
  }

  #timedEnd(textStart: number, audioMs: number): number | undefined {
    const words = this.#words.filter((word) => word.textStart >= textStart);
    const first = words[0];
    // Without times for the words at hand there is nothing exact to say.
    if (first === undefined) return undefined;
    let end = textStart;
    for (const word of words) {
      if ((word.startMs + word.endMs) / 2 > audioMs) break;
      end = Math.max(end, word.textEnd);
    }
    return end;
  }

  #estimatedEnd(before: Anchor, next: Anchor | undefined, audioMs: number): number {
    const limit = next?.textEnd ?? this.#text.length;
    const characters =
      next === undefined
        ? ((audioMs - before.audioMs) / 1000) * this.#charactersPerSecond(before)
        : (limit - before.textEnd) * ((audioMs - before.audioMs) / (next.audioMs - before.audioMs));
    const position = before.textEnd + characters;
    let end = before.textEnd;
    for (const match of this.#text.slice(before.textEnd, limit).matchAll(/\S+/g)) {
      const start = before.textEnd + match.index;
      if (start + match[0].length / 2 > position) break;
      end = start + match[0].length;
    }
    return end;
  }

  #charactersPerSecond(spoken: Anchor): number {
    if (spoken.audioMs === 0) return DEFAULT_CHARACTERS_PER_SECOND;
    return (spoken.textEnd / spoken.audioMs) * 1000;
  }
}
