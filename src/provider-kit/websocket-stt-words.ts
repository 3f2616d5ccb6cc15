import type { SttEvent, SttWord } from "../core/stt.js";

type Transcribed = Extract<SttEvent, { readonly type: "partial" | "final" }>;

/** What a vendor has recognised. Times are ms of audio since the stream was opened. */
export interface RecognisedWords {
  readonly transcript: string;
  /** Its words with their times; none where the vendor gives none. */
  readonly words: readonly SttWord[];
  readonly confidence?: number;
}

/**
 * Sees to it that every word is final once. A vendor repeats words: in a transcript that grows over the whole turn, in audio
 * that was sent again, in an answer that comes too late. A word whose middle lies before the end of the last final one is known.
 */
export class ReportedWords {
  readonly #emit: (event: SttEvent) => void;
  #partial: RecognisedWords = { transcript: "", words: [] };
  /** The end of the last word that is final. */
  #settledMs = 0;

  constructor(emit: (event: SttEvent) => void) {
    this.#emit = emit;
  }

  /** Words that may still change. Reported when they differ from the last ones. */
  partial(recognised: RecognisedWords): void {
    const fresh = this.#fresh(recognised);
    if (fresh.transcript === this.#partial.transcript) {
      this.#partial = fresh;
      return;
    }
    this.#partial = fresh;
    this.#emit({ type: "partial", ...described(fresh) });
  }

  /** Words that no longer change. Without new ones nothing is reported, unless it answers `finalized` requests. */
  final(recognised: RecognisedWords, finalized: number): void {
    this.#settle(this.#fresh(recognised), finalized);
  }

  /** Makes final what is known so far. */
  settle(finalized: number): void {
    this.#settle(this.#partial, finalized);
  }

  /**
   * Makes final the words that ended by `earliestMs`, and forgets the later ones: they are recognised anew from there on.
   * What is final already is left out; a word that was being spoken then is not cut. Returns from where on to listen again.
   */
  settleBefore(earliestMs: number): number {
    const { words, transcript } = this.#partial;
    const beforeMs = Math.max(earliestMs, this.#settledMs);
    if (words.length === 0 && transcript !== "") {
      this.settle(0);
      return beforeMs;
    }
    const spoken = words.find(({ endMs }) => endMs > beforeMs);
    const fromMs = Math.min(beforeMs, spoken?.startMs ?? beforeMs);
    const done = words.filter(({ endMs }) => endMs <= fromMs);
    this.#settle({ transcript: textOf(done), words: done }, 0);
    return fromMs;
  }

  #settle(fresh: RecognisedWords, finalized: number): void {
    const isNews = fresh.transcript !== "" || this.#partial.transcript !== "";
    this.#partial = { transcript: "", words: [] };
    this.#settledMs = Math.max(this.#settledMs, fresh.words.at(-1)?.endMs ?? 0);
    if (isNews || finalized > 0)
      this.#emit({ type: "final", ...described(fresh), ...(finalized > 0 ? { finalized: true } : {}) });
    for (let answer = 1; answer < finalized; answer++) this.#emit({ type: "final", transcript: "", finalized: true });
  }

  #fresh(recognised: RecognisedWords): RecognisedWords {
    const words = recognised.words.filter(({ startMs, endMs }) => (startMs + endMs) / 2 > this.#settledMs);
    if (words.length === recognised.words.length) return recognised;
    return { ...recognised, transcript: textOf(words), words };
  }
}

function textOf(words: readonly SttWord[]): string {
  return words.map(({ text }) => text).join(" ");
}

function described({ transcript, words, confidence }: RecognisedWords): Pick<Transcribed, "transcript" | "words" | "confidence"> {
  return {
    transcript,
    ...(words.length === 0 ? {} : { words }),
    ...(confidence === undefined ? {} : { confidence }),
  };
}
