import type { CallEvent, CallEventBody } from "../core/call-event.js";
import type { Clock } from "../core/clock.js";
import { AsyncQueue } from "../core/queue.js";

/** Events kept for a subscriber that reads slowly; the oldest go first. */
const SUBSCRIPTION_CAPACITY = 10_000;

/** The one ordered stream of events of a call. */
export class CallEvents implements AsyncIterable<CallEvent> {
  readonly callId: string;
  readonly #clock: Clock;
  readonly #startedMs: number;
  readonly #listeners = new Set<(event: CallEvent) => void>();
  readonly #queues = new Set<AsyncQueue<CallEvent>>();
  #sequence = 0;
  #ended = false;

  constructor(callId: string, clock: Clock) {
    this.callId = callId;
    this.#clock = clock;
    this.#startedMs = clock.now();
  }

  /** Ms since the call was connected. */
  get atMs(): number {
    return this.#clock.now() - this.#startedMs;
  }

  /** Puts a moment of the clock on the scale of `atMs`. */
  toAtMs(clockMs: number): number {
    return clockMs - this.#startedMs;
  }

  emit(body: CallEventBody, turn?: number): void {
    const event: CallEvent = {
      ...body,
      callId: this.callId,
      sequence: this.#sequence++,
      atMs: this.atMs,
      ...(turn === undefined ? {} : { turn }),
    };
    for (const listener of this.#listeners) listener(event);
    for (const queue of this.#queues) queue.push(event);
  }

  /** Calls `listener` with every event from now on, in order, at once. It must not throw. */
  subscribe(listener: (event: CallEvent) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  /** Ends every iteration. */
  end(): void {
    this.#ended = true;
    for (const queue of this.#queues) queue.end();
    this.#queues.clear();
    this.#listeners.clear();
  }

  [Symbol.asyncIterator](): AsyncIterator<CallEvent> {
    const queue = new AsyncQueue<CallEvent>({ capacity: SUBSCRIPTION_CAPACITY });
    if (this.#ended) queue.end();
    else this.#queues.add(queue);
    return {
      next: () => queue.next(),
      return: () => {
        this.#queues.delete(queue);
        queue.end();
        queue.drain();
        return Promise.resolve({ value: undefined, done: true as const });
      },
    };
  }
}
