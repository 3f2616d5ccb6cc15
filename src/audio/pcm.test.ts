import fc from "fast-check";
import { expect, test } from "vitest";
import { MULAW_8K, PCM16_16K } from "../core/audio-frame.js";
import { bytesOf, decodeFrame, encodeFrame, samplesOf } from "./pcm.js";

test("samples and bytes convert to each other at every alignment", () => {
  fc.assert(
    fc.property(fc.int16Array(), fc.integer({ min: 0, max: 3 }), (samples, offset) => {
      const storage = new Uint8Array(samples.byteLength + offset);
      storage.set(bytesOf(samples), offset);
      expect([...samplesOf(storage.subarray(offset))]).toEqual([...samples]);
    }),
  );
});

test("aligned bytes are viewed without a copy", () => {
  const bytes = new Uint8Array(4);
  const samples = samplesOf(bytes);
  samples[1] = 0x1234;
  expect([...bytes]).toEqual([0, 0, 0x34, 0x12]);
});

test("half a sample at the end is left out", () => {
  expect([...samplesOf(Uint8Array.of(1, 0, 7))]).toEqual([1]);
  expect([...samplesOf(Uint8Array.of(9, 1, 0, 7).subarray(1))]).toEqual([1]);
});

test("a frame of every encoding decodes to what was encoded, within the code's step", () => {
  fc.assert(
    fc.property(fc.int16Array(), fc.constantFrom("pcm16", "mulaw", "alaw"), (samples, encoding) => {
      const frame = encodeFrame(samples, { encoding, sampleRate: 8000 });
      const decoded = decodeFrame(frame);
      expect(decoded).toHaveLength(samples.length);
      decoded.forEach((value, i) => {
        const sample = samples[i]!;
        expect(Math.abs(value - sample)).toBeLessThanOrEqual(encoding === "pcm16" ? 0 : 16 + Math.abs(sample) / 16);
      });
    }),
  );
});

test("an encoded frame carries the format it was asked for", () => {
  expect(encodeFrame(Int16Array.of(0, 0), MULAW_8K)).toEqual({ format: MULAW_8K, bytes: Uint8Array.of(0xff, 0xff) });
  expect(encodeFrame(Int16Array.of(-2), PCM16_16K).bytes).toEqual(Uint8Array.of(0xfe, 0xff));
});
