import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type AudioFormat,
  audioByteLength,
  audioDurationMs,
  bytesPerSample,
  describeFormat,
  MULAW_8K,
  PCM16_16K,
  sameFormat,
} from "./audio-frame.js";

const formats: fc.Arbitrary<AudioFormat> = fc.record({
  encoding: fc.constantFrom("pcm16", "mulaw", "alaw"),
  sampleRate: fc.constantFrom(8000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000),
});

describe("audio lengths", () => {
  it("knows the 20 ms frames of the telephone and of the page", () => {
    expect(audioByteLength(MULAW_8K, 20)).toBe(160);
    expect(audioByteLength(PCM16_16K, 20)).toBe(640);
    expect(audioDurationMs(MULAW_8K, 160)).toBe(20);
    expect(audioDurationMs(PCM16_16K, 640)).toBe(20);
  });

  it("turns whole samples into ms and back without losing one", () => {
    fc.assert(
      fc.property(formats, fc.integer({ min: 0, max: 48_000 * 3600 }), (format, samples) => {
        const byteLength = samples * bytesPerSample(format.encoding);
        expect(audioByteLength(format, audioDurationMs(format, byteLength))).toBe(byteLength);
      }),
    );
  });

  it("rounds a duration down to whole samples", () => {
    fc.assert(
      fc.property(formats, fc.double({ min: 0, max: 3_600_000, noNaN: true }), (format, durationMs) => {
        const byteLength = audioByteLength(format, durationMs);
        const sampleMs = 1000 / format.sampleRate;
        expect(byteLength % bytesPerSample(format.encoding)).toBe(0);
        expect(audioDurationMs(format, byteLength)).toBeLessThanOrEqual(durationMs + sampleMs / 1000);
        expect(audioDurationMs(format, byteLength)).toBeGreaterThan(durationMs - sampleMs);
      }),
    );
  });
});

describe("audio formats", () => {
  it("are the same when encoding and sample rate are", () => {
    expect(sameFormat(MULAW_8K, { ...MULAW_8K })).toBe(true);
    expect(sameFormat(MULAW_8K, { ...MULAW_8K, encoding: "alaw" })).toBe(false);
    expect(sameFormat(MULAW_8K, { ...MULAW_8K, sampleRate: 16_000 })).toBe(false);
  });

  it("are described as people write them", () => {
    expect(describeFormat(MULAW_8K)).toBe("mulaw 8000 Hz");
  });
});
