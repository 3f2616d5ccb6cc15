/** What the caller has said since the last turn, and when. Times are on the clock's scale. */
export class Utterance {
  readonly #finals: string[] = [];
  #partial = "";
  /** Whether a voice is heard right now; always false without a VAD. */
  isSpeaking = false;
  /** First and last speech sample, where a VAD heard them. */
  startedMs: number | undefined;
  endedMs: number | undefined;
  /** When the last new words came. */
  wordsMs: number | undefined;
  /** Whether `finalize()` was asked and not answered yet. */
  awaitsFinal = false;
  /** Whether it began while a reply was under way. */
  overlapsReply = false;

  get transcript(): string {
    return [...this.#finals, this.#partial].join(" ").replace(/\s+/g, " ").trim();
  }

  /** Whether words have come that no final has confirmed. */
  get hasPartial(): boolean {
    return this.#partial !== "";
  }

  setPartial(transcript: string): void {
    this.#partial = transcript.trim();
  }

  /** Puts the words of the whole utterance in the place of all that came. */
  replace(transcript: string): void {
    this.#partial = "";
    this.#finals.splice(0, this.#finals.length, transcript.trim());
  }

  addFinal(transcript: string): void {
    this.#partial = "";
    if (transcript.trim() !== "") this.#finals.push(transcript.trim());
  }
}
