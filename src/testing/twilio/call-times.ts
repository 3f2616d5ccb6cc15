import type { Clock } from "../../core/clock.js";

/** When a call was made, answered and over. */
export class CallTimes {
  readonly createdEpochMs: number;
  readonly #clock: Clock;
  #answered: { readonly ms: number; readonly epochMs: number } | undefined;
  #endedMs: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.createdEpochMs = clock.epochMs();
  }

  get isAnswered(): boolean {
    return this.#answered !== undefined;
  }

  answer(): void {
    this.#answered = { ms: this.#clock.now(), epochMs: this.#clock.epochMs() };
  }

  end(): void {
    this.#endedMs = this.#clock.now();
  }

  /** When it was answered, in ms since 1970. */
  get startEpochMs(): number | undefined {
    return this.#answered?.epochMs;
  }

  /** From the answer to the end; `undefined` for a call that is not over, or was not answered. */
  get durationMs(): number | undefined {
    return this.#answered === undefined || this.#endedMs === undefined ? undefined : this.#endedMs - this.#answered.ms;
  }

  /** From the answer to the end, or to now, on the clock. */
  get talk(): { readonly startMs: number; readonly endMs: number } {
    const endMs = this.#endedMs ?? this.#clock.now();
    return { startMs: this.#answered?.ms ?? endMs, endMs };
  }
}
