import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ConfigError } from "../core/errors.js";
import type { BandwidthExtensionWeights } from "./bandwidth-extension.js";
import { BandwidthExtension, loadBandwidthExtensionWeights } from "./bandwidth-extension.js";
import { MEL_FRAME, MEL_HOP, MelBands } from "./mel.js";

const weights = await loadBandwidthExtensionWeights();

/** A network that estimates the same log energies whatever it hears. */
function constantWeights(energies: readonly number[]): BandwidthExtensionWeights {
  const zeros = (length: number) => new Array<number>(length).fill(0);
  return {
    inputMean: zeros(85),
    inputDeviation: zeros(85).fill(1),
    hiddenWeights: zeros(85),
    hiddenBias: [0],
    outputWeights: zeros(6),
    outputBias: energies,
  };
}

/** A vowel-like sound that comes and goes. */
function speechLike(length: number): Int16Array {
  return Int16Array.from({ length }, (_, i) => {
    let sample = 0;
    for (let harmonic = 1; harmonic <= 25; harmonic++)
      sample += Math.sin((2 * Math.PI * 130 * harmonic * i) / 16_000 + harmonic) / harmonic;
    return Math.round(4000 * sample * Math.sin(i / 2500) ** 2);
  });
}

function join(chunks: readonly Int16Array[]): number[] {
  return chunks.flatMap((chunk) => [...chunk]);
}

function extend(samples: Int16Array, extension = new BandwidthExtension(weights)): number[] {
  return join([extension.process(samples), extension.flush()]);
}

/** Mean log energies of the 23 mel bands. */
function meanBands(samples: readonly number[]): number[] {
  const input = Float64Array.from(samples);
  const mel = new MelBands(23);
  const energies = new Float64Array(23);
  const sums = new Array<number>(23).fill(0);
  let frames = 0;
  for (let at = 0; at + MEL_FRAME <= input.length; at += MEL_HOP, frames++) {
    mel.compute(input, at, energies, 0);
    energies.forEach((energy, band) => {
      sums[band] = sums[band]! + energy;
    });
  }
  return sums.map((sum) => sum / frames);
}

describe("an extended stream", () => {
  test("is the same however the input is cut into chunks", () => {
    const input = speechLike(6000);
    const whole = extend(input);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1500 }), { maxLength: 20 }), (cuts) => {
        const extension = new BandwidthExtension(weights);
        const chunks: Int16Array[] = [];
        let at = 0;
        for (const cut of cuts) {
          chunks.push(extension.process(input.subarray(at, at + cut)));
          at = Math.min(input.length, at + cut);
        }
        chunks.push(extension.process(input.subarray(at)), extension.flush());
        expect(join(chunks)).toEqual(whole);
      }),
      { numRuns: 40 },
    );
  });

  test("lasts exactly as long as its input", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2500 }), (length) => {
        expect(extend(speechLike(length))).toHaveLength(length);
      }),
      { numRuns: 40 },
    );
  });

  test("never lags by more than delayMs, and by 31.5 ms when fed 20 ms at a time", () => {
    const extension = new BandwidthExtension(weights);
    expect(extension.delayMs).toBeLessThanOrEqual(45);
    const lags: number[] = [];
    let returned = 0;
    for (let at = 1; at <= 3000; at++) {
      returned += extension.process(Int16Array.of(0)).length;
      lags.push((at - returned) / 16);
    }
    expect(Math.max(...lags)).toBeLessThan(extension.delayMs);
    expect(lags[320 * 5 - 1]).toBe(31.5);
  });

  test("keeps the telephone band as it is and fills the one above", () => {
    const input = speechLike(32_000);
    const output = extend(input);
    const added = meanBands(output.map((sample, i) => sample - input[i]!));
    const before = meanBands([...input]);
    const after = meanBands(output);
    for (let band = 0; band < 15; band++) {
      expect(added[band]).toBeLessThan(before[band]! - 5);
      expect(after[band]).toBeCloseTo(before[band]!, 1);
    }
    for (let band = 17; band < 23; band++) expect(after[band]).toBeGreaterThan(before[band]! + 2);
  });

  test("has the high band energies that the network asks for", () => {
    for (const energies of [
      [17, 17, 17, 17, 17, 17],
      [19, 18, 17, 16, 15, 14],
      [13, 14, 15, 16, 17, 18],
    ]) {
      const output = extend(new Int16Array(16_000 * 8), new BandwidthExtension(constantWeights(energies)));
      const bands = meanBands(output.slice(1000, -1000)).slice(17);
      bands.forEach((energy, band) => expect(Math.abs(energy - energies[band]!)).toBeLessThan(0.35));
    }
  });

  test("of digital silence stays below hearing", () => {
    const output = extend(new Int16Array(16_000));
    expect(Math.max(...output.map(Math.abs))).toBeLessThanOrEqual(3);
  });

  test("saturates instead of wrapping", () => {
    const loud = Int16Array.from({ length: 8000 }, (_, i) => (Math.floor(i / 800) % 2 === 0 ? 32_767 : -32_768));
    const output = extend(loud, new BandwidthExtension(constantWeights([18, 18, 18, 18, 18, 18])));
    output.forEach((sample, i) => expect(Math.abs(sample - loud[i]!)).toBeLessThan(32_768));
  });
});

test("the same input always gets the same noise, after a flush or a reset too", () => {
  const input = speechLike(4000);
  const extension = new BandwidthExtension(weights);
  const first = extend(input, extension);
  expect(extend(input, extension)).toEqual(first);
  extension.process(input);
  extension.reset();
  expect(extend(input, extension)).toEqual(first);
});

test("weights of another shape are refused", () => {
  expect(() => new BandwidthExtension({ ...weights, outputBias: [1, 2] })).toThrow(ConfigError);
  expect(() => new BandwidthExtension({ ...weights, outputBias: [1, 2] })).toThrow(
    "needs 6 values of outputBias for 64 hidden units, not 2",
  );
  expect(() => new BandwidthExtension({ ...weights, hiddenBias: [], hiddenWeights: [], outputWeights: [] })).toThrow(ConfigError);
});
