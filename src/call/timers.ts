import type { Clock } from "../core/clock.js";

/** Named timers of which each runs at most once at a time; setting one again replaces it. */
export class Timers<Name extends string> implements Disposable {
  readonly #clock: Clock;
  readonly #onDue: (name: Name) => void;
  readonly #timers = new Map<Name, Disposable>();

  constructor(clock: Clock, onDue: (name: Name) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  has(name: Name): boolean {
    return this.#timers.has(name);
  }

  set(name: Name, ms: number): void {
    this.cancel(name);
    const timer = this.#clock.setTimer(Math.max(0, ms), () => {
      this.#timers.delete(name);
      this.#onDue(name);
    });
    this.#timers.set(name, timer);
  }

  cancel(name: Name): void {
    this.#timers.get(name)?.[Symbol.dispose]();
    this.#timers.delete(name);
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers.values()) timer[Symbol.dispose]();
    this.#timers.clear();
  }
}
