import { describe, expect, test } from "vitest";
import { VirtualClock } from "../core/clock.js";
import { Timers } from "./timers.js";

function rig(): { clock: VirtualClock; timers: Timers<"endpoint" | "resume">; due: string[] } {
  const clock = new VirtualClock();
  const due: string[] = [];
  const timers = new Timers<"endpoint" | "resume">(clock, (name) => due.push(`${name} at ${clock.now()}`));
  return { clock, timers, due };
}

describe("Timers", () => {
  test("fall due once each, by name", async () => {
    const { clock, timers, due } = rig();
    timers.set("endpoint", 400);
    timers.set("resume", 200);
    expect([timers.has("endpoint"), timers.has("resume")]).toEqual([true, true]);
    await clock.advance(1000);
    expect(due).toEqual(["resume at 200", "endpoint at 400"]);
    expect([timers.has("endpoint"), timers.has("resume")]).toEqual([false, false]);
  });

  test("replace the timer of the same name", async () => {
    const { clock, timers, due } = rig();
    timers.set("endpoint", 400);
    await clock.advance(300);
    timers.set("endpoint", 400);
    await clock.advance(1000);
    expect(due).toEqual(["endpoint at 700"]);
  });

  test("are not due after they were cancelled, one by one or all", async () => {
    const { clock, timers, due } = rig();
    timers.set("endpoint", 400);
    timers.cancel("endpoint");
    timers.cancel("endpoint");
    expect(timers.has("endpoint")).toBe(false);
    timers.set("endpoint", 400);
    timers.set("resume", 400);
    timers[Symbol.dispose]();
    expect(clock.pendingTimers).toBe(0);
    await clock.advance(1000);
    expect(due).toEqual([]);
  });

  test("that are late already fall due at once, but not in the same breath", async () => {
    const { clock, timers, due } = rig();
    timers.set("endpoint", -50);
    expect(due).toEqual([]);
    await clock.advance(0);
    expect(due).toEqual(["endpoint at 0"]);
  });

  test("can be set again from where they fall due", async () => {
    const clock = new VirtualClock();
    let count = 0;
    const timers: Timers<"again"> = new Timers(clock, () => {
      count++;
      if (count < 3) timers.set("again", 100);
    });
    timers.set("again", 100);
    await clock.advance(1000);
    expect(count).toBe(3);
    expect(timers.has("again")).toBe(false);
  });
});
