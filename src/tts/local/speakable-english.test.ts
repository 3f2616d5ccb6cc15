import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { speakableEnglish } from "./speakable-english.js";

type Case = readonly [text: string, spoken: string];

const CASES: Readonly<Record<string, readonly Case[]>> = {
  times: [
    ["at 7:30", "at seven thirty"],
    ["7:30pm, please", "seven thirty P M, please"],
    ["9:05 a.m. is early", "nine oh five eigh M is early"],
    ["at 7 p.m. Then", "at seven P M. Then"],
    ["8:00", "eight o'clock"],
    ["from 18:00–20:15", "from six P M to eight fifteen P M"],
    ["00:15", "twelve fifteen eigh M"],
  ],
  dates: [
    ["on 2026-11-22", "on November 22nd, 2026"],
    ["11/3/2026", "November 3rd, 2026"],
    ["13/12/2026", "December 13th, 2026"],
    ["2026-13-45", "13 45 2026"],
  ],
  money: [
    ["$7.30", "seven dollars and thirty cents"],
    ["$1, $1.01 or $0.50", "one dollar, one dollar and one cent or fifty cents"],
    ["£5.50 and €1,200", "five pounds and fifty pence and one thousand two hundred euros"],
    ["20€ or 1,50 €", "twenty euros or one euro and fifty cents"],
    ["$2.5 million", "two point five million dollars"],
    ["$5-$10", "five dollars to ten dollars"],
  ],
  "telephone numbers and other long ones": [
    ["555-123-4567", "five five five, one two three, four five six seven"],
    ["(555) 123-4567", "five five five, one two three, four five six seven"],
    ["+44 20 7946 0958.", "plus four four, two zero, seven nine four six, zero nine five eight."],
    ["12345678901", "one two three four five six seven eight nine zero one"],
    ["A4B-92X", "eigh four B, nine two X"],
    ["order #12, No. 5", "order number 12, number 5"],
    ["2-4 people", "2 to 4 people"],
    ["50% or 3.5%", "fifty percent or three point five percent"],
    ["20°C", "twenty degrees Celsius"],
    ["1/2", "one half"],
  ],
  addresses: [
    ["info@la-bella.co.uk.", "info at la dash bella dot co dot U K."],
    ["https://www.example.com/menu", "W W W dot example dot com slash menu"],
    ["john_2@mail.com", "john underscore two at mail dot com"],
  ],
  initials: [
    ["an FAQ, an ID, PCs, VIPs", "an F eigh Q, an I D, P C's, V I P's"],
    ["NASA said NO", "NASA said NO"],
    ["e.g. Ms. Lee", "for example Mizz Lee"],
  ],
  signs: [
    ["fish & chips", "fish and chips"],
    ["“don’t” — wait…", "don't, wait,"],
    ["café Zoë Straße", "cafe Zoe Strasse"],
    ["Great 😀👍🏽! *Now*", "Great! Now"],
    ["and/or", "and or"],
    ["日本語", ""],
  ],
};

describe("speakableEnglish", () => {
  it.each(Object.entries(CASES))("says %s as people do", (_, cases) => {
    for (const [text, expected] of cases) expect(spoken(text), text).toBe(expected);
  });

  it("leaves plain sentences as they are", () => {
    const plain = "Hello there, I'm Ann. It's 5 o'clock: two-thirds of 12 tables, right?";
    expect(spoken(plain)).toBe(plain);
  });

  it("says where each piece comes from", () => {
    const text = "At 7:30 pm — for $5?";
    expect(speakableEnglish(text).map(({ start, end }) => text.slice(start, end))).toEqual(["At", "7:30 pm", "for", "$5"]);
  });

  it("makes of any text English letters in pieces that follow one another", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        let before = 0;
        for (const { spoken: words, start, end } of speakableEnglish(text)) {
          expect(words).toMatch(/^[A-Za-z0-9 '.,;:!?-]*[A-Za-z0-9][A-Za-z0-9 '.,;:!?-]*$/);
          expect(start).toBeGreaterThanOrEqual(before);
          expect(end).toBeGreaterThan(start);
          before = end;
        }
        expect(before).toBeLessThanOrEqual(text.length);
      }),
    );
  });
});

function spoken(text: string): string {
  return speakableEnglish(text)
    .map((piece) => piece.spoken)
    .join(" ");
}
