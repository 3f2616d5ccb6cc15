import { expect, test } from "vitest";
import { MIN_DBFS, peakDbfs, rmsDbfs } from "./level.js";

const sine = Int16Array.from({ length: 8000 }, (_, i) => 32_767 * Math.sin(i / 7));
const square = Int16Array.from({ length: 8000 }, (_, i) => (i % 20 < 10 ? 32_767 : -32_768));

test("a full-scale sine is at -3 dBFS with its peak at 0, a square wave at 0", () => {
  expect(rmsDbfs(sine)).toBeCloseTo(-3.01, 2);
  expect(peakDbfs(sine)).toBeCloseTo(0, 2);
  expect(rmsDbfs(square)).toBeCloseTo(0, 3);
  expect(peakDbfs(square)).toBe(0);
});

test("half the amplitude is 6 dB less", () => {
  const half = sine.map((sample) => sample / 2);
  expect(rmsDbfs(half) - rmsDbfs(sine)).toBeCloseTo(-6.02, 2);
});

test("silence, and nothing at all, are at the lowest level", () => {
  expect(rmsDbfs(new Int16Array(160))).toBe(MIN_DBFS);
  expect(peakDbfs(new Int16Array(0))).toBe(MIN_DBFS);
  expect(rmsDbfs(new Int16Array(0))).toBe(MIN_DBFS);
});

test("no sound is reported below the lowest level", () => {
  expect(rmsDbfs(Int16Array.of(1, ...new Array(15).fill(0)))).toBe(MIN_DBFS);
  expect(rmsDbfs(Int16Array.of(1, -1))).toBeCloseTo(-90.3, 1);
});
