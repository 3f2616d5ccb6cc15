import { describe, expect, test } from "vitest";
import { bytesOf } from "../audio/pcm.js";
import { PCM16_16K } from "../core/audio-frame.js";
import { VirtualClock } from "../core/clock.js";
import type { TransportEvent } from "../core/transport.js";
import { WavLine } from "./wav-line.js";

/** `durationMs` of samples that all have the same value. */
function audio(value: number, durationMs: number): { format: typeof PCM16_16K; bytes: Uint8Array } {
  return { format: PCM16_16K, bytes: bytesOf(new Int16Array(durationMs * 16).fill(value)) };
}

function open(caller: (nowMs: number) => Uint8Array | "hang_up" | undefined = () => undefined) {
  const clock = new VirtualClock();
  const line = new WavLine({ format: PCM16_16K, clock, caller });
  const events: (TransportEvent & { atMs: number })[] = [];
  const reading = (async () => {
    for await (const event of line.received) events.push({ ...event, atMs: clock.now() });
  })();
  return { clock, line, events, reading };
}

/** Where a channel holds a value, in ms. */
function spanOf(channel: Int16Array, value: number): [number, number] {
  return [channel.indexOf(value) / 16, (channel.lastIndexOf(value) + 1) / 16];
}

describe("a line", () => {
  test("records both sides on one scale of time, the agent as heard and the caller as spoken", async () => {
    const { clock, line } = open((nowMs) => (nowMs > 100 && nowMs <= 200 ? audio(5, 20).bytes : undefined));
    await clock.advance(310);
    line.send(audio(7, 100));
    await clock.advance(690);
    const { caller, agent } = line.recording();
    // What arrives at 120 ms was spoken since 100; what is sent at 310 ms is heard from the next step of 20 ms.
    expect(spanOf(caller, 5)).toEqual([100, 200]);
    expect(spanOf(agent, 7)).toEqual([320, 420]);
    await line[Symbol.asyncDispose]();
    expect(clock.pendingTimers).toBe(0);
  });

  test("reports a mark when the audio before it has been played, and at once when it is cleared", async () => {
    const { clock, line, events } = open();
    line.send(audio(7, 100));
    line.mark("a");
    line.send(audio(7, 30));
    line.mark("b");
    line.send(audio(7, 500));
    line.mark("c");
    await clock.advance(300);
    line.clear();
    await clock.advance(300);
    const marks = events.filter((event) => event.type === "mark").map(({ name, atMs }) => [name, atMs]);
    expect(marks).toEqual([
      ["a", 120],
      ["b", 140],
      ["c", 300],
    ]);
    // The frame that was being played when it was cleared is heard to its end.
    expect(spanOf(line.recording().agent, 7)).toEqual([20, 320]);
    await line[Symbol.asyncDispose]();
  });

  test("counts the gaps in which audio had run out, and not those that follow a clear", async () => {
    const { clock, line } = open();
    line.send(audio(7, 100));
    await clock.advance(200);
    line.send(audio(7, 100));
    await clock.advance(60);
    line.clear();
    await clock.advance(100);
    line.send(audio(7, 100));
    await clock.advance(200);
    expect(line.gaps).toEqual([{ startMs: 120, durationMs: 100 }]);
    await line[Symbol.asyncDispose]();
  });

  test("a late timer loses no frame, and audio that came late is not heard early", async () => {
    let nowMs = 0;
    const timers: (() => void)[] = [];
    const clock = {
      now: () => nowMs,
      epochMs: () => nowMs,
      sleep: async () => {},
      setTimer: (_ms: number, run: () => void) => (timers.push(run), { [Symbol.dispose]: () => {} }),
    };
    const line = new WavLine({ format: PCM16_16K, clock, caller: () => undefined });
    nowMs = 95;
    line.send(audio(7, 40));
    nowMs = 130;
    timers.shift()?.();
    const { caller, agent } = line.recording();
    expect(caller.length / 16).toBe(120);
    expect(spanOf(agent, 7)).toEqual([100, 140]);
  });

  test("ends with whoever hangs up first", async () => {
    const { clock, line, events, reading } = open((nowMs) => (nowMs >= 100 ? "hang_up" : undefined));
    await clock.advance(200);
    await reading;
    expect(events.at(-1)).toMatchObject({ type: "closed", reason: "caller", atMs: 100 });
    expect(clock.pendingTimers).toBe(0);
    await line.hangUp();
    line.send(audio(7, 20));
    line.mark("late");

    const other = open();
    await other.line.hangUp();
    await other.reading;
    expect(other.events.at(-1)).toMatchObject({ type: "closed", reason: "local" });
  });
});
