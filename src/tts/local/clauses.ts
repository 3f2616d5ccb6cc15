/** A part of a text that is synthesised in one go. */
export interface Clause {
  /** Offsets into the text. */
  readonly start: number;
  readonly end: number;
  /** The silence that belongs behind it when more is said, in ms. */
  readonly pauseMs: number;
}

/** A sentence up to this long is one clause: cutting it would cost more melody than it saves time. */
const SHORT = 44;
/** The first clause of a longer one should not be longer than this, so that it is heard soon … */
const FIRST = 60;
/** … and the others than this, so that calls take turns. */
const LONGEST = 110;
/** Nothing shorter than this is cut off. */
const SHORTEST = 10;

const SENTENCE_PAUSE_MS = 280;
const COLON_PAUSE_MS = 180;
const COMMA_PAUSE_MS = 110;
const NO_PAUSE_MS = 20;

const SENTENCE_END = /[.!?…]+["'”’)\]]*(?=\s)|\n/g;
/** A full stop behind one of these, or behind an initial, ends no sentence. */
const ABBREVIATION = /(?:^|[\s(])(?:mr|mrs|ms|dr|prof|st|vs|etc|e\.g|i\.e|approx|jr|sr|no|\p{L})$/iu;
const MARK = /[,;:—–)](?=\s)| (?=[—–(])|[—–](?=\p{L})/gu;
const CONJUNCTION = / (?=(?:and|but|or|so|because|which|that|when|while|where|if|unless|until|before|after) )/gi;
const SPACE = /\s(?=\S)/g;

/** Cuts a text into clauses, whose ranges are the whole text; the first one is short, to be heard soon. */
export function clauses(text: string): Clause[] {
  const cut: Clause[] = [];
  let start = 0;
  for (const end of sentenceEnds(text)) {
    while (end - start > longest(cut.length)) {
      const position = cutPosition(text.slice(start, end), cut.length === 0 ? FIRST : LONGEST);
      if (position === undefined) break;
      cut.push({ start, end: start + position, pauseMs: pauseAfter(text.slice(start, start + position)) });
      start += position;
    }
    cut.push({ start, end, pauseMs: SENTENCE_PAUSE_MS });
    start = end;
  }
  return cut;
}

function longest(index: number): number {
  return index === 0 ? SHORT : LONGEST;
}

function sentenceEnds(text: string): number[] {
  const ends: number[] = [];
  for (const match of text.matchAll(SENTENCE_END)) {
    const end = match.index + match[0].length;
    const follows = text.slice(end).trimStart()[0];
    if (follows === undefined) continue;
    const isStop = match[0] === ".";
    if (isStop && (ABBREVIATION.test(text.slice(0, match.index)) || follows !== follows.toUpperCase())) continue;
    ends.push(end);
  }
  ends.push(text.length);
  return ends;
}

/** Where to cut a long sentence: at a mark, else before a conjunction, and when it must be between words. */
function cutPosition(sentence: string, limit: number): number | undefined {
  const places = (pattern: RegExp): number[] =>
    [...sentence.matchAll(pattern)]
      .map((match) => match.index + match[0].length)
      .filter((at) => at >= SHORTEST && sentence.length - at >= SHORTEST && at <= limit);
  const position = limit === FIRST ? places(MARK)[0] : places(MARK).at(-1);
  const needsCut = sentence.length > Math.max(limit, FIRST);
  if (position !== undefined || !needsCut) return position;
  return places(CONJUNCTION).at(-1) ?? (sentence.length > LONGEST ? (places(SPACE).at(-1) ?? limit) : undefined);
}

function pauseAfter(clause: string): number {
  const last = clause.trimEnd().at(-1) as string;
  if (";:—–".includes(last)) return COLON_PAUSE_MS;
  return ",)".includes(last) ? COMMA_PAUSE_MS : NO_PAUSE_MS;
}
