import fc from "fast-check";
import { expect, test } from "vitest";
import type { AudioEncoding, AudioFormat, AudioFrame } from "../core/audio-frame.js";
import { audioDurationMs, MULAW_8K, PCM16_16K } from "../core/audio-frame.js";
import { ConfigError } from "../core/errors.js";
import { decodeFrame, encodeFrame } from "./pcm.js";
import { Transcoder } from "./transcode.js";

const format = fc.record({
  encoding: fc.constantFrom<AudioEncoding>("pcm16", "mulaw", "alaw"),
  sampleRate: fc.constantFrom(8000, 16_000, 24_000, 44_100),
});

function tone(to: AudioFormat, durationMs: number): AudioFrame {
  const samples = Int16Array.from(
    { length: (to.sampleRate * durationMs) / 1000 },
    (_, i) => 12_000 * Math.sin((2 * Math.PI * 600 * i) / to.sampleRate),
  );
  return encodeFrame(samples, to);
}

function transcode(frame: AudioFrame, to: AudioFormat): Int16Array {
  const transcoder = new Transcoder(frame.format, to);
  const head = decodeFrame(transcoder.process(frame));
  const rest = transcoder.flush();
  const tail = rest === undefined ? new Int16Array(0) : decodeFrame(rest);
  const all = new Int16Array(head.length + tail.length);
  all.set(head);
  all.set(tail, head.length);
  return all;
}

test("equal formats pass the very same frame through", () => {
  const transcoder = new Transcoder(MULAW_8K, { ...MULAW_8K });
  const frame = { format: MULAW_8K, bytes: Uint8Array.of(1, 2, 3) };
  expect(transcoder.process(frame)).toBe(frame);
  expect(transcoder.flush()).toBeUndefined();
});

test("a tone keeps its shape and length from every format to every other", () => {
  fc.assert(
    fc.property(format, format, (from, to) => {
      const output = transcode(tone(from, 100), to);
      const expected = decodeFrame(tone(to, 100));
      expect(output).toHaveLength(expected.length);
      const edge = to.sampleRate / 100;
      let worst = 0;
      for (let i = edge; i < output.length - edge; i++) worst = Math.max(worst, Math.abs(output[i]! - expected[i]!));
      // Two companding steps at this amplitude.
      expect(worst).toBeLessThan(1100);
    }),
  );
});

test("one encoding becomes another without a change in length or delay", () => {
  const transcoder = new Transcoder(MULAW_8K, { encoding: "alaw", sampleRate: 8000 });
  const output = transcoder.process(tone(MULAW_8K, 20));
  expect(output.format).toEqual({ encoding: "alaw", sampleRate: 8000 });
  expect(output.bytes).toHaveLength(160);
  expect(transcoder.delayMs).toBe(0);
  expect(transcoder.flush()).toBeUndefined();
});

test("a change of rate gives back in flush what it held back", () => {
  const transcoder = new Transcoder(MULAW_8K, PCM16_16K);
  const head = transcoder.process(tone(MULAW_8K, 20));
  const rest = transcoder.flush();
  expect(audioDurationMs(PCM16_16K, head.bytes.length)).toBe(20 - transcoder.delayMs);
  expect(audioDurationMs(PCM16_16K, rest?.bytes.length ?? 0)).toBe(transcoder.delayMs);
});

test("a frame of another format is refused", () => {
  const transcoder = new Transcoder(MULAW_8K, PCM16_16K);
  const frame = { format: PCM16_16K, bytes: new Uint8Array(640) };
  expect(() => transcoder.process(frame)).toThrow(ConfigError);
  expect(() => transcoder.process(frame)).toThrow("A frame of pcm16 16000 Hz reached a transcoder from mulaw 8000 Hz");
});
