import { createParser } from "eventsource-parser";

/** One event of a `text/event-stream`. */
export interface ServerSentEvent {
  /** The event's type; `message` when the stream names none. */
  readonly event: string;
  readonly data: string;
}

/**
 * Turns the bytes of a `text/event-stream` into its events, wherever the bytes were split.
 * An event whose closing blank line is missing at the end of the stream is delivered all the same:
 * some gateways cut it. Comments and unknown fields are skipped.
 */
export async function* serverSentEvents(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<ServerSentEvent, void, undefined> {
  let events: ServerSentEvent[] = [];
  const parser = createParser({ onEvent: ({ event, data }) => events.push({ event: event ?? "message", data }) });
  // The decoder joins split characters and drops a byte order mark.
  const decoder = new TextDecoder();
  for await (const chunk of bytes) {
    parser.feed(decoder.decode(chunk, { stream: true }));
    if (events.length === 0) continue;
    const complete = events;
    events = [];
    yield* complete;
  }
  parser.feed(`${decoder.decode()}\n\n`);
  yield* events;
}
