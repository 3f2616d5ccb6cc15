import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SpeechMap } from "./heard-text.js";

fc.configureGlobal({ seed: 1 });

interface Sentence {
  readonly words: readonly string[];
  /** How long each word takes, in ms. */
  readonly wordMs: readonly number[];
}

/** Maps sentences as a synthesiser would give them; the last may still be on its way. */
function speak(sentences: readonly Sentence[], options: { readonly timed: boolean; readonly isComplete: boolean }): SpeechMap {
  const map = new SpeechMap();
  for (const [index, { words, wordMs }] of sentences.entries()) {
    const start = map.text.length + (index === 0 ? 0 : 1);
    map.addText(`${index === 0 ? "" : " "}${words.join(" ")}`);
    let textStart = start;
    for (const [place, word] of words.entries()) {
      const startMs = map.audioMs;
      const endMs = startMs + (wordMs[place % wordMs.length] ?? 0);
      map.addAudio(endMs - startMs);
      if (options.timed) map.addWords([{ textStart, textEnd: textStart + word.length, startMs, endMs }]);
      textStart += word.length + 1;
    }
    if (options.isComplete || index < sentences.length - 1) map.completeText(map.text.length);
  }
  return map;
}

const sentences: fc.Arbitrary<Sentence[]> = fc.array(
  fc.record({
    words: fc.array(fc.stringMatching(/^[a-z]{1,9}[.,]?$/), { minLength: 1, maxLength: 8, size: "max" }),
    wordMs: fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 8, size: "max" }),
  }),
  { minLength: 1, maxLength: 5, size: "max" },
);
const options = fc.record({ timed: fc.boolean(), isComplete: fc.boolean() });

const twoWords = { words: ["Good", "evening."], wordMs: [300, 500] };

describe("SpeechMap", () => {
  test("has heard nothing at 0, also when the first sentence has no sound", () => {
    fc.assert(
      fc.property(sentences, options, (script, how) => {
        expect(speak(script, how).heardAt(0)).toEqual({ textEnd: 0, isEstimated: false });
      }),
    );
    const silent = new SpeechMap();
    silent.addText("…");
    silent.completeText(1);
    silent.addText(" Hello.");
    expect(silent.heardAt(0)).toEqual({ textEnd: 0, isEstimated: false });
  });

  test("has heard everything at the end of the audio, and behind it, for certain", () => {
    fc.assert(
      fc.property(sentences, fc.boolean(), fc.integer({ min: 0, max: 20 }), (script, timed, paddingMs) => {
        const map = speak(script, { timed, isComplete: true });
        expect(map.heardAt(map.audioMs + paddingMs)).toEqual({ textEnd: map.text.length, isEstimated: false });
      }),
    );
  });

  test("never hears less of more audio", () => {
    fc.assert(
      fc.property(
        sentences,
        options,
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30, size: "max" }),
        (script, how, shares) => {
          const map = speak(script, how);
          const heard = shares
            .map((share) => share * (map.audioMs + 500))
            .sort((a, b) => a - b)
            .map((audioMs) => map.heardAt(audioMs).textEnd);
          expect(heard).toEqual([...heard].sort((a, b) => a - b));
        },
      ),
    );
  });

  test("never hears less of more audio either when the word times are wrong", () => {
    const words = fc.array(
      fc.record({
        textStart: fc.nat(40),
        length: fc.integer({ min: 1, max: 8 }),
        startMs: fc.nat(4000),
        durationMs: fc.nat(900),
      }),
      { maxLength: 10, size: "max" },
    );
    fc.assert(
      fc.property(sentences, words, (script, wrong) => {
        const map = speak(script, { timed: false, isComplete: true });
        map.addWords(
          wrong.map(({ textStart, length, startMs, durationMs }) => ({
            textStart,
            textEnd: textStart + length,
            startMs,
            endMs: startMs + durationMs,
          })),
        );
        const heard = Array.from({ length: 50 }, (_, index) => map.heardAt((index * map.audioMs) / 49).textEnd);
        expect(heard).toEqual([...heard].sort((a, b) => a - b));
        expect(heard.at(-1)).toBe(map.text.length);
      }),
    );
  });

  test("ends between words, never in one", () => {
    fc.assert(
      fc.property(sentences, options, fc.double({ min: 0, max: 1, noNaN: true }), (script, how, share) => {
        const map = speak(script, how);
        const { textEnd } = map.heardAt(share * map.audioMs);
        expect(textEnd === map.text.length || textEnd === 0 || map.text[textEnd] === " ").toBe(true);
      }),
    );
  });

  test("with word times counts a word from its middle on, and is certain of it", () => {
    const map = speak([twoWords, twoWords], { timed: true, isComplete: true });
    expect([149, 150, 549, 550].map((audioMs) => map.heardAt(audioMs).textEnd)).toEqual([0, 4, 4, 13]);
    expect([800, 949, 951, 1349, 1351].map((audioMs) => map.heardAt(audioMs).textEnd)).toEqual([13, 13, 18, 18, 27]);
    expect(map.heardAt(700).isEstimated).toBe(false);
  });

  test("with word times is within half a word of the truth", () => {
    fc.assert(
      fc.property(sentences, fc.double({ min: 0, max: 1, noNaN: true }), (script, share) => {
        const map = speak(script, { timed: true, isComplete: false });
        const audioMs = share * map.audioMs;
        const heard = map.text.slice(0, map.heardAt(audioMs).textEnd).split(" ").filter(Boolean).length;
        const durations = script.flatMap(({ words, wordMs }) => words.map((_, index) => wordMs[index % wordMs.length] ?? 0));
        let endMs = 0;
        const spoken = durations.filter((durationMs) => {
          endMs += durationMs;
          return endMs - durationMs / 2 <= audioMs;
        }).length;
        expect(Math.abs(heard - spoken)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test("without word times goes by the share of a sentence, and is certain only at its ends", () => {
    const map = speak([twoWords, { words: ["Come", "in."], wordMs: [400] }], { timed: false, isComplete: true });
    expect(map.heardAt(100)).toEqual({ textEnd: 0, isEstimated: true });
    expect(map.heardAt(400)).toEqual({ textEnd: 4, isEstimated: true });
    expect(map.heardAt(700)).toEqual({ textEnd: 13, isEstimated: true });
    expect(map.heardAt(800)).toEqual({ textEnd: 13, isEstimated: false });
    expect(map.heardAt(1200)).toEqual({ textEnd: 18, isEstimated: true });
  });

  test("without word times takes the pace of the sentences before for one that is on its way", () => {
    const map = speak(
      [
        { words: ["abcd", "efgh"], wordMs: [450] },
        { words: ["ijkl", "mnop", "qrst"], wordMs: [100] },
      ],
      {
        timed: false,
        isComplete: false,
      },
    );
    // Nine characters took 900 ms: 10 a second.
    expect(map.heardAt(900).isEstimated).toBe(false);
    expect(map.heardAt(1100).textEnd).toBe(9);
    expect(map.heardAt(1250).textEnd).toBe(14);
    expect(map.heardAt(5000)).toEqual({ textEnd: map.text.length, isEstimated: true });
  });
});
