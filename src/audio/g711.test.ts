import { describe, expect, test } from "vitest";
import { ALAW_SILENCE, decodeAlaw, decodeMulaw, encodeAlaw, encodeMulaw, MULAW_SILENCE } from "./g711.js";

const everyCode = Uint8Array.from({ length: 256 }, (_, code) => code);
const everySample = Int16Array.from({ length: 65_536 }, (_, i) => i - 32_768);

/** Decision values and output levels as G.711 tabulates them: segments of 16 steps, each twice as wide. */
function quantizer(firstSteps: number, firstWidth: number, firstDecision: number, segments: number) {
  const decisions: number[] = [];
  let decision = firstDecision;
  for (let segment = 0; segment < segments; segment++) {
    for (let step = 0; step < (segment === 0 ? firstSteps : 16); step++) {
      decisions.push(decision);
      decision += firstWidth * 2 ** segment;
    }
  }
  return { decisions, end: decision };
}

describe("mu-law", () => {
  // G.711 table 2: 14-bit magnitudes, decision values 1, 3 .. 31, 35 .. 95, 103 .. up to 8159.
  const { decisions, end } = quantizer(15, 2, 1, 8);
  const levels = [0, ...decisions.map((decision, i) => (decision + (decisions[i + 1] ?? end)) / 2)];

  test("has the 128 levels of the recommendation", () => {
    expect(decisions[15]).toBe(31);
    expect(end).toBe(8159);
    expect(levels).toHaveLength(128);
    const decoded = decodeMulaw(everyCode);
    for (let index = 0; index < 128; index++) {
      expect(decoded[0xff - index]).toBe(levels[index]! * 4);
      expect(decoded[0x7f - index]).toBe(-levels[index]! * 4 + 0);
    }
  });

  test("every 16-bit sample gets the code its decision values say", () => {
    const encoded = encodeMulaw(everySample);
    let wrong = 0;
    let index = 0;
    for (let magnitude = 0; magnitude < 32_768; magnitude++) {
      while (index < decisions.length && magnitude / 4 >= decisions[index]!) index++;
      if (encoded[32_768 + magnitude] !== 0xff - index) wrong++;
      if (encoded[32_767 - magnitude] !== 0x7f - index) wrong++;
    }
    expect(wrong).toBe(0);
  });

  test("every code survives decoding and encoding, save that minus zero becomes zero", () => {
    const again = encodeMulaw(decodeMulaw(everyCode));
    expect([...again]).toEqual([...everyCode].map((code) => (code === 0x7f ? 0xff : code)));
  });

  test("silence is zero", () => {
    expect([...decodeMulaw(Uint8Array.of(MULAW_SILENCE))]).toEqual([0]);
    expect([...encodeMulaw(Int16Array.of(0))]).toEqual([MULAW_SILENCE]);
  });
});

describe("A-law", () => {
  // G.711 table 1: 13-bit magnitudes, decision values 2, 4 .. 64, 68 .. 128, 136 .. up to 4096; two segments of width 2.
  const { decisions, end } = quantizer(31, 2, 2, 7);
  const levels = [1, ...decisions.map((decision, i) => (decision + (decisions[i + 1] ?? end)) / 2)];

  test("has the 128 levels of the recommendation, with even bits inverted", () => {
    expect(end).toBe(4096);
    const decoded = decodeAlaw(everyCode);
    for (let index = 0; index < 128; index++) {
      expect(decoded[(0x80 | index) ^ 0x55]).toBe(levels[index]! * 8);
      expect(decoded[index ^ 0x55]).toBe(-levels[index]! * 8);
    }
  });

  test("every 16-bit sample gets the code its decision values say", () => {
    const encoded = encodeAlaw(everySample);
    let wrong = 0;
    let index = 0;
    for (let magnitude = 0; magnitude < 32_768; magnitude++) {
      while (index < decisions.length && magnitude / 8 >= decisions[index]!) index++;
      if (encoded[32_768 + magnitude] !== ((0x80 | index) ^ 0x55)) wrong++;
      if (encoded[32_767 - magnitude] !== (index ^ 0x55)) wrong++;
    }
    expect(wrong).toBe(0);
  });

  test("every code survives decoding and encoding", () => {
    expect([...encodeAlaw(decodeAlaw(everyCode))]).toEqual([...everyCode]);
  });

  test("silence is the smallest positive level", () => {
    expect([...decodeAlaw(Uint8Array.of(ALAW_SILENCE))]).toEqual([8]);
    expect([...encodeAlaw(Int16Array.of(0))]).toEqual([ALAW_SILENCE]);
  });
});
