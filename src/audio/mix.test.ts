import fc from "fast-check";
import { expect, test } from "vitest";
import { interleave, mix } from "./mix.js";

test("a mix is the clipped sum of both signals with their gains, as long as the longer", () => {
  const gain = fc.double({ min: -2, max: 2, noNaN: true });
  fc.assert(
    fc.property(fc.int16Array(), fc.int16Array(), gain, gain, (a, b, gainA, gainB) => {
      const mixed = mix(a, b, { a: gainA, b: gainB });
      expect(mixed).toHaveLength(Math.max(a.length, b.length));
      mixed.forEach((sample, i) => {
        const sum = (a[i] ?? 0) * gainA + (b[i] ?? 0) * gainB;
        expect(Math.abs(sample - Math.max(-32_768, Math.min(32_767, sum)))).toBeLessThanOrEqual(0.5);
      });
    }),
  );
});

test("two loud signals saturate instead of wrapping", () => {
  expect([...mix(Int16Array.of(30_000, -30_000), Int16Array.of(30_000, -30_000))]).toEqual([32_767, -32_768]);
});

test("stereo alternates left and right and pads the shorter with silence", () => {
  expect([...interleave(Int16Array.of(1, 2, 3), Int16Array.of(9))]).toEqual([1, 9, 2, 0, 3, 0]);
});
