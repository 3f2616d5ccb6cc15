import type { Clock } from "../../core/clock.js";

/** Audio travels in frames of this length, in ms. */
export const FRAME_MS = 20;
/** Bytes of one frame: mu-law, 8000 Hz. */
export const FRAME_BYTES = 160;

/** Runs `run` every 20 ms, the first time after 20 ms, with the time at which it was due. Late frames are made up for at once. */
export class FrameTicker implements Disposable {
  readonly #clock: Clock;
  readonly #run: (dueMs: number) => void;
  #dueMs: number;
  #timer: Disposable | undefined;
  #isStopped = false;

  constructor(clock: Clock, run: (dueMs: number) => void) {
    this.#clock = clock;
    this.#run = run;
    this.#dueMs = clock.now();
    this.#schedule();
  }

  [Symbol.dispose](): void {
    this.#isStopped = true;
    this.#timer?.[Symbol.dispose]();
  }

  #schedule(): void {
    this.#dueMs += FRAME_MS;
    const dueMs = this.#dueMs;
    this.#timer = this.#clock.setTimer(Math.max(0, dueMs - this.#clock.now()), () => {
      this.#run(dueMs);
      if (!this.#isStopped) this.#schedule();
    });
  }
}
