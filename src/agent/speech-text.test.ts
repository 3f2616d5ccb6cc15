import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { speakable } from "./speech-text.js";

fc.configureGlobal({ seed: 1 });

describe("speakable", () => {
  test.each([
    ["This is **very** important.", "This is very important."],
    ["__Really__ *quite* _so_.", "Really quite so."],
    ["***Both*** at once", "Both at once"],
    ["~~Old~~ new", "Old new"],
    ["# Heading", "Heading"],
    ["### Opening hours", "Opening hours"],
    ["> quoted", "quoted"],
    ["- a table\n- a chair", "a table a chair"],
    ["* one\n+ two", "one two"],
    ["1. First\n2. Second", "1. First 2. Second"],
    ["Run `npm test` now", "Run npm test now"],
    ["```ts\nconst a = 1\n```", "const a = 1"],
    ["See [our page](https://example.com/a_b?c=d).", "See our page."],
    ['See [our page](https://example.com "Home") now', "See our page now"],
    ["![A map](map.png) here", "A map here"],
  ])("takes the Markdown out of %j", (text, spoken) => {
    expect(speakable(text)).toBe(spoken);
  });

  test.each([
    ["2 * 3 * 4 is 24"],
    ["2*3*4 is 24"],
    ["a snake_case_name and _private"],
    ["5 - 3 = 2"],
    ["C# and F#"],
    ["It costs $4.50 (plus 10%)."],
    ["your code is *31#"],
    ["e-mail me_and_you@example.com"],
    ["[1, 2]"],
  ])("leaves %j as it is", (text) => {
    expect(speakable(text)).toBe(text);
  });

  test.each([
    ["Great! 🎉", "Great!"],
    ["👍🏽 done", "done"],
    ["family 👨‍👩‍👧‍👦 table", "family table"],
    ["in 🇩🇪 and 🏴󠁧󠁢󠁥󠁮󠁧󠁿 too", "in and too"],
    ["press 1️⃣ or 2️⃣", "press 1 or 2"],
    ["❤️ you", "you"],
  ])("takes the emoji out of %j", (text, spoken) => {
    expect(speakable(text)).toBe(spoken);
  });

  test("takes out a mark whose partner stands in another sentence", () => {
    expect(speakable("**We are open.")).toBe("We are open.");
    expect(speakable("Come in!**")).toBe("Come in!");
  });

  test("says nothing where only marks are", () => {
    for (const text of ["", "  \n ", "```", "**", "🎉", "---", "***", "…", "?!", "- "]) expect(speakable(text)).toBe("");
  });

  test("folds white space", () => {
    expect(speakable("  one\n two\t three ")).toBe("one two three");
  });

  test("leaves no mark and loses no word, whatever surrounds them", () => {
    const word = fc.constantFrom(
      "two",
      "snake_case",
      "*bold*",
      "**strong**",
      "`code`",
      "[link](a)",
      "end.",
      "🎉",
      "👍🏽",
      "~~gone~~",
    );
    const words = ["two", "snake_case", "bold", "strong", "code", "link", "end.", "gone"];
    fc.assert(
      fc.property(fc.array(word), (written) => {
        const spoken = speakable(written.join(" ")).split(" ").filter(Boolean);
        expect(spoken.every((part) => words.includes(part))).toBe(true);
        expect(spoken).toHaveLength(written.filter((part) => !/\p{Extended_Pictographic}/u.test(part)).length);
      }),
    );
  });
});
