const TERMINATORS = ".!?…。！？";
const CLOSERS = "\"'”’)]»」』）*_`";
/** A full stop after one of these ends no sentence. */
const ABBREVIATIONS = new Set(["mr", "mrs", "ms", "dr", "prof", "st", "vs", "etc", "e.g", "i.e", "approx", "jr", "sr"]);
/** A full stop after one of these ends a sentence only before a capital letter. */
const AMBIGUOUS = new Set(["a.m", "p.m", "inc", "ltd", "co"]);
/** A full stop after one of these ends a sentence unless a number follows. */
const NUMBERING = new Set(["no"]);

/** The sentences of a whole text. */
export function sentencesOf(text: string): string[] {
  const splitter = new SentenceSplitter();
  return [...splitter.push(text), ...splitter.flush()];
}

/** Cuts a stream of text into sentences, each as soon as it is certain that it has ended. */
export class SentenceSplitter {
  #buffer = "";

  /** Adds text and returns the sentences it completed, with their white space. */
  push(text: string): string[] {
    this.#buffer += text;
    const sentences: string[] = [];
    for (let end = sentenceEnd(this.#buffer); end !== undefined; end = sentenceEnd(this.#buffer)) {
      const sentence = this.#buffer.slice(0, end);
      this.#buffer = this.#buffer.slice(end);
      if (sentence.trim() !== "") sentences.push(sentence);
    }
    return sentences;
  }

  /** Returns what is left, if anything. */
  flush(): string[] {
    const rest = this.#buffer;
    this.#buffer = "";
    return rest.trim() === "" ? [] : [rest];
  }
}

/** Where the first certain sentence ends, its trailing white space included. */
function sentenceEnd(text: string): number | undefined {
  for (let index = 0; index < text.length; index++) {
    const character = text[index] as string;
    if (character === "\n") return index + 1;
    if (!TERMINATORS.includes(character)) continue;
    let end = index + 1;
    while (end < text.length && (TERMINATORS + CLOSERS).includes(text[end] as string)) end++;
    // The next characters decide: nothing is certain at the end of what has arrived.
    if (end >= text.length) return undefined;
    if (isWide(character)) return end;
    if (!/\s/.test(text[end] as string)) continue;
    if (character !== ".") return end + 1;
    const word = wordBefore(text, index);
    if (ABBREVIATIONS.has(word) || isInitial(word) || isListNumber(text, index)) continue;
    const isAmbiguous = AMBIGUOUS.has(word.replace(/^\d+/, ""));
    if (isAmbiguous || NUMBERING.has(word)) {
      const next = text.slice(end).trimStart()[0];
      if (next === undefined) return undefined;
      if (isAmbiguous ? next === next.toLowerCase() : /\d/.test(next)) continue;
    }
    return end + 1;
  }
  return undefined;
}

/** Chinese and Japanese put no space behind a sentence. */
function isWide(character: string): boolean {
  return "。！？".includes(character);
}

function wordBefore(text: string, index: number): string {
  return (/[\p{L}\d.]*$/u.exec(text.slice(0, index))?.[0] ?? "").toLowerCase();
}

/** The 1 of a list's "1. Fish". */
function isListNumber(text: string, index: number): boolean {
  return /^\s*\d+$/.test(text.slice(0, index));
}

/** The J of "J. Smith". */
function isInitial(word: string): boolean {
  return /^\p{L}$/u.test(word) && word !== "i";
}
