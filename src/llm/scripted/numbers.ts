import type { Words } from "./words.js";

const UNITS =
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(
    " ",
  );
const TENS = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const ORDINAL_UNITS =
  "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth".split(
    " ",
  );
const ORDINAL_ENDINGS = new Set(["st", "nd", "rd", "th"]);

/** What a recogniser writes for a small number. */
const HOMOPHONES: Readonly<Record<string, number>> = {
  won: 1,
  to: 2,
  too: 2,
  tree: 3,
  for: 4,
  fore: 4,
  thor: 4,
  fife: 5,
  hive: 5,
  sick: 6,
  sicks: 6,
  ate: 8,
  nigh: 9,
};

/** Something read out of an utterance; `end` is the position behind it. */
export interface Reading<Value> {
  readonly value: Value;
  readonly end: number;
}

/** Reads a number from 0 to 99 in words, or any in digits. */
export function readNumber(words: Words, position: number): Reading<number> | undefined {
  const word = words[position];
  if (word === undefined) return undefined;
  if (/^\d+$/.test(word)) return { value: Number(word), end: position + 1 };
  const unit = UNITS.indexOf(word);
  if (unit >= 0) return { value: unit, end: position + 1 };
  const tens = TENS.indexOf(word);
  if (tens < 2) return undefined;
  const next = UNITS.indexOf(words[position + 1] ?? "");
  return next >= 1 && next <= 9 ? { value: tens * 10 + next, end: position + 2 } : { value: tens * 10, end: position + 1 };
}

/** Reads a word that sounds like a small number. It is one only where nothing else makes sense. */
export function readHomophone(words: Words, position: number): Reading<number> | undefined {
  const value = HOMOPHONES[words[position] ?? ""];
  return value === undefined ? undefined : { value, end: position + 1 };
}

/** Reads an ordinal from first to ninety-ninth, in words or as `25th`. */
export function readOrdinal(words: Words, position: number): Reading<number> | undefined {
  const word = words[position];
  if (word === undefined) return undefined;
  if (/^\d+$/.test(word) && ORDINAL_ENDINGS.has(words[position + 1] ?? "")) return { value: Number(word), end: position + 2 };
  const unit = ORDINAL_UNITS.indexOf(word);
  if (unit >= 1) return { value: unit, end: position + 1 };
  const round = TENS.findIndex((tens) => tens !== "" && word === tens.replace(/y$/, "ieth"));
  if (round >= 2) return { value: round * 10, end: position + 1 };
  const tens = TENS.indexOf(word);
  const next = ORDINAL_UNITS.indexOf(words[position + 1] ?? "");
  return tens >= 2 && next >= 1 && next <= 9 ? { value: tens * 10 + next, end: position + 2 } : undefined;
}

/** A number from 0 to 99 in words; digits above. */
export function sayNumber(value: number): string {
  if (!Number.isInteger(value) || value < 0 || value > 99) return String(value);
  const unit = UNITS[value];
  if (unit !== undefined) return unit;
  const tens = TENS[Math.floor(value / 10)] ?? "";
  return value % 10 === 0 ? tens : `${tens}-${UNITS[value % 10]}`;
}

/** An ordinal from first to ninety-ninth in words. */
export function sayOrdinal(value: number): string {
  const unit = ORDINAL_UNITS[value];
  if (unit !== undefined) return unit;
  const tens = TENS[Math.floor(value / 10)] ?? "";
  return value % 10 === 0 ? tens.replace(/y$/, "ieth") : `${tens}-${ORDINAL_UNITS[value % 10]}`;
}
