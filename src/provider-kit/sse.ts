import { StringDecoder } from "node:string_decoder";
import { createParser, type EventSourceParser } from "eventsource-parser";

/** One event of a `text/event-stream`. */
export interface ServerSentEvent {
  /** The event's type; `message` when the stream names none. */
  readonly event: string;
  readonly data: string;
}

const BYTE_ORDER_MARK = /^\uFEFF/;
/** Characters parsed at a time: what comes first is not held up by a burst behind it. */
const SLICE_LENGTH = 2048;

/**
 * Turns the bytes of a `text/event-stream` into its events, wherever the bytes were split.
 * Comments and unknown fields are skipped.
 */
export class EventStreamParser {
  readonly #parser: EventSourceParser;
  /** Joins split characters; a third of a `TextDecoder`'s price. */
  readonly #decoder = new StringDecoder("utf8");
  #hasBegun = false;
  #text = "";
  /** How much of the text has been parsed. */
  #parsedLength = 0;
  #events: ServerSentEvent[] = [];
  #nextEvent = 0;

  constructor() {
    this.#parser = createParser({ onEvent: ({ event, data }) => this.#events.push({ event: event ?? "message", data }) });
  }

  push(bytes: Uint8Array): void {
    this.#append(this.#decoder.write(bytes));
  }

  /** Completes an event whose closing blank line is missing at the end of the stream: some gateways cut it. */
  end(): void {
    this.#append(`${this.#decoder.end()}\n\n`);
  }

  /** The next event of what has come so far. */
  next(): ServerSentEvent | undefined {
    while (this.#nextEvent === this.#events.length) {
      if (this.#parsedLength >= this.#text.length) return undefined;
      this.#events = [];
      this.#nextEvent = 0;
      this.#parser.feed(this.#text.slice(this.#parsedLength, this.#parsedLength + SLICE_LENGTH));
      this.#parsedLength += SLICE_LENGTH;
    }
    return this.#events[this.#nextEvent++];
  }

  #append(appended: string): void {
    const text = this.#hasBegun ? appended : appended.replace(BYTE_ORDER_MARK, "");
    this.#hasBegun ||= appended !== "";
    this.#text = this.#parsedLength >= this.#text.length ? text : this.#text.slice(this.#parsedLength) + text;
    this.#parsedLength = 0;
  }
}
