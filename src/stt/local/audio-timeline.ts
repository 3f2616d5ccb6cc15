interface Shift {
  readonly fromMs: number;
  readonly shiftMs: number;
}

/**
 * Tells where in a call's audio something lies that a recogniser places in the audio it was given: silence
 * was inserted there for it, and audio that it had no time for was left out.
 */
export class AudioTimeline {
  /** From `fromMs` of the recogniser's audio on, the call's audio is `shiftMs` further. Oldest first. */
  readonly #shifts: [Shift, ...Shift[]] = [{ fromMs: 0, shiftMs: 0 }];
  #fedMs = 0;

  /** The recogniser was given so much. */
  feed(durationMs: number): void {
    this.#fedMs += durationMs;
  }

  /** The last so much of it was not the call's. */
  insert(durationMs: number): void {
    this.#shift(-durationMs);
  }

  /** So much of the call's audio is left out next. */
  skip(durationMs: number): void {
    this.#shift(durationMs);
  }

  /** A word's place in the call's audio, from its place in the recogniser's. Later words must follow. */
  place(word: { readonly startMs: number; readonly endMs: number }): { readonly startMs: number; readonly endMs: number } {
    while ((this.#shifts[1]?.fromMs ?? Number.POSITIVE_INFINITY) <= word.startMs) this.#shifts.shift();
    const { shiftMs } = this.#shifts[0];
    // A word may seem to reach into silence that was inserted behind it.
    const limitMs = this.#shifts[1]?.fromMs ?? Number.POSITIVE_INFINITY;
    return { startMs: Math.round(word.startMs + shiftMs), endMs: Math.round(Math.min(word.endMs, limitMs) + shiftMs) };
  }

  #shift(byMs: number): void {
    const last = this.#shifts.at(-1) as Shift;
    const shift = { fromMs: this.#fedMs, shiftMs: last.shiftMs + byMs };
    if (last.fromMs === this.#fedMs) this.#shifts.pop();
    this.#shifts.push(shift);
  }
}
