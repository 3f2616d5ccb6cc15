import { expect, test } from "vitest";
import { VirtualClock } from "../core/clock.js";
import { Patience } from "./patience.js";

function started(ms: number): { clock: VirtualClock; patience: Patience; spentAtMs: () => number | undefined } {
  const clock = new VirtualClock();
  let spentAtMs: number | undefined;
  const patience = new Patience(clock, () => {
    spentAtMs = clock.now();
  });
  patience.renew(ms);
  return { clock, patience, spentAtMs: () => spentAtMs };
}

test("it is spent after so much waiting, and time in which nobody waits does not count", async () => {
  const { clock, patience, spentAtMs } = started(1000);
  await clock.advance(5000);
  patience.begin();
  await clock.advance(400);
  patience.end();
  await clock.advance(5000);
  patience.begin();
  await clock.advance(10_000);
  expect(spentAtMs()).toBe(11_000);
});

test("renewing a thousand times takes one timer at a time, and counts from the last", async () => {
  const { clock, patience, spentAtMs } = started(1000);
  patience.begin();
  for (let count = 0; count < 1000; count++) {
    await clock.advance(100);
    patience.renew(1000);
    expect(clock.pendingTimers).toBe(1);
  }
  await clock.advance(5000);
  expect(spentAtMs()).toBe(101_000);
});

test("a shorter renewal is kept, and a longer one beside it", async () => {
  const { clock, patience, spentAtMs } = started(8000);
  patience.begin();
  patience.renew(300);
  await clock.advance(299);
  patience.renew(Number.POSITIVE_INFINITY);
  await clock.advance(100_000);
  expect(spentAtMs()).toBeUndefined();
  patience.renew(500);
  await clock.advance(1000);
  expect(spentAtMs()).toBe(100_799);
});

test("disposing it leaves no timer", async () => {
  const { clock, patience, spentAtMs } = started(1000);
  patience.begin();
  patience[Symbol.dispose]();
  await clock.advance(5000);
  expect([clock.pendingTimers, spentAtMs()]).toEqual([0, undefined]);
});
