import type { Words } from "./words.js";

/**
 * How sure a reading is. `BARE` is taken only when this slot was asked for ("four"); `LEANING` has a word before it
 * that can mean anything ("for four"), `HINTED` one that means little else ("at four"), `INTRODUCED` a phrase
 * ("a table for four"); `SHAPED` has the shape of nothing else ("seven thirty"); `EXPLICIT` names its kind
 * ("four people", "eight o'clock", "friday").
 */
export const BARE = 1;
export const LEANING = 1.5;
export const HINTED = 2;
export const INTRODUCED = 3;
export const SHAPED = 4;
export const EXPLICIT = 5;

/** A value read in an utterance, at `start` up to and without `end`. */
export interface SlotMatch<Value> {
  readonly value: Value;
  readonly start: number;
  readonly end: number;
  readonly strength: number;
}

/** Something the dialogue has to find out. */
export interface Slot<Value> {
  /** The questions, in order: the second and later ones are for a caller who was not understood. */
  readonly ask: readonly [string, ...string[]];
  /** What callers call it when they want to change it: "time", "number of people". */
  readonly names: readonly string[];
  /** Reads every value that the words may mean. */
  find(words: Words): readonly SlotMatch<Value>[];
  /** The value as it is read back. */
  say(value: Value): string;
  /** Why the value cannot be taken, as a sentence; `undefined` when it can. */
  check(value: Value): string | undefined;
}

/** What every kind of slot is told. */
export interface SlotOptions<Value> {
  readonly ask: readonly [string, ...string[]];
  readonly names?: readonly string[];
  readonly check?: (value: Value) => string | undefined;
}

/** Slots by name, in the order in which they are asked. */
export type Slots = Readonly<Record<string, Slot<unknown>>>;

/** The values of slots, by name. */
export type SlotValues<S extends Slots> = { readonly [Name in keyof S]: S[Name] extends Slot<infer Value> ? Value : never };

/**
 * What being asked for adds to a weak reading: to "at what time?" "for seven" is a time, not a number of people;
 * to "how many?" "at seven" is a time all the same.
 */
const ASKED = 0.75;

interface Candidate extends SlotMatch<unknown> {
  readonly slot: string;
  readonly isValid: boolean;
}

/**
 * Reads the slots' values in an utterance. No two readings share a word: the valid, the surer and the longer one wins.
 * Of several values of one slot the last said counts ("friday, no, saturday"). What stands behind "not" does not.
 */
export function readSlots(slots: Slots, words: Words, asked: string | undefined): ReadonlyMap<string, unknown> {
  const candidates = Object.entries(slots).flatMap(([name, slot]) => candidatesFor(name, slot, words, name === asked));
  candidates.sort(
    (a, b) =>
      Number(b.isValid) - Number(a.isValid) ||
      b.strength - a.strength ||
      b.end - b.start - (a.end - a.start) ||
      a.start - b.start,
  );
  const claimed: Candidate[] = [];
  for (const candidate of candidates) {
    if (claimed.every(({ start, end }) => candidate.end <= start || candidate.start >= end)) claimed.push(candidate);
  }
  claimed.sort((a, b) => a.start - b.start);
  return new Map(claimed.map(({ slot, value }) => [slot, value]));
}

function candidatesFor(name: string, slot: Slot<unknown>, words: Words, isAsked: boolean): Candidate[] {
  const matches = slot.find(words).filter(({ start }) => words[start - 1] !== "not");
  // Beside "two people" a lone "seven" is something else.
  const takesBare = isAsked && matches.every(({ strength }) => strength === BARE);
  return matches
    .filter(({ strength }) => strength > BARE || takesBare)
    .map((match) => ({
      ...match,
      strength: isAsked && match.strength < HINTED ? match.strength + ASKED : match.strength,
      slot: name,
      isValid: slot.check(match.value) === undefined,
    }));
}
