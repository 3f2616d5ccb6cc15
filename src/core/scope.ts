import { ChildController } from "./signals.js";

/**
 * Owns tasks. Closing it aborts `signal`, waits for every task and rethrows nothing:
 * what a task throws goes to `onError` once, unless it is the abort itself.
 */
export class Scope implements AsyncDisposable {
  readonly #controller: ChildController;
  readonly #onError: (error: unknown) => void;
  readonly #tasks = new Set<Promise<void>>();

  constructor(parent: AbortSignal, onError: (error: unknown) => void) {
    this.#controller = new ChildController(parent);
    this.#onError = onError;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Tasks still running. */
  get size(): number {
    return this.#tasks.size;
  }

  /** Starts a task that this scope now owns. */
  run(task: (signal: AbortSignal) => Promise<void>): void {
    const running = this.#guard(task);
    this.#tasks.add(running);
    void running.then(() => this.#tasks.delete(running));
  }

  /** Aborts the scope's signal; `close` also waits. */
  abort(reason?: unknown): void {
    this.#controller.abort(reason);
  }

  /** Waits until every task, those that tasks started included, has ended. */
  async idle(): Promise<void> {
    while (this.#tasks.size > 0) await Promise.all(this.#tasks);
  }

  async close(reason?: unknown): Promise<void> {
    this.abort(reason);
    await this.idle();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #guard(task: (signal: AbortSignal) => Promise<void>): Promise<void> {
    try {
      await task(this.signal);
    } catch (error) {
      if (this.signal.aborted && error === this.signal.reason) return;
      this.#onError(error);
    }
  }
}
