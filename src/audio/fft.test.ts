import fc from "fast-check";
import { expect, test } from "vitest";
import { Fft } from "./fft.js";

function randomArrays(size: number, seed: number): [Float64Array, Float64Array] {
  const value = (i: number) => Math.sin(seed * 12.9898 + i * 78.233) * 1000;
  return [
    Float64Array.from({ length: size }, (_, i) => value(i)),
    Float64Array.from({ length: size }, (_, i) => value(i + size)),
  ];
}

test("the transform is the sum that defines it", () => {
  fc.assert(
    fc.property(fc.constantFrom(2, 8, 64), fc.nat(1000), (size, seed) => {
      const [real, imaginary] = randomArrays(size, seed);
      const [re, im] = [real.slice(), imaginary.slice()];
      new Fft(size).transform(re, im);
      for (let k = 0; k < size; k++) {
        let expectedRe = 0;
        let expectedIm = 0;
        for (let i = 0; i < size; i++) {
          const angle = (-2 * Math.PI * k * i) / size;
          expectedRe += real[i]! * Math.cos(angle) - imaginary[i]! * Math.sin(angle);
          expectedIm += real[i]! * Math.sin(angle) + imaginary[i]! * Math.cos(angle);
        }
        expect(re[k]).toBeCloseTo(expectedRe, 6);
        expect(im[k]).toBeCloseTo(expectedIm, 6);
      }
    }),
    { numRuns: 20 },
  );
});

test("with the arrays swapped it undoes itself, times its size", () => {
  const fft = new Fft(512);
  const [real, imaginary] = randomArrays(512, 7);
  const [re, im] = [real.slice(), imaginary.slice()];
  fft.transform(re, im);
  fft.transform(im, re);
  re.forEach((value, i) => expect(value / 512).toBeCloseTo(real[i]!, 8));
});
