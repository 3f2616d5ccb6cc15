import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ConfigError } from "../core/errors.js";
import { Resampler } from "./resample.js";

const RATES = [8000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000];

function concat(chunks: readonly Int16Array[]): Int16Array {
  const all = new Int16Array(chunks.reduce((length, chunk) => length + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

function resample(samples: Int16Array, fromRate: number, toRate: number): Int16Array {
  const resampler = new Resampler(fromRate, toRate);
  return concat([resampler.process(samples), resampler.flush()]);
}

function sine(hz: number, rate: number, seconds: number, amplitude = 16_000): Int16Array {
  return Int16Array.from({ length: rate * seconds }, (_, i) => Math.round(amplitude * Math.sin((2 * Math.PI * hz * i) / rate)));
}

function rms(samples: Int16Array): number {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
}

/** Gain in dB of a tone, without the ends of the signal. */
function gainDb(hz: number, fromRate: number, toRate: number): number {
  const input = sine(hz, fromRate, 0.5, 30_000);
  const output = resample(input, fromRate, toRate);
  return 20 * Math.log10(rms(output.subarray(toRate / 10, -toRate / 10)) / rms(input));
}

const signal = fc.int16Array({ maxLength: 3000 });
const rate = fc.constantFrom(...RATES);

describe("a resampled stream", () => {
  test("is the same however the input is cut into chunks", () => {
    fc.assert(
      fc.property(signal, rate, rate, fc.array(fc.integer({ min: 0, max: 700 }), { maxLength: 20 }), (input, from, to, cuts) => {
        const resampler = new Resampler(from, to);
        const chunks: Int16Array[] = [];
        let at = 0;
        for (const cut of cuts) {
          chunks.push(resampler.process(input.subarray(at, at + cut)));
          at = Math.min(input.length, at + cut);
        }
        chunks.push(resampler.process(input.subarray(at)), resampler.flush());
        expect(concat(chunks)).toEqual(resample(input, from, to));
      }),
      { numRuns: 60 },
    );
  });

  test("one sample at a time gives the same samples as all at once, beyond the internal block", () => {
    const input = Int16Array.from({ length: 5000 }, (_, i) => ((i * 7919) % 65_536) - 32_768);
    for (const [from, to] of [
      [8000, 16_000],
      [16_000, 8000],
      [44_100, 16_000],
    ] as const) {
      const resampler = new Resampler(from, to);
      const chunks = Array.from(input, (sample) => resampler.process(Int16Array.of(sample)));
      expect(concat([...chunks, resampler.flush()])).toEqual(resample(input, from, to));
    }
  });

  test("lasts exactly as long as its input", () => {
    fc.assert(
      fc.property(signal, rate, rate, (input, from, to) => {
        expect(resample(input, from, to)).toHaveLength(Math.ceil((input.length * to) / from));
      }),
      { numRuns: 60 },
    );
  });

  test("never lags behind its input by more than delayMs", () => {
    for (const from of RATES) {
      for (const to of RATES) {
        const resampler = new Resampler(from, to);
        const output = resampler.process(new Int16Array(from));
        const lagMs = 1000 - (output.length / to) * 1000;
        expect(lagMs).toBeLessThanOrEqual(resampler.delayMs + 1e-9);
        expect(resampler.delayMs).toBeLessThanOrEqual(3.2);
      }
    }
  });

  test("is not shifted in time", () => {
    const tone = 440;
    for (const [from, to] of [
      [8000, 16_000],
      [16_000, 8000],
      [24_000, 8000],
      [44_100, 16_000],
      [22_050, 48_000],
    ] as const) {
      const output = resample(sine(tone, from, 0.5), from, to).subarray(to / 10, -to / 10);
      const expected = sine(tone, to, 0.5).subarray(to / 10, to / 10 + output.length);
      const error = Int16Array.from(output, (sample, i) => sample - expected[i]!);
      expect(rms(error)).toBeLessThan(3);
    }
  });
});

describe("the filter", () => {
  test("from 16 to 8 kHz it is flat to 3.3 kHz and lets less than -75 dB alias from 4.2 kHz up", () => {
    for (const hz of [100, 1000, 2500, 3300]) expect(Math.abs(gainDb(hz, 16_000, 8000))).toBeLessThan(0.1);
    for (let hz = 4200; hz < 8000; hz += 100) expect(gainDb(hz, 16_000, 8000)).toBeLessThan(-75);
  });

  test("from 8 to 16 kHz no image of the speech band is left above 4.2 kHz", () => {
    for (const hz of [300, 1000, 2500, 3300, 3700]) {
      const output = resample(sine(hz, 8000, 0.5, 30_000), 8000, 16_000);
      const image = 8000 - hz;
      expect(20 * Math.log10(amplitudeAt(output, image, 16_000) / 30_000)).toBeLessThan(-75);
    }
  });

  test("from 24 and 48 to 8 kHz nothing from 4.2 kHz up aliases", () => {
    for (const from of [24_000, 48_000]) {
      for (let hz = 4200; hz < from / 2; hz += 371) expect(gainDb(hz, from, 8000)).toBeLessThan(-75);
    }
  });

  test("keeps a constant exactly and saturates an overshoot instead of wrapping it", () => {
    const constant = resample(new Int16Array(2000).fill(12_345), 44_100, 16_000).subarray(100, -100);
    expect(new Set(constant)).toEqual(new Set([12_345]));
    const square = Int16Array.from({ length: 2000 }, (_, i) => (i % 40 < 20 ? 32_767 : -32_768));
    const output = resample(square, 8000, 16_000);
    expect(output.every((sample, i) => Math.abs(sample - (output[i - 1] ?? sample)) < 60_000)).toBe(true);
    expect(Math.max(...output)).toBe(32_767);
  });
});

test("equal rates pass the very same array through", () => {
  const resampler = new Resampler(8000, 8000);
  const samples = Int16Array.of(1, 2, 3);
  expect(resampler.process(samples)).toBe(samples);
  expect(resampler.flush()).toHaveLength(0);
  expect(resampler.delayMs).toBe(0);
});

test("after a flush or a reset nothing of the stream before is left", () => {
  const resampler = new Resampler(8000, 16_000);
  const input = sine(700, 8000, 0.05);
  const first = concat([resampler.process(input), resampler.flush()]);
  resampler.process(sine(300, 8000, 0.03));
  resampler.reset();
  expect(concat([resampler.process(input), resampler.flush()])).toEqual(first);
});

test("rates that are no positive integers, or in no practical ratio, are refused", () => {
  for (const bad of [0, -8000, 8000.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => new Resampler(bad, 8000)).toThrow(ConfigError);
    expect(() => new Resampler(8000, bad)).toThrow(ConfigError);
  }
  expect(() => new Resampler(44_100, 47_999)).toThrow("Cannot resample 44100 Hz to 47999 Hz: the ratio 6857/6300 is too fine.");
});

/** Amplitude of one frequency in the middle of a signal, by a Hann-windowed correlation. */
function amplitudeAt(samples: Int16Array, hz: number, sampleRate: number): number {
  let re = 0;
  let im = 0;
  let weight = 0;
  samples.forEach((sample, i) => {
    const window = 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / samples.length);
    re += sample * window * Math.cos((2 * Math.PI * hz * i) / sampleRate);
    im += sample * window * Math.sin((2 * Math.PI * hz * i) / sampleRate);
    weight += window;
  });
  return (2 * Math.hypot(re, im)) / weight;
}
