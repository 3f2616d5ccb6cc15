import { createParser, type EventSourceParser } from "eventsource-parser";

/** One event of a `text/event-stream`. */
export interface ServerSentEvent {
  /** The event's type; `message` when the stream names none. */
  readonly event: string;
  readonly data: string;
}

/**
 * Turns the bytes of a `text/event-stream` into its events, wherever the bytes were split.
 * Comments and unknown fields are skipped.
 */
export class EventStreamParser {
  readonly #parser: EventSourceParser;
  /** Joins split characters and drops a byte order mark. */
  readonly #text = new TextDecoder();

  /** `onEvent` is called while `push` or `end` runs; what it throws comes out of them. */
  constructor(onEvent: (event: ServerSentEvent) => void) {
    this.#parser = createParser({ onEvent: ({ event, data }) => onEvent({ event: event ?? "message", data }) });
  }

  push(bytes: Uint8Array): void {
    this.#parser.feed(this.#text.decode(bytes, { stream: true }));
  }

  /** Delivers an event whose closing blank line is missing at the end of the stream: some gateways cut it. */
  end(): void {
    this.#parser.feed(`${this.#text.decode()}\n\n`);
  }
}
