import type { Clock } from "../core/clock.js";

/**
 * A deadline that counts only the time somebody waits, and that is cheap to renew: its one timer is not moved,
 * it looks at what is left when it fires. Dispose it when nothing is waited for any more.
 */
export class Patience implements Disposable {
  readonly #clock: Clock;
  readonly #onSpent: () => void;
  #leftMs = Number.POSITIVE_INFINITY;
  #totalMs = Number.POSITIVE_INFINITY;
  #waitingSinceMs: number | undefined;
  #timer: Disposable | undefined;
  #timerDueMs = 0;

  constructor(clock: Clock, onSpent: () => void) {
    this.#clock = clock;
    this.#onSpent = onSpent;
  }

  /** What the last renewal granted, in ms. */
  get totalMs(): number {
    return this.#totalMs;
  }

  /** Grants `ms` from now on. */
  renew(ms: number): void {
    this.#leftMs = ms;
    this.#totalMs = ms;
    if (this.#waitingSinceMs !== undefined) this.begin();
  }

  /** Somebody waits from now on. */
  begin(): void {
    const nowMs = this.#clock.now();
    this.#waitingSinceMs = nowMs;
    if (this.#leftMs !== Number.POSITIVE_INFINITY) this.#arm(nowMs, nowMs + this.#leftMs);
  }

  /** Nobody waits any more. */
  end(): void {
    if (this.#waitingSinceMs === undefined) return;
    this.#leftMs -= this.#clock.now() - this.#waitingSinceMs;
    this.#waitingSinceMs = undefined;
  }

  [Symbol.dispose](): void {
    this.#waitingSinceMs = undefined;
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  #arm(nowMs: number, dueMs: number): void {
    // A timer that fires too early arms itself anew; only one that fires too late must be replaced.
    if (this.#timer !== undefined && this.#timerDueMs <= dueMs) return;
    this.#timer?.[Symbol.dispose]();
    this.#timerDueMs = dueMs;
    this.#timer = this.#clock.setTimer(dueMs - nowMs, () => this.#check());
  }

  #check(): void {
    this.#timer = undefined;
    if (this.#waitingSinceMs === undefined || this.#leftMs === Number.POSITIVE_INFINITY) return;
    const nowMs = this.#clock.now();
    const dueMs = this.#waitingSinceMs + this.#leftMs;
    if (nowMs < dueMs) this.#arm(nowMs, dueMs);
    else this.#onSpent();
  }
}
