import { type Reading, readHomophone, readNumber, sayNumber } from "./numbers.js";
import { BARE, EXPLICIT, INTRODUCED, LEANING, type Slot, type SlotMatch, type SlotOptions } from "./slot.js";
import { contentWords, findPhrase, standsAt, type Words, wordsOf } from "./words.js";

/** A whole number of something. */
export interface NumberSlotOptions extends SlotOptions<number> {
  /** What is counted, singular and plural: "person", "people", "of us". The first two read the value back. */
  readonly nouns: readonly [string, string, ...string[]];
  /** What stands before the number: "table for", "party of", "for". */
  readonly introductions?: readonly string[];
  /** Phrases that stand for a number: `{ "just me": 1 }`. */
  readonly phrases?: Readonly<Record<string, number>>;
}

/** Words behind which a number that sounds like a preposition must be a number: "a table for too at eight". */
const FOLLOWERS = new Set(
  "at on please thanks thank tomorrow tonight today this next monday tuesday wednesday thursday friday saturday sunday".split(
    " ",
  ),
);

/** Asks for a number: "four", "for four", "four people", "two adults and two children"; also as recognisers mishear them. */
export function numberSlot(options: NumberSlotOptions): Slot<number> {
  const nouns = options.nouns.map(wordsOf);
  const introductions = (options.introductions ?? []).map(wordsOf);
  const phrases = Object.entries(options.phrases ?? {}).map(([phrase, value]) => ({ phrase: wordsOf(phrase), value }));
  const [singular, plural] = options.nouns;
  return {
    ask: options.ask,
    names: options.names ?? [],
    find: (words) => [...findNumbers(words, nouns, introductions), ...findPhrases(words, phrases)],
    say: (value) => `${sayNumber(value)} ${value === 1 ? singular : plural}`,
    check: (value) => options.check?.(value),
  };
}

function findNumbers(words: Words, nouns: readonly Words[], introductions: readonly Words[]): SlotMatch<number>[] {
  const matches = words.flatMap((_, position) => {
    const number = readNumber(words, position);
    if (number !== undefined) return [matchNumber(words, position, number, nouns, introductions)];
    const homophone = readHomophone(words, position);
    return homophone === undefined ? [] : matchHomophone(words, position, homophone, nouns, introductions);
  });
  return [...matches, ...sums(words, matches)];
}

function matchNumber(
  words: Words,
  position: number,
  number: Reading<number>,
  nouns: readonly Words[],
  introductions: readonly Words[],
): SlotMatch<number> {
  const introduction = introductionBefore(words, position, introductions);
  const start = position - (introduction?.length ?? 0);
  const noun = nounAt(words, number.end, nouns);
  if (noun !== undefined) return { value: number.value, start, end: number.end + noun.length, strength: EXPLICIT };
  return { value: number.value, start, end: number.end, strength: introductionStrength(introduction) };
}

function matchHomophone(
  words: Words,
  position: number,
  number: Reading<number>,
  nouns: readonly Words[],
  introductions: readonly Words[],
): SlotMatch<number>[] {
  const { value, end } = number;
  const introduction = introductionBefore(words, position, introductions);
  const start = position - (introduction?.length ?? 0);
  const noun = nounAt(words, end, nouns);
  if (noun !== undefined) return [{ value, start, end: end + noun.length, strength: EXPLICIT }];
  const next = words[end];
  if (introduction !== undefined && (next === undefined || FOLLOWERS.has(next)))
    return [{ value, start, end, strength: introductionStrength(introduction) }];
  const rest = contentWords([...words.slice(0, position), ...words.slice(end)]);
  return rest.length === 0 && words.length <= 3 ? [{ value, start: position, end, strength: BARE }] : [];
}

/** "Two adults and three children" are five. */
function sums(words: Words, matches: readonly SlotMatch<number>[]): SlotMatch<number>[] {
  const counted = matches.filter(({ strength }) => strength === EXPLICIT);
  return counted.flatMap((first) =>
    counted
      .filter((second) => second.start === first.end + 1 && (words[first.end] === "and" || words[first.end] === "plus"))
      .map((second) => ({ value: first.value + second.value, start: first.start, end: second.end, strength: EXPLICIT })),
  );
}

function findPhrases(words: Words, phrases: readonly { readonly phrase: Words; readonly value: number }[]): SlotMatch<number>[] {
  return phrases.flatMap(({ phrase, value }) => {
    const start = findPhrase(words, phrase);
    return start < 0 ? [] : [{ value, start, end: start + phrase.length, strength: EXPLICIT }];
  });
}

function nounAt(words: Words, position: number, nouns: readonly Words[]): Words | undefined {
  return nouns
    .filter((noun) => standsAt(words, position, noun))
    .reduce<Words | undefined>((longest, noun) => (noun.length > (longest?.length ?? 0) ? noun : longest), undefined);
}

function introductionBefore(words: Words, position: number, introductions: readonly Words[]): Words | undefined {
  return introductions
    .filter((phrase) => position >= phrase.length && standsAt(words, position - phrase.length, phrase))
    .reduce<Words | undefined>((longest, phrase) => (phrase.length > (longest?.length ?? 0) ? phrase : longest), undefined);
}

function introductionStrength(introduction: Words | undefined): number {
  if (introduction === undefined) return BARE;
  return introduction.length > 1 ? INTRODUCED : LEANING;
}
