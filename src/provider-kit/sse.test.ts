import fc from "fast-check";
import { expect, test } from "vitest";
import { EventStreamParser, type ServerSentEvent } from "./sse.js";

function* inPieces(bytes: Uint8Array, cuts: readonly number[]): Generator<Uint8Array> {
  let start = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    const end = Math.min(cut, bytes.length);
    yield bytes.subarray(start, end);
    start = end;
  }
  yield bytes.subarray(start);
}

function parse(text: string, cuts: readonly number[] = []): ServerSentEvent[] {
  const events: ServerSentEvent[] = [];
  const parser = new EventStreamParser();
  const take = (): void => {
    for (let event = parser.next(); event !== undefined; event = parser.next()) events.push(event);
  };
  for (const bytes of inPieces(new TextEncoder().encode(text), cuts)) {
    parser.push(bytes);
    take();
  }
  parser.end();
  take();
  return events;
}

test("an event carries its type and its data, and a type that is not named is message", () => {
  expect(parse("event: ping\ndata: {}\n\ndata: a\n\n")).toEqual([
    { event: "ping", data: "{}" },
    { event: "message", data: "a" },
  ]);
});

test("several data lines are joined, comments and unknown fields are skipped", () => {
  expect(parse(": hello\nwhatever: 1\ndata: a\ndata:b\n\n")).toEqual([{ event: "message", data: "a\nb" }]);
});

test("a byte order mark is dropped", () => {
  expect(parse("\uFEFFdata: a\n\n")).toEqual([{ event: "message", data: "a" }]);
});

test.each(["data: a", "data: a\n", "data: a\n\n", "data: a\r", "data: a\r\n"])(
  "a last event without its blank line is delivered: %j",
  (text) => {
    expect(parse(text)).toEqual([{ event: "message", data: "a" }]);
  },
);

test("a long burst that nobody reads meanwhile is kept whole", () => {
  const parser = new EventStreamParser();
  const data = Array.from({ length: 500 }, (_, index) => `${index} ${"\u00e9".repeat(index)}`);
  for (const line of data) parser.push(new TextEncoder().encode(`data: ${line}\r\n\r\n`));
  parser.end();
  const events = data.map(() => parser.next()?.data);
  expect(events).toEqual(data);
  expect(parser.next()).toBeUndefined();
});

test("events arrive the same wherever the bytes are split, with any line ending", () => {
  const line = fc.string({ unit: "grapheme" }).map((text) => text.replace(/[\r\n\0]/g, ""));
  const event = fc.record({
    event: fc.constantFrom("message", "content_block_delta", "ping"),
    data: fc.array(line, { minLength: 1, maxLength: 3 }),
  });
  fc.assert(
    fc.property(
      fc.array(event, { maxLength: 6 }),
      fc.constantFrom("\n", "\r\n", "\r"),
      fc.boolean(),
      fc.boolean(),
      fc.array(fc.nat(400), { maxLength: 40 }),
      (events, newline, mark, closed, cuts) => {
        const frames = events.map(({ event: type, data }) =>
          [`event: ${type}`, ...data.map((text) => `data: ${text}`)].join(newline),
        );
        const text = `${mark ? "\uFEFF" : ""}${frames.join(newline + newline)}${closed ? newline + newline : ""}`;
        expect(parse(text, cuts)).toEqual(events.map(({ event: type, data }) => ({ event: type, data: data.join("\n") })));
      },
    ),
  );
});
