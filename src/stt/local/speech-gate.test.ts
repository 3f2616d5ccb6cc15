import { describe, expect, test } from "vitest";
import { silence } from "../../audio/frames.js";
import { encodeFrame } from "../../audio/pcm.js";
import { MULAW_8K } from "../../core/audio-frame.js";
import { SpeechGate } from "./speech-gate.js";

const FRAME_MS = 20;

function tone(amplitude: number): Uint8Array {
  return encodeFrame(
    Int16Array.from({ length: 160 }, (_, index) => amplitude * Math.sin(index / 3)),
    MULAW_8K,
  ).bytes;
}

/** How much of so many frames passes, and how much is left out, in ms. */
function pass(gate: SpeechGate, frame: Uint8Array, frames: number): { readonly passedMs: number; readonly skippedMs: number } {
  let passedMs = 0;
  let skippedMs = 0;
  for (let index = 0; index < frames; index++) {
    for (const gated of gate.push(frame)) {
      if (gated.type === "audio") passedMs += gated.bytes.length / 8;
      else skippedMs += gated.durationMs;
    }
  }
  return { passedMs, skippedMs };
}

describe("the speech gate", () => {
  test("keeps silence back, but for a moment before speech and a moment after", () => {
    const gate = new SpeechGate(MULAW_8K);
    const quiet = silence(MULAW_8K, FRAME_MS).bytes;
    expect(pass(gate, quiet, 100)).toEqual({ passedMs: 0, skippedMs: 1700 });
    expect(pass(gate, tone(6000), 10)).toEqual({ passedMs: 500, skippedMs: 0 });
    expect(pass(gate, quiet, 100)).toEqual({ passedMs: 600, skippedMs: 1100 });
  });

  test("closes on a line that is only noisy, and opens for a voice above the noise", () => {
    const gate = new SpeechGate(MULAW_8K);
    pass(gate, tone(150), 1000);
    expect(pass(gate, tone(150), 100).passedMs).toBe(0);
    expect(pass(gate, tone(1500), 10).passedMs).toBe(500);
  });

  test("loses no ms of a call: what passes, what is left out and what is held add up", () => {
    const gate = new SpeechGate(MULAW_8K);
    let totalMs = 0;
    for (const [amplitude, frames] of [
      [0, 40],
      [3000, 7],
      [0, 11],
      [5000, 3],
      [0, 200],
      [800, 25],
      [0, 9],
    ] as const) {
      const { passedMs, skippedMs } = pass(gate, tone(amplitude), frames);
      totalMs += passedMs + skippedMs;
    }
    expect((40 + 7 + 11 + 3 + 200 + 25 + 9) * FRAME_MS - totalMs).toBeLessThanOrEqual(300);
  });
});
