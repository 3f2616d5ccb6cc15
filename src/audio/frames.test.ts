import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AudioFormat, AudioFrame } from "../core/audio-frame.js";
import { MULAW_8K, PCM16_16K } from "../core/audio-frame.js";
import { ConfigError } from "../core/errors.js";
import { FrameCutter, silence } from "./frames.js";
import { decodeFrame } from "./pcm.js";

const ALAW_8K: AudioFormat = { encoding: "alaw", sampleRate: 8000 };

function bytesIn(frames: readonly AudioFrame[]): number[] {
  return frames.flatMap((frame) => [...frame.bytes]);
}

describe("FrameCutter", () => {
  test("gives every byte once, in whole frames, however the stream is chunked", () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 12 }),
        fc.constantFrom(MULAW_8K, PCM16_16K),
        (chunks, format) => {
          const cutter = new FrameCutter(format, 5);
          const frames = chunks.flatMap((chunk) => cutter.push(chunk));
          for (const frame of frames) expect(frame.bytes).toHaveLength(cutter.frameBytes);
          const rest = cutter.flush(false);
          const all = chunks.flatMap((chunk) => [...chunk]);
          const whole = format === PCM16_16K ? all.length - (all.length % 2) : all.length;
          expect(bytesIn(rest === undefined ? frames : [...frames, rest])).toEqual(all.slice(0, whole));
        },
      ),
    );
  });

  test("a frame keeps its audio when the chunk it came from is used again", () => {
    const cutter = new FrameCutter(MULAW_8K, 20);
    const chunk = Buffer.alloc(160, 7);
    const [frame] = cutter.push(chunk);
    chunk.fill(9);
    expect(frame?.bytes.every((byte) => byte === 7)).toBe(true);
  });

  test("the rest is padded with the silence of its encoding", () => {
    const cutter = new FrameCutter(MULAW_8K, 1);
    cutter.push(Uint8Array.of(1, 2));
    expect(cutter.flush(true)).toEqual({ format: MULAW_8K, bytes: Uint8Array.of(1, 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff) });
    const pcm = new FrameCutter(PCM16_16K, 0.25);
    pcm.push(Uint8Array.of(1, 2, 3));
    expect(pcm.flush(true)?.bytes).toEqual(Uint8Array.of(1, 2, 0, 0, 0, 0, 0, 0));
  });

  test("a flush leaves nothing behind for the next stream", () => {
    const cutter = new FrameCutter(PCM16_16K, 20);
    cutter.push(Uint8Array.of(5));
    expect(cutter.flush(true)).toBeUndefined();
    expect(cutter.flush(false)).toBeUndefined();
    expect(bytesIn(cutter.push(new Uint8Array(640).fill(1)))).toEqual(new Array(640).fill(1));
  });

  test("a frame without a sample is refused", () => {
    for (const frameMs of [0, -20, 0.1, Number.NaN]) expect(() => new FrameCutter(MULAW_8K, frameMs)).toThrow(ConfigError);
  });
});

test("silence has the length asked for and sounds like nothing in every encoding", () => {
  expect(silence(MULAW_8K, 20).bytes).toHaveLength(160);
  expect(silence(PCM16_16K, 20).bytes).toHaveLength(640);
  for (const format of [MULAW_8K, PCM16_16K, ALAW_8K]) {
    expect(Math.max(...decodeFrame(silence(format, 20)).map(Math.abs))).toBeLessThanOrEqual(8);
  }
});
