/** A part of a text that is synthesised in one go. */
export interface Clause {
  /** Offsets into the text. */
  readonly start: number;
  readonly end: number;
  /** The silence that belongs behind it when more is said, in ms. */
  readonly pauseMs: number;
}

/** A sentence up to this many characters long is not cut: that would cost more melody than it saves time. */
const SHORT = 44;
/** The first clause of a longer one is cut within this, where it can be, so that it is heard soon … */
const FIRST = 60;
/** … and none is longer than this, so that calls take turns. */
const LONGEST = 110;
/** Nothing shorter than this is cut off. */
const SHORTEST = 10;
const LOOK_AHEAD = 4 * LONGEST;

const SENTENCE_PAUSE_MS = 280;
const COLON_PAUSE_MS = 180;
const COMMA_PAUSE_MS = 110;
const NO_PAUSE_MS = 20;

const SENTENCE_END = /([.!?…]+)["'”’)\]]*(?=\s+(\S))|\n\s*/g;
/** A full stop behind one of these, or behind an initial, ends no sentence. */
const ABBREVIATION = /(?:^|[\s(])(?:mr|mrs|ms|dr|prof|st|vs|etc|e\.g|i\.e|approx|jr|sr|\p{L})$/iu;
const LONGEST_ABBREVIATION = 10;
const MARK = /[,;:—–)](?=\s)| (?=\()|[—–](?=\p{L})/gu;
const CONJUNCTION = / (?=(?:and|but|or|so|because|which|that|when|while|where|if|unless|until|before|after) )/gi;
const SPACE = /\s(?=\S)/g;

/** Cuts a text into clauses, whose ranges are the whole text; the first one is short, to be heard soon. */
export function clauses(text: string): Clause[] {
  const cut: Clause[] = [];
  let start = 0;
  for (const sentenceEnd of sentenceEnds(text)) {
    let position: number | undefined;
    do {
      const sentence = text.slice(start, Math.min(sentenceEnd, start + LOOK_AHEAD));
      position = (start === 0 ? firstCut(sentence) : undefined) ?? lastCut(sentence);
      const end = position === undefined ? sentenceEnd : start + position;
      cut.push({ start, end, pauseMs: position === undefined ? SENTENCE_PAUSE_MS : pauseAfter(text.slice(start, end)) });
      start = end;
    } while (position !== undefined);
  }
  return cut;
}

function sentenceEnds(text: string): number[] {
  const ends: number[] = [];
  for (const match of text.matchAll(SENTENCE_END)) {
    const [all, marks, next = ""] = match;
    const before = text.slice(Math.max(0, match.index - LONGEST_ABBREVIATION), match.index);
    if (marks === "." && (ABBREVIATION.test(before) || next !== next.toUpperCase())) continue;
    const end = match.index + all.length;
    if (end < text.length) ends.push(end);
  }
  ends.push(text.length);
  return ends;
}

/** Where to cut the first clause off a sentence, if it should be cut. */
function firstCut(sentence: string): number | undefined {
  if (sentence.length <= SHORT) return undefined;
  const marks = places(sentence, MARK);
  const early = marks.find((at) => at <= FIRST);
  if (early !== undefined || sentence.length <= FIRST) return early;
  const conjunctions = places(sentence, CONJUNCTION);
  const soon = conjunctions.findLast((at) => at <= FIRST);
  return soon ?? [...marks, ...conjunctions].toSorted((a, b) => a - b).find((at) => at <= LONGEST);
}

/** Where to cut a sentence that is too long in any case: between words if nothing better, within one if it must be. */
function lastCut(sentence: string): number | undefined {
  if (sentence.length <= LONGEST) return undefined;
  const within = [MARK, CONJUNCTION, SPACE].map((pattern) => places(sentence, pattern).findLast((at) => at <= LONGEST));
  return within.find((at) => at !== undefined) ?? LONGEST;
}

function places(sentence: string, pattern: RegExp): number[] {
  const ends = [...sentence.matchAll(pattern)].map((match) => match.index + match[0].length);
  return ends.filter((at) => at >= SHORTEST && sentence.length - at >= SHORTEST);
}

function pauseAfter(clause: string): number {
  const last = clause.trimEnd().at(-1) ?? "";
  if (";:—–".includes(last)) return COLON_PAUSE_MS;
  return ",)".includes(last) ? COMMA_PAUSE_MS : NO_PAUSE_MS;
}
