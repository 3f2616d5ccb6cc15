/** An utterance as lower-case words and digits; punctuation, accents and the dots of "p.m." are gone. */
export type Words = readonly string[];

const MARKS = /\p{M}/gu;

/** Splits a text, typed or recognised, into its words. Times keep their colon: `7:30`. */
export function wordsOf(text: string): string[] {
  const plain = text.normalize("NFD").replace(MARKS, "").toLowerCase().replaceAll("’", "'");
  const joined = plain.replace(/\b([ap])\.?\s?m\b\.?/g, " $1m ").replace(/\bo'?\s?clock\b/g, "o'clock");
  return joined.match(/\d{1,2}[:.]\d{2}(?!\d)|\d+|[a-z]+(?:'[a-z]+)*/g) ?? [];
}

/** Says whether `phrase` stands at `position`. */
export function standsAt(words: Words, position: number, phrase: Words): boolean {
  return phrase.every((word, index) => words[position + index] === word);
}

/** Where a phrase begins, or -1. */
export function findPhrase(words: Words, phrase: Words): number {
  if (phrase.length === 0) return -1;
  return words.findIndex((_, position) => standsAt(words, position, phrase));
}

/** Says whether one of the phrases, written as plain text, occurs. */
export function hasPhrase(words: Words, phrases: readonly string[]): boolean {
  return phrases.some((phrase) => findPhrase(words, wordsOf(phrase)) >= 0);
}

/** Words that carry nothing by themselves: politeness, hesitation, articles. */
const FILLERS = new Set(
  "a an the please thanks thank you uh um er ah oh well so ok okay and just like i i'd i'll i'm we we'd we're would want to it it's is that that's be let let's me us my our can could have do hi hello hey good evening morning afternoon".split(
    " ",
  ),
);

/** The words that carry something. */
export function contentWords(words: Words): string[] {
  return words.filter((word) => !FILLERS.has(word));
}
