import { describe, expect, test } from "vitest";
import type { CallEvent } from "../core/call-event.js";
import { VirtualClock } from "../core/clock.js";
import { CallEvents } from "./call-events.js";

async function collect(events: AsyncIterable<CallEvent>): Promise<CallEvent[]> {
  const collected: CallEvent[] = [];
  for await (const event of events) collected.push(event);
  return collected;
}

describe("CallEvents", () => {
  test("numbers events and tells when they happened since the call began", async () => {
    const clock = new VirtualClock();
    await clock.advance(5000);
    const events = new CallEvents("call-1", clock);
    const seen: CallEvent[] = [];
    events.subscribe((event) => seen.push(event));
    events.emit({ type: "stream_restarted" });
    await clock.advance(250);
    events.emit({ type: "dtmf_received", digit: "5" }, 2);
    expect(seen).toEqual([
      { type: "stream_restarted", callId: "call-1", sequence: 0, atMs: 0 },
      { type: "dtmf_received", digit: "5", callId: "call-1", sequence: 1, atMs: 250, turn: 2 },
    ]);
    expect(events.atMs).toBe(250);
    expect(events.toAtMs(5100)).toBe(100);
  });

  test("gives every iteration everything from its beginning to the end", async () => {
    const events = new CallEvents("call-1", new VirtualClock());
    events.emit({ type: "stream_restarted" });
    const early = collect(events);
    events.emit({ type: "dtmf_received", digit: "1" });
    const late = collect(events);
    events.emit({ type: "dtmf_received", digit: "2" });
    events.end();
    expect((await early).map(({ sequence }) => sequence)).toEqual([1, 2]);
    expect((await late).map(({ sequence }) => sequence)).toEqual([2]);
    expect(await collect(events)).toEqual([]);
  });

  test("reaches nobody after the end, nor after a subscription was given up", () => {
    const events = new CallEvents("call-1", new VirtualClock());
    const seen: string[] = [];
    const first = events.subscribe(({ type }) => seen.push(`first ${type}`));
    events.subscribe(({ type }) => seen.push(`second ${type}`));
    first[Symbol.dispose]();
    events.emit({ type: "stream_restarted" });
    events.end();
    events.emit({ type: "stream_restarted" });
    expect(seen).toEqual(["second stream_restarted"]);
  });

  test("lets an iteration be left early", async () => {
    const events = new CallEvents("call-1", new VirtualClock());
    const iterator = events[Symbol.asyncIterator]();
    const waiting = iterator.next();
    await iterator.return?.();
    expect(await waiting).toEqual({ value: undefined, done: true });
    events.emit({ type: "stream_restarted" });
    expect(await iterator.next()).toEqual({ value: undefined, done: true });
  });

  test("keeps the newest ten thousand for a reader that is slow", async () => {
    const events = new CallEvents("call-1", new VirtualClock());
    const slow = collect(events);
    for (let index = 0; index < 10_100; index++) events.emit({ type: "stream_restarted" });
    events.end();
    const kept = await slow;
    expect(kept.length).toBeLessThanOrEqual(10_001);
    expect(kept.at(-1)?.sequence).toBe(10_099);
  });
});
