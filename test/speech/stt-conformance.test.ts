import { describe, it } from "vitest";
import { encodeFrame } from "../../src/audio/pcm.js";
import { Resampler } from "../../src/audio/resample.js";
import { LocalSTT } from "../../src/stt/local.js";
import { sttConformance } from "../../src/testing/conformance/stt.js";
import { cards, goForward, type Recording } from "./recordings.js";

const PHRASES = ["go forward ten meters", "seven of clubs"] as const;

describe("LocalSTT", () => {
  const recordings = [goForward(), ...cards()];
  const cases = sttConformance({
    phrases: PHRASES,
    start: () => {
      const stt = new LocalSTT({ grammar: PHRASES });
      return {
        stt,
        say: (phrase, format) => {
          const recording = recordings.find(({ text }) => text === phrase) as Recording;
          const resampler = new Resampler(recording.sampleRate, format.sampleRate);
          const samples = [...resampler.process(recording.samples), ...resampler.flush()];
          return encodeFrame(Int16Array.from(samples), format).bytes;
        },
        [Symbol.asyncDispose]: () => stt[Symbol.asyncDispose](),
      };
    },
  });
  it.each(cases)("$name", ({ run }) => run());
});
