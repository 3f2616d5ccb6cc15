import { setMaxListeners } from "node:events";
import type { Clock } from "./clock.js";

/** Runs `run` when the signal aborts, at once if it already has; dispose to stop listening. */
export function onAbort(signal: AbortSignal, run: () => void): Disposable {
  if (signal.aborted) {
    run();
    return { [Symbol.dispose]: () => {} };
  }
  // One signal serves a whole server of calls; Node warns of a leak at the eleventh listener.
  setMaxListeners(0, signal);
  signal.addEventListener("abort", run, { once: true });
  return { [Symbol.dispose]: () => signal.removeEventListener("abort", run) };
}

/**
 * An abort controller that also aborts with its parent. Dispose it when its work is over:
 * a long-lived parent otherwise keeps every child (`AbortSignal.any` leaks so on Node 20).
 */
export class ChildController implements Disposable {
  readonly #controller = new AbortController();
  readonly #link: Disposable;

  constructor(parent: AbortSignal) {
    // HTTP clients and sockets listen to it too, as many as the work needs.
    setMaxListeners(0, this.#controller.signal);
    this.#link = onAbort(parent, () => this.#controller.abort(parent.reason));
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(reason?: unknown): void {
    this.#link[Symbol.dispose]();
    this.#controller.abort(reason);
  }

  [Symbol.dispose](): void {
    this.#link[Symbol.dispose]();
  }
}

/** The promise's value, or a rejection with the signal's reason as soon as it aborts. */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let link: Disposable | undefined;
  const aborted = new Promise<never>((_, reject) => {
    link = onAbort(signal, () => reject(signal.reason));
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    link?.[Symbol.dispose]();
  }
}

/** How long the next item may take, in ms, and what is thrown when it takes longer. */
export interface ItemDeadline {
  readonly clock: Clock;
  readonly ms: number;
  readonly late: () => Error;
}

/**
 * The items of `source` until the signal aborts; then it throws the signal's reason at once, even when the source
 * does not react. The source is told to finish and is not waited for.
 */
export async function* untilAborted<T>(
  source: AsyncIterable<T>,
  signal: AbortSignal,
  deadline?: ItemDeadline,
): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  let finished = false;
  try {
    for (;;) {
      const next = abortable(iterator.next(), signal);
      const result = await (deadline === undefined ? next : inTime(next, deadline));
      finished = result.done === true;
      if (result.done === true) return;
      yield result.value;
    }
  } finally {
    // A source that has thrown has finished by itself; returning to it again does nothing.
    if (!finished) void iterator.return?.()?.catch(() => {});
  }
}

async function inTime<T>(next: Promise<T>, { clock, ms, late }: ItemDeadline): Promise<T> {
  const result = await within(clock, ms, next);
  if (result === undefined) throw late();
  return result;
}

/** A promise with its own resolvers (`Promise.withResolvers` is missing from Node 20). */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
}

export function deferred<T = void>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

/** The promise's value, or `undefined` when it takes longer than `ms`; it then goes on unwatched. */
export async function within<T>(clock: Clock, ms: number, promise: Promise<T>): Promise<T | undefined> {
  const late = deferred<undefined>();
  using _timer = clock.setTimer(ms, () => late.resolve(undefined));
  return await Promise.race([promise, late.promise]);
}
