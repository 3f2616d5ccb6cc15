import fc from "fast-check";
import { expect, test } from "vitest";
import { MULAW_8K, PCM16_16K } from "../core/audio-frame.js";
import { WholeSamples } from "./whole-samples.js";

test("pieces of 16-bit audio cut anywhere come out as whole samples, and nothing is lost", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 9 })), (pieces) => {
      const samples = new WholeSamples(PCM16_16K);
      const added = pieces.map((piece) => samples.add(piece));
      expect(added.every(({ length }) => length % 2 === 0)).toBe(true);
      const all = Buffer.concat(pieces);
      expect(Buffer.concat(added)).toEqual(all.subarray(0, all.length - (all.length % 2)));
    }),
  );
});

test("audio of one byte a sample is passed on as it is", () => {
  const bytes = new Uint8Array([1, 2, 3]);
  expect(new WholeSamples(MULAW_8K).add(bytes)).toBe(bytes);
});

test("half a sample does not go on into another stream", () => {
  const samples = new WholeSamples(PCM16_16K);
  samples.add(new Uint8Array([1]));
  samples.reset();
  expect(samples.add(new Uint8Array([2, 3]))).toEqual(new Uint8Array([2, 3]));
});
