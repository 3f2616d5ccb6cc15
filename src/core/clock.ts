// Every entry point's types lead here: a program that imports one needs no setting of its own for Node's types.
/// <reference types="node" preserve="true" />
import { onAbort } from "./signals.js";

/** Where all time comes from. A call on a `VirtualClock` runs without waiting. */
export interface Clock {
  /** Monotonic ms. */
  now(): number;
  /** Ms since 1970, for stored records. */
  epochMs(): number;
  /** Runs `run` once after `ms`, any number from 0 to `Infinity` (never); dispose to cancel. @throws RangeError for `NaN`. */
  setTimer(ms: number, run: () => void): Disposable;
  /** Resolves after `ms`; rejects with the signal's reason when it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

abstract class BaseClock implements Clock {
  abstract now(): number;
  abstract epochMs(): number;
  abstract setTimer(ms: number, run: () => void): Disposable;

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason);
        return;
      }
      const timer = this.setTimer(ms, () => {
        link?.[Symbol.dispose]();
        resolve();
      });
      const link =
        signal === undefined
          ? undefined
          : onAbort(signal, () => {
              timer[Symbol.dispose]();
              reject(signal.reason);
            });
    });
  }
}

/** A Node timer holds no more than a signed 32-bit count of ms; beyond it fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

class SystemClock extends BaseClock {
  now(): number {
    return performance.now();
  }

  epochMs(): number {
    return Date.now();
  }

  setTimer(ms: number, run: () => void): Disposable {
    requireNumber(ms);
    if (ms > LONGEST_TIMER_MS) {
      let part = this.setTimer(LONGEST_TIMER_MS, () => {
        part = this.setTimer(ms - LONGEST_TIMER_MS, run);
      });
      return { [Symbol.dispose]: () => part[Symbol.dispose]() };
    }
    const handle = setTimeout(run, ms);
    return { [Symbol.dispose]: () => clearTimeout(handle) };
  }
}

/** Runs `run` after `ms` of real time, unless the process has ended by then: this timer does not keep it alive. */
export function runIfStillAlive(ms: number, run: () => void): void {
  setTimeout(run, ms).unref();
}

/** Real time. */
export const systemClock: Clock = new SystemClock();

/** Real time that passes `speed` times as fast. For work that is truly done meanwhile, which virtual time cannot wait for. */
export class ScaledClock extends BaseClock {
  readonly #speed: number;
  readonly #startMs = systemClock.now();
  readonly #startEpochMs = systemClock.epochMs();

  /** @throws RangeError for a speed that is not above 0. */
  constructor(speed: number) {
    super();
    if (!(speed > 0 && Number.isFinite(speed)))
      throw new RangeError(`A clock cannot run at the speed ${speed}: pass a number above 0.`);
    this.#speed = speed;
  }

  now(): number {
    return (systemClock.now() - this.#startMs) * this.#speed;
  }

  epochMs(): number {
    return this.#startEpochMs + this.now();
  }

  setTimer(ms: number, run: () => void): Disposable {
    return systemClock.setTimer(ms / this.#speed, run);
  }
}

interface VirtualTimer {
  readonly dueMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** 2026-01-01T00:00:00Z: what `VirtualClock.epochMs()` starts from. */
const VIRTUAL_EPOCH_MS = Date.UTC(2026, 0, 1);

/**
 * Time that moves only when told to. Between two timers every pending promise settles, so a program
 * that waits on nothing but this clock behaves the same on every run.
 */
export class VirtualClock extends BaseClock {
  #nowMs = 0;
  #order = 0;
  // Kept sorted by (dueMs, order): calls hold few timers at once, and most are short.
  readonly #timers: VirtualTimer[] = [];

  now(): number {
    return this.#nowMs;
  }

  epochMs(): number {
    return VIRTUAL_EPOCH_MS + this.#nowMs;
  }

  /** Timers not yet run or cancelled; 0 after a call that cleaned up behind itself. */
  get pendingTimers(): number {
    return this.#timers.length;
  }

  setTimer(ms: number, run: () => void): Disposable {
    requireNumber(ms);
    const timer: VirtualTimer = { dueMs: this.#nowMs + Math.max(0, ms), order: this.#order++, run };
    let index = this.#timers.length;
    while (index > 0 && (this.#timers[index - 1] as VirtualTimer).dueMs > timer.dueMs) index--;
    this.#timers.splice(index, 0, timer);
    return {
      [Symbol.dispose]: () => {
        const position = this.#timers.indexOf(timer);
        if (position >= 0) this.#timers.splice(position, 1);
      },
    };
  }

  /** Moves time on by `ms`, running what falls due and letting promises settle after each timer. */
  async advance(ms: number): Promise<void> {
    const targetMs = this.#nowMs + ms;
    await settle();
    for (let next = this.#timers[0]; next !== undefined && next.dueMs <= targetMs; next = this.#timers[0]) {
      this.#timers.shift();
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.run();
      await settle();
    }
    // A timer may itself have advanced the clock further.
    this.#nowMs = Math.max(this.#nowMs, targetMs);
  }

  /**
   * Moves time on until `promise` settles, and returns its value.
   * Throws when nothing is left to wait for, or after `limitMs` of virtual time (default one hour).
   */
  async runUntil<T>(promise: Promise<T>, limitMs = 3_600_000): Promise<T> {
    let settled = false as boolean;
    const done = (): void => {
      settled = true;
    };
    promise.then(done, done);
    const endMs = this.#nowMs + limitMs;
    await settle();
    while (!settled) {
      const next = this.#timers[0];
      if (next === undefined) throw new Error("VirtualClock.runUntil: the promise is pending and no timer is set.");
      if (next.dueMs > endMs) throw new Error(`VirtualClock.runUntil: still pending after ${limitMs} ms.`);
      await this.advance(next.dueMs - this.#nowMs);
    }
    return promise;
  }
}

function requireNumber(ms: number): void {
  if (Number.isNaN(ms)) throw new RangeError("A timer's delay is NaN: pass a number of ms.");
}

/** Resolves when every promise that can settle without time passing has done so. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
