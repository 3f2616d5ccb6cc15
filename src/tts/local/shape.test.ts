import { describe, expect, it } from "vitest";
import { peakDbfs, rmsDbfs } from "../../audio/level.js";
import { levelGain, levelled, spokenRange } from "./shape.js";

const RATE = 16_000;

describe("spokenRange", () => {
  it("leaves a little around what is spoken", () => {
    const { start, end } = spokenRange({ samples: tone(200, 500, 400), sampleRate: RATE, phones: [] });
    expect(start / 16).toBeCloseTo(190, -1);
    expect(end / 16).toBeCloseTo(740, -1);
  });

  it("keeps quiet sounds at the edges, but no hiss outside the phones", () => {
    const samples = tone(200, 500, 400).map((sample, index) => sample + (index < 3200 ? 100 : 0));
    const phones = [
      { name: "pau", startMs: 0, endMs: 150 },
      { name: "f", startMs: 150, endMs: 700 },
      { name: "pau", startMs: 700, endMs: 1100 },
    ];
    expect(spokenRange({ samples, sampleRate: RATE, phones: [] }).start).toBe(0);
    expect(spokenRange({ samples, sampleRate: RATE, phones }).start / 16).toBe(130);
  });

  it("finds nothing in silence", () => {
    expect(spokenRange({ samples: new Int16Array(1600), sampleRate: RATE, phones: [] })).toEqual({ start: 0, end: 0 });
    expect(spokenRange({ samples: new Int16Array(0), sampleRate: RATE, phones: [] })).toEqual({ start: 0, end: 0 });
  });
});

describe("levelled", () => {
  it("brings quiet and loud speech to -20 dBFS, whatever the silence in it", () => {
    for (const amplitude of [1200, 3000, 20_000]) {
      const samples = tone(300, 1000, 700, amplitude);
      const speech = levelled(samples, RATE, levelGain(samples, RATE)).subarray(4800, 20_800);
      expect(Math.abs(rmsDbfs(speech) + 20)).toBeLessThan(0.5);
    }
  });

  it("clips nothing", () => {
    const samples = tone(0, 100, 0, 30_000);
    expect(peakDbfs(levelled(samples, RATE, 4))).toBeLessThan(-1.4);
  });

  it("begins and ends softly, and takes no samples as they are", () => {
    const samples = levelled(tone(0, 100, 0), RATE, 1);
    expect(samples[0]).toBe(0);
    expect(samples.at(-1)).toBe(0);
    expect(levelled(new Int16Array(0), RATE, levelGain(new Int16Array(0), RATE))).toHaveLength(0);
  });
});

/** A tone between two silences. */
function tone(beforeMs: number, toneMs: number, afterMs: number, amplitude = 5000): Int16Array {
  return Int16Array.from({ length: (beforeMs + toneMs + afterMs) * 16 }, (_, index) =>
    index >= beforeMs * 16 && index < (beforeMs + toneMs) * 16 ? Math.round(amplitude * Math.sin(index / 5)) : 0,
  );
}
