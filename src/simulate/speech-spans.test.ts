import { describe, expect, test } from "vitest";
import { speechSpans } from "./speech-spans.js";

const RATE = 8000;

/** Noise of one amplitude after another, each for so many ms. */
function sound(...parts: readonly (readonly [durationMs: number, amplitude: number])[]): Int16Array {
  let state = 1;
  const random = (): number => {
    state = (state * 48_271) % 0x7fff_ffff;
    return (state / 0x7fff_ffff) * 2 - 1;
  };
  return Int16Array.from(
    parts.flatMap(([durationMs, amplitude]) => Array.from({ length: (durationMs * RATE) / 1000 }, () => random() * amplitude)),
  );
}

describe("speechSpans", () => {
  test("finds speech to 5 ms, in digital silence and in noise", () => {
    for (const noise of [0, 60]) {
      const samples = sound([500, noise], [400, 8000], [700, noise], [300, 4000], [500, noise]);
      expect(speechSpans(samples, RATE, 200)).toEqual([
        { startMs: 500, endMs: 900 },
        { startMs: 1600, endMs: 1900 },
      ]);
    }
  });

  test("pauses up to the given length belong to the speech around them", () => {
    const samples = sound([200, 8000], [150, 0], [200, 8000], [600, 0], [200, 8000]);
    expect(speechSpans(samples, RATE, 200)).toHaveLength(2);
    expect(speechSpans(samples, RATE, 1000)).toEqual([{ startMs: 0, endMs: 1350 }]);
  });

  test("a click, silence and nothing at all are no speech", () => {
    expect(speechSpans(sound([500, 0], [10, 20_000], [500, 0], [300, 8000], [500, 0]), RATE, 200)).toEqual([
      { startMs: 1010, endMs: 1310 },
    ]);
    expect(speechSpans(sound([1000, 0]), RATE, 200)).toEqual([]);
    expect(speechSpans(sound([1000, 3]), RATE, 200)).toEqual([]);
    expect(speechSpans(new Int16Array(0), RATE, 200)).toEqual([]);
  });
});
