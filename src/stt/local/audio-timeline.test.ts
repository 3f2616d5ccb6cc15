import fc from "fast-check";
import { expect, it } from "vitest";
import { AudioTimeline } from "./audio-timeline.js";

it("places what was fed wherever it lay among inserted and skipped audio", () => {
  const step = fc.record({ type: fc.constantFrom("feed", "insert", "skip"), ms: fc.integer({ min: 1, max: 500 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const timeline = new AudioTimeline();
      const fed: { readonly startMs: number; readonly audioMs: number; readonly ms: number }[] = [];
      let fedMs = 0;
      let audioMs = 0;
      for (const { type, ms } of steps) {
        if (type === "skip") {
          timeline.skip(ms);
          audioMs += ms;
          continue;
        }
        timeline.feed(ms);
        if (type === "insert") timeline.insert(ms);
        else {
          fed.push({ startMs: fedMs, audioMs, ms });
          audioMs += ms;
        }
        fedMs += ms;
      }
      for (const { startMs, audioMs: placedMs, ms } of fed) {
        expect(timeline.place({ startMs, endMs: startMs + ms })).toEqual({ startMs: placedMs, endMs: placedMs + ms });
      }
    }),
  );
});
