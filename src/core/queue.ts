/**
 * A first-in, first-out queue with one asynchronous reader.
 *
 * It holds at most `capacity` items. When it is full, `push` drops the oldest item and reports it to
 * `onDrop`: on the media path late audio is worth less than new audio. Without a capacity it is unbounded,
 * for sources that are bounded elsewhere.
 */
export class AsyncQueue<T> implements AsyncIterable<T> {
  readonly #capacity: number;
  readonly #onDrop: ((item: T) => void) | undefined;
  #items: T[] = [];
  #head = 0;
  #waiting: { resolve(result: IteratorResult<T>): void; reject(error: unknown): void } | undefined;
  #end: { readonly error?: unknown; readonly failed: boolean } | undefined;

  constructor(options: { readonly capacity?: number; readonly onDrop?: (item: T) => void } = {}) {
    this.#capacity = options.capacity ?? Number.POSITIVE_INFINITY;
    this.#onDrop = options.onDrop;
  }

  get size(): number {
    return this.#items.length - this.#head;
  }

  get ended(): boolean {
    return this.#end !== undefined;
  }

  /** Adds an item; ignored after `end` or `fail`. */
  push(item: T): void {
    if (this.#end !== undefined) return;
    const waiting = this.#waiting;
    if (waiting !== undefined) {
      this.#waiting = undefined;
      waiting.resolve({ value: item, done: false });
      return;
    }
    this.#items.push(item);
    if (this.size > this.#capacity) {
      const dropped = this.#shift();
      this.#onDrop?.(dropped);
    }
  }

  /** Ends the iteration after the items already queued. */
  end(): void {
    this.#finish({ failed: false });
  }

  /** Makes the iteration throw `error` after the items already queued. */
  fail(error: unknown): void {
    this.#finish({ failed: true, error });
  }

  /** Removes and returns every queued item. */
  drain(): T[] {
    const items = this.#items.slice(this.#head);
    this.#items = [];
    this.#head = 0;
    return items;
  }

  next(): Promise<IteratorResult<T>> {
    if (this.size > 0) return Promise.resolve({ value: this.#shift(), done: false });
    if (this.#end !== undefined) {
      const end = this.#end;
      if (!end.failed) return Promise.resolve({ value: undefined, done: true });
      this.#end = { failed: false };
      return Promise.reject(end.error);
    }
    if (this.#waiting !== undefined) return Promise.reject(new Error("AsyncQueue has one reader; next() is already pending."));
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return {
      next: () => this.next(),
      return: () => {
        this.end();
        this.drain();
        return Promise.resolve({ value: undefined, done: true as const });
      },
    };
  }

  #finish(end: { readonly error?: unknown; readonly failed: boolean }): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#waiting = undefined;
    if (!end.failed) {
      waiting.resolve({ value: undefined, done: true });
      return;
    }
    this.#end = { failed: false };
    waiting.reject(end.error);
  }

  /** The oldest item; only when there is one. */
  #shift(): T {
    const item = this.#items[this.#head] as T;
    this.#items[this.#head] = undefined as T;
    this.#head++;
    if (this.#head > 64 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}
