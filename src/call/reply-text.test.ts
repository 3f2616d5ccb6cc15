import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ReplyText } from "./reply-text.js";

fc.configureGlobal({ seed: 1 });

interface Spoken {
  readonly round: number;
  readonly source: string;
  /** As it is said; the same words by default. */
  readonly spoken?: string;
}

const WORD_MS = 200;

/** Speaks every sentence, 200 ms a word, with word times. */
function speak(sentences: readonly Spoken[]): ReplyText {
  const text = new ReplyText();
  let written = "";
  for (const { round, source, spoken = source } of sentences) {
    const from = written.length;
    written += text.add(round, source, spoken);
    for (const match of written.slice(from).matchAll(/\S+/g)) {
      const startMs = text.audioMs;
      text.addAudio(WORD_MS);
      text.addWords([
        { textStart: from + match.index, textEnd: from + match.index + match[0].length, startMs, endMs: startMs + WORD_MS },
      ]);
    }
    text.completeText(written.length);
  }
  expect(text.spoken).toBe(written);
  return text;
}

describe("ReplyText", () => {
  test("joins sentences by one blank, in the words of the conversation", () => {
    const text = new ReplyText();
    expect(text.isEmpty).toBe(true);
    expect(text.add(0, "**Sure.** ", "Sure.")).toBe("Sure.");
    expect(text.add(0, "Which day?", "Which day?")).toBe(" Which day?");
    expect(text.spoken).toBe("Sure. Which day?");
    expect(text.roundText(0)).toBe("**Sure.** Which day?");
    expect(text.roundText(1)).toBe("");
    expect(text.isEmpty).toBe(false);
  });

  test("has heard nothing at 0 and the whole at the end", () => {
    const text = speak([
      { round: 0, source: "Let me see." },
      { round: 1, source: "Yes, we have one." },
    ]);
    expect(text.heardAt(0, false)).toEqual({
      rounds: ["", ""],
      text: "Let me see. Yes, we have one.",
      heard: "",
      isEstimated: false,
    });
    expect(text.heardAt(text.audioMs, false)).toEqual({
      rounds: ["Let me see.", "Yes, we have one."],
      text: "Let me see. Yes, we have one.",
      heard: "Let me see. Yes, we have one.",
      isEstimated: false,
    });
  });

  test("cuts at the word, in the round where it lies", () => {
    const text = speak([
      { round: 0, source: "Let me see." },
      { round: 1, source: "Yes, we have one." },
    ]);
    expect(text.heardAt(350, false).rounds).toEqual(["Let me", ""]);
    expect(text.heardAt(3 * WORD_MS, false).rounds).toEqual(["Let me see.", ""]);
    expect(text.heardAt(950, false)).toMatchObject({ rounds: ["Let me see.", "Yes, we"], heard: "Let me see. Yes, we" });
  });

  test("is estimated when the position or the text is", () => {
    const text = speak([{ round: 0, source: "Let me see." }]);
    expect(text.heardAt(350, true).isEstimated).toBe(true);
    expect(text.heardAt(350, false).isEstimated).toBe(false);
  });

  test("finds the share of the source where the voice says other words", () => {
    const text = speak([
      { round: 0, source: "It is $45 at 7 p.m. tonight.", spoken: "It is forty-five dollars at seven o'clock p m tonight." },
    ]);
    expect(text.heardAt(0, false).heard).toBe("");
    expect(text.heardAt(2 * WORD_MS, false).heard).toBe("It");
    expect(text.heardAt(5 * WORD_MS, false).heard).toBe("It is $45 at");
    expect(text.heardAt(text.audioMs, false).heard).toBe("It is $45 at 7 p.m. tonight.");
  });

  test("finds it too where the source has marks the voice leaves out", () => {
    const text = speak([{ round: 0, source: "- **Fish** and `chips`\n", spoken: "Fish and chips" }]);
    expect(text.heardAt(100, false).heard).toBe("- **Fish**");
    expect(text.heardAt(350, false).heard).toBe("- **Fish** and");
    expect(text.heardAt(text.audioMs, false).heard).toBe("- **Fish** and `chips`");
  });

  test("has a hold line in the round it bridges", () => {
    const text = speak([
      { round: 0, source: "One moment, please." },
      { round: 0, source: "Here you are." },
    ]);
    expect(text.heardAt(text.audioMs, false).rounds).toEqual(["One moment, please. Here you are."]);
    expect(text.heardAt(450, false).rounds).toEqual(["One moment,"]);
  });

  test("of a reply without a sentence has no rounds", () => {
    expect(new ReplyText().heardAt(0, false)).toEqual({ rounds: [], text: "", heard: "", isEstimated: false });
  });

  test("hears more of more audio, and of each sentence a part from its beginning", () => {
    const words = fc
      .array(fc.stringMatching(/^[a-z]{1,6}$/), { minLength: 1, maxLength: 6, size: "max" })
      .map((parts) => `${parts.join(" ")}.`);
    const sentences = fc.array(
      fc.record({ source: words, other: fc.option(words, { nil: undefined }), isNextRound: fc.boolean() }),
      {
        minLength: 1,
        maxLength: 6,
        size: "max",
      },
    );
    fc.assert(
      fc.property(sentences, (script) => {
        let round = 0;
        const spoken = script.map(({ source, other, isNextRound }): Spoken => {
          if (isNextRound) round++;
          return { round, source, ...(other === undefined ? {} : { spoken: other }) };
        });
        const text = speak(spoken);
        let last = "";
        for (let audioMs = 0; audioMs <= text.audioMs; audioMs += WORD_MS / 2) {
          const { heard, rounds, text: whole } = text.heardAt(audioMs, false);
          expect(heard.startsWith(last)).toBe(true);
          expect(whole.startsWith(heard)).toBe(true);
          expect(rounds.filter(Boolean).join(" ")).toBe(heard);
          last = heard;
        }
        expect(last).toBe(spoken.map(({ source }) => source).join(" "));
      }),
      { numRuns: 40 },
    );
  });
});
