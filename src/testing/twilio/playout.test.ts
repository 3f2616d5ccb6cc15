import fc from "fast-check";
import { expect, test } from "vitest";
import { Playout } from "./playout.js";

type Step = { readonly type: "audio"; readonly bytes: number } | { readonly type: "mark" | "clear" | "tick" };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ type: fc.constant("audio" as const), bytes: fc.integer({ min: 0, max: 700 }) }),
  fc.record({ type: fc.constantFrom("mark" as const, "clear" as const, "tick" as const) }),
);

test("every mark comes back once and in order, and every byte is either played in order or was cleared", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const playout = new Playout();
      const returned: string[] = [];
      const played: number[] = [];
      const cleared = new Set<number>();
      let [sent, marks] = [0, 0];
      const tick = (): void => {
        returned.push(...playout.played().map(({ name }) => name));
        const { bytes, audioBytes } = playout.next();
        played.push(...bytes.subarray(0, audioBytes));
      };
      for (const { type, ...rest } of [...steps, ...Array.from({ length: 300 }, () => ({ type: "tick" as const }))]) {
        if (type === "tick") tick();
        if (type === "mark") returned.push(...playout.mark(String(marks++)).map(({ name }) => name));
        if (type === "clear") {
          const queued = playout.queuedBytes;
          for (let i = sent - queued; i < sent; i++) cleared.add(i);
          returned.push(...playout.clear().map(({ name }) => name));
        }
        if (type === "audio") {
          const { bytes = 0 } = rest as { bytes?: number };
          playout.add(Uint8Array.from({ length: bytes }, (_, index) => (sent + index) % 251));
          sent += bytes;
        }
      }
      expect(returned).toEqual(Array.from({ length: marks }, (_, index) => String(index)));
      const kept = Array.from({ length: sent }, (_, index) => index).filter((index) => !cleared.has(index));
      expect(played).toEqual(kept.map((index) => index % 251));
      expect(playout.queuedBytes).toBe(0);
    }),
  );
});

test("a mark between two pieces of audio comes back when the first has been played", () => {
  const playout = new Playout();
  playout.add(new Uint8Array(100));
  playout.mark("first");
  playout.add(new Uint8Array(100));
  playout.mark("second");
  expect(playout.played()).toEqual([]);
  expect(playout.next().audioBytes).toBe(160);
  expect(playout.played()).toEqual([{ name: "first", outcome: "played" }]);
  const { bytes, audioBytes } = playout.next();
  expect([bytes.length, audioBytes]).toEqual([160, 40]);
  expect(bytes.subarray(40).every((byte) => byte === 0xff)).toBe(true);
  expect(playout.played()).toEqual([{ name: "second", outcome: "played" }]);
});

test("a mark behind the last frame waits until that frame has sounded", () => {
  const playout = new Playout();
  playout.add(new Uint8Array(160));
  playout.next();
  expect(playout.mark("end")).toEqual([]);
  expect(playout.played()).toEqual([{ name: "end", outcome: "played" }]);
});
