import type { SpokenWord, TtsEvent } from "../core/tts.js";

/** When characters are spoken, as a vendor tells it; the three lists have the same length. */
export interface CharacterTimes {
  readonly characters: readonly string[];
  readonly startMs: readonly number[];
  readonly durationMs: readonly number[];
}

/** How many characters a vendor's text may leave out of ours before the two are taken to have parted. */
const MAX_SKIPPED_CHARACTERS = 60;
/** So many characters in a row must agree where the two are to go on together. */
const AGREEING_CHARACTERS = 3;
/** Vendors' times and their audio differ by so much, in ms, at the end of a text. */
const TIME_TOLERANCE_MS = 100;
/** Times that lead by more than a character lasts, in ms, came ahead of their audio. */
const TIMES_AHEAD_MS = 250;

/**
 * Follows one reply through its audio: which words of the text that was written are spoken when, and which flushes are
 * complete. Vendors tell characters of the text as they read it: without some of ours, with some of their own, in pieces.
 */
export class SpokenText {
  #text = "";
  /** Where the text goes on that has not been spoken yet. */
  #position = 0;
  #audioMs = 0;
  /** Where the last timed character ends. */
  #timedMs = 0;
  /** Where the last of them ends that is in our text. */
  #matchedMs = 0;
  #word: { readonly textStart: number; readonly startMs: number } | undefined;
  readonly #flushes: { readonly textEnd: number; readonly beganMs: number | undefined }[] = [];
  /** Up to where flushes have been completed. */
  #completeEnd = 0;

  /** All text so far. */
  get text(): string {
    return this.#text;
  }

  /** Length of all audio so far, in ms. */
  get audioMs(): number {
    return this.#audioMs;
  }

  /** Whether text has been written that no flush has asked for. */
  get hasPending(): boolean {
    return this.#text.length > (this.#flushes.at(-1)?.textEnd ?? this.#completeEnd);
  }

  /** Flushes whose audio is still owed. */
  get owed(): number {
    return this.#flushes.length;
  }

  /** Whether audio of the oldest flush that is owed has come. */
  get hasBegun(): boolean {
    return this.#flushes.length > 0 && this.#audioMs > (this.#flushes[0]?.beganMs ?? this.#audioMs);
  }

  write(text: string): void {
    this.#text += text;
  }

  /** Everything written so far is to be spoken now. Returns the part of it that was not flushed before. */
  flush(): string {
    const textStart = this.#flushes.at(-1)?.textEnd ?? this.#completeEnd;
    const isFirst = this.#flushes.length === 0;
    this.#flushes.push({ textEnd: this.#text.length, beganMs: isFirst ? this.#audioMs : undefined });
    return this.#text.slice(textStart);
  }

  addAudio(durationMs: number): void {
    this.#audioMs += durationMs;
  }

  /**
   * Takes the times of what comes next. `readings` are the same stretch of audio told in several ways, best first; the first
   * that goes on where our text stands is used. `baseMs`: what their times count from.
   */
  addTimes(readings: readonly CharacterTimes[], baseMs: number): readonly TtsEvent[] {
    const reading = readings.find((candidate) => this.#continues(candidate)) ?? readings[0];
    if (reading === undefined) return [];
    const words: SpokenWord[] = [];
    reading.characters.forEach((character, index) => {
      const startMs = baseMs + (reading.startMs[index] ?? 0);
      const endMs = startMs + (reading.durationMs[index] ?? 0);
      const isOurs = character.trim() !== "" && this.#speak(reading.characters, index, startMs, words);
      this.#timedMs = Math.max(this.#timedMs, endMs);
      if (!isOurs) return;
      this.#matchedMs = this.#timedMs;
      this.#finishWordAtItsEnd(words);
    });
    return words.length === 0 ? [] : [{ type: "words", words }];
  }

  /**
   * Where the next piece begins. Vendors may send times ahead of their audio; the end of a character that is cut in two by
   * the end of a piece is no such case.
   */
  get nextMs(): number {
    return this.#timedMs - this.#audioMs > TIMES_AHEAD_MS ? this.#timedMs : this.#audioMs;
  }

  /** The flushes whose text has been spoken to its end. */
  completed(): readonly TtsEvent[] {
    const events: TtsEvent[] = [];
    for (let flush = this.#flushes[0]; flush !== undefined; flush = this.#flushes[0]) {
      const rest = this.#text.slice(this.#position, flush.textEnd);
      const isSpoken = rest.trim() === "" && this.#audioMs >= this.#timedMs - TIME_TOLERANCE_MS;
      // Text without a letter or a digit has no sound that could be waited for.
      const isSilent = !isSpeakable(this.#text.slice(this.#completeEnd, flush.textEnd));
      const isPassed = this.#position > flush.textEnd;
      if (!isSpoken && !isSilent && !isPassed) break;
      events.push(...this.completeNext());
    }
    return events;
  }

  /** All audio of the oldest flush that is owed has come, whatever the times say. */
  completeNext(): readonly TtsEvent[] {
    const flush = this.#flushes.shift();
    if (flush === undefined) return [];
    const words: SpokenWord[] = [];
    this.#finishWord(words, flush.textEnd);
    this.#position = Math.max(this.#position, flush.textEnd);
    this.#timedMs = Math.min(this.#timedMs, this.#audioMs);
    this.#matchedMs = Math.min(this.#matchedMs, this.#audioMs);
    this.#completeEnd = flush.textEnd;
    const [next] = this.#flushes;
    if (next !== undefined) this.#flushes[0] = { textEnd: next.textEnd, beganMs: this.#audioMs };
    const flushed: TtsEvent = { type: "flushed", textEnd: flush.textEnd };
    return words.length === 0 ? [flushed] : [{ type: "words", words }, flushed];
  }

  /** Whether all of the vendor's characters are the ones that come next in our text. */
  #continues({ characters }: CharacterTimes): boolean {
    const theirs = characters.join("").replace(/\s+/g, "");
    const ours = this.#text
      .slice(this.#position, this.#position + 2 * theirs.length + MAX_SKIPPED_CHARACTERS)
      .replace(/\s+/g, "");
    return ours.startsWith(theirs);
  }

  /** Moves to the place in our text where this character is spoken; says whether there is one. */
  #speak(characters: readonly string[], index: number, startMs: number, words: SpokenWord[]): boolean {
    const character = characters[index] as string;
    const position = this.#find(characters, index);
    if (position === undefined) return false;
    if (position > this.#position) this.#skipTo(position, startMs, words);
    this.#word ??= { textStart: this.#wordStart(position), startMs };
    this.#position = position + character.length;
    return true;
  }

  #find(characters: readonly string[], index: number): number | undefined {
    const character = characters[index] as string;
    const next = this.#afterSpace(this.#position);
    if (same(this.#text.slice(next, next + character.length), character)) return next;
    const wanted = characters.slice(index).join("").replace(/\s+/g, "").slice(0, AGREEING_CHARACTERS);
    if (wanted.length < Math.min(AGREEING_CHARACTERS, characters.length - index)) return undefined;
    for (let position = next; position < Math.min(this.#text.length, next + MAX_SKIPPED_CHARACTERS); position++) {
      const here = this.#text.slice(position, position + 2 * AGREEING_CHARACTERS).replace(/\s+/g, "");
      if (/\S/.test(this.#text[position] as string) && same(here.slice(0, wanted.length), wanted)) return position;
    }
    return undefined;
  }

  /** What lies between is spoken as well, only told in other words. */
  #skipTo(position: number, startMs: number, words: SpokenWord[]): void {
    const start = this.#afterSpace(this.#position);
    const end = this.#text.slice(0, position).trimEnd().length;
    if (this.#wordStart(position) === this.#wordStart(start)) return;
    this.#finishWord(words, this.#wordEnd(this.#position));
    const from = this.#afterSpace(Math.max(start, words.at(-1)?.textEnd ?? 0));
    if (from < end) words.push({ textStart: from, textEnd: end, startMs: Math.min(this.#matchedMs, startMs), endMs: startMs });
  }

  #finishWordAtItsEnd(words: SpokenWord[]): void {
    const isAtEnd = /\s/.test(this.#text[this.#position] ?? "");
    if (isAtEnd || this.#flushes.some(({ textEnd }) => textEnd === this.#position)) this.#finishWord(words, this.#position);
  }

  #finishWord(words: SpokenWord[], textEnd: number): void {
    if (this.#word === undefined) return;
    words.push({ ...this.#word, textEnd: this.#text.slice(0, textEnd).trimEnd().length, endMs: this.#matchedMs });
    this.#word = undefined;
  }

  #afterSpace(position: number): number {
    let next = position;
    while (next < this.#text.length && /\s/.test(this.#text[next] as string)) next++;
    return next;
  }

  #wordStart(position: number): number {
    let start = position;
    while (start > 0 && /\S/.test(this.#text[start - 1] as string)) start--;
    return start;
  }

  #wordEnd(position: number): number {
    let end = position;
    while (end < this.#text.length && /\S/.test(this.#text[end] as string)) end++;
    return end;
  }
}

/** Says whether a text has anything to pronounce. */
export function isSpeakable(text: string): boolean {
  return /[\p{L}\p{N}]/u.test(text);
}

function same(ours: string, theirs: string): boolean {
  return ours === theirs || ours.toLowerCase() === theirs.toLowerCase();
}
