import type { Phone } from "./voice.js";

/** When a word is spoken, in ms of its utterance. */
export interface WordTime {
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * Finds each word in the phones that were spoken. `words` are the phones of each word by itself; in a sentence
 * some change, appear or go, so that the two are aligned with the fewest changes. A word none of whose
 * phones was found has no time.
 */
export function wordTimes(words: readonly (readonly string[])[], phones: readonly Phone[]): (WordTime | undefined)[] {
  const spoken = phones.filter((phone) => phone.name !== "pau");
  const expected = words.flatMap((names, word) => names.map((name) => ({ name, word })));
  const times: (WordTime | undefined)[] = words.map(() => undefined);
  for (const [i, j] of alignment(
    expected.map(({ name }) => name),
    spoken.map(({ name }) => name),
  )) {
    const { word } = expected[i] as { readonly word: number };
    const { startMs, endMs } = spoken[j] as Phone;
    times[word] = { startMs: times[word]?.startMs ?? startMs, endMs };
  }
  return times;
}

/** Pairs of indices, in order, of the items that belong together where the fewest are changed. */
function alignment(a: readonly string[], b: readonly string[]): (readonly [number, number])[] {
  const width = b.length + 1;
  const costs = new Uint16Array((a.length + 1) * width);
  const cost = (i: number, j: number): number => costs[i * width + j] as number;
  for (let i = a.length; i >= 0; i--) {
    for (let j = b.length; j >= 0; j--) {
      const both = i < a.length && j < b.length;
      const replaced = both ? cost(i + 1, j + 1) + Number(a[i] !== b[j]) : Number.POSITIVE_INFINITY;
      const removed = i < a.length ? cost(i + 1, j) + 1 : Number.POSITIVE_INFINITY;
      const added = j < b.length ? cost(i, j + 1) + 1 : Number.POSITIVE_INFINITY;
      const least = Math.min(replaced, removed, added);
      costs[i * width + j] = Number.isFinite(least) ? least : 0;
    }
  }
  const pairs: [number, number][] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (cost(i, j) === cost(i + 1, j + 1) + Number(a[i] !== b[j])) pairs.push([i++, j++]);
    else if (cost(i, j) === cost(i + 1, j) + 1) i++;
    else j++;
  }
  return pairs;
}
