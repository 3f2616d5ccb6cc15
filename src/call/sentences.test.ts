import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SentenceSplitter } from "./sentences.js";

fc.configureGlobal({ seed: 1 });

/** What comes out of a splitter that is given `chunks`, one by one. */
function split(...chunks: readonly string[]): string[] {
  const splitter = new SentenceSplitter();
  return [...chunks.flatMap((chunk) => splitter.push(chunk)), ...splitter.flush()];
}

function trimmed(text: string): string[] {
  return split(text).map((sentence) => sentence.trim());
}

/** Cuts `text` at the given places. */
function chunked(text: string, places: readonly number[]): string[] {
  const cuts = [0, ...places.map((place) => place % (text.length + 1)).sort((a, b) => a - b), text.length];
  return cuts.slice(1).map((cut, index) => text.slice(cuts[index], cut));
}

const pieces = fc.constantFrom(
  ...'Hi we have two . ! ? … 。 ！ , " ” ) ( “ 1 7 3.5 $4.50 p.m. a.m. Mr. Dr. e.g. No. no. I J. St. Inc. tonight We \n www.a.com?b=c 你好 ... ?! :'.split(
    " ",
  ),
  " ",
  "  ",
  "\n",
  ". ",
  "! ",
);
const texts = fc.oneof(
  fc.array(pieces, { maxLength: 25, size: "max" }).map((parts) => parts.join("")),
  fc.array(pieces, { maxLength: 25, size: "max" }).map((parts) => parts.join(" ")),
  fc.string(),
);

describe("SentenceSplitter", () => {
  test("gives the same sentences however the text was cut into chunks", () => {
    fc.assert(
      fc.property(texts, fc.array(fc.nat(200), { maxLength: 12, size: "max" }), (text, places) => {
        expect(split(...chunked(text, places))).toEqual(split(text));
        expect(split(...text)).toEqual(split(text));
      }),
      { numRuns: 1000 },
    );
  });

  test("loses nothing but blanks between sentences and never changes their order", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const sentences = split(text);
        expect(sentences.join("").replace(/\s+/g, "")).toBe(text.replace(/\s+/g, ""));
        let from = 0;
        for (const sentence of sentences) {
          const at = text.indexOf(sentence, from);
          expect(text.slice(from, at).trim()).toBe("");
          expect(sentence.trim()).not.toBe("");
          from = at + sentence.length;
        }
        expect(text.slice(from).trim()).toBe("");
      }),
      { numRuns: 1000 },
    );
  });

  test("gives a sentence as soon as the first character behind it shows that it has ended", () => {
    const splitter = new SentenceSplitter();
    expect(splitter.push("Sure.")).toEqual([]);
    expect(splitter.push(" ")).toEqual(["Sure. "]);
    expect(splitter.push("Which day?")).toEqual([]);
    expect(splitter.flush()).toEqual(["Which day?"]);
    expect(splitter.flush()).toEqual([]);
  });

  test.each<[string, readonly string[]]>([
    ["Sure. Which day?", ["Sure.", "Which day?"]],
    ["Great! We have two… Shall I?", ["Great!", "We have two…", "Shall I?"]],
    ["Wait... what?! No way", ["Wait...", "what?!", "No way"]],
    ["one\ntwo\n\nthree", ["one", "two", "three"]],
  ])("cuts %j", (text, sentences) => {
    expect(trimmed(text)).toEqual(sentences);
  });

  test.each<[string, readonly string[]]>([
    ["Dr. Jones is in. Mrs. Lee is not.", ["Dr. Jones is in.", "Mrs. Lee is not."]],
    ["It is on Main St. near the bank. Come in.", ["It is on Main St. near the bank.", "Come in."]],
    ["Fish, e.g. cod, i.e. white fish, etc. is fine. Good.", ["Fish, e.g. cod, i.e. white fish, etc. is fine.", "Good."]],
    ["Room No. 5 is free. Yes.", ["Room No. 5 is free.", "Yes."]],
    ["Ask Acme Inc. about it. Bye.", ["Ask Acme Inc. about it.", "Bye."]],
    ["I met J. R. Smith. He left.", ["I met J. R. Smith.", "He left."]],
    ["You and I. We two.", ["You and I.", "We two."]],
  ])("knows the abbreviations in %j", (text, sentences) => {
    expect(trimmed(text)).toEqual(sentences);
  });

  test.each<[string, readonly string[]]>([
    ["No. I do not think so.", ["No.", "I do not think so."]],
    ["The answer is no. We are closed.", ["The answer is no.", "We are closed."]],
    ["Dinner is at 7 p.m. tonight. Fine?", ["Dinner is at 7 p.m. tonight.", "Fine?"]],
    ["We open at 7 p.m. We close at ten.", ["We open at 7 p.m.", "We close at ten."]],
    ["From 7 a.m. to 9 p.m. every day.", ["From 7 a.m. to 9 p.m. every day."]],
    ["It is at 7p.m. tonight. Fine?", ["It is at 7p.m. tonight.", "Fine?"]],
    ["We open on May 1st. Come in.", ["We open on May 1st.", "Come in."]],
    ["Is it at 7 p.m.? Yes.", ["Is it at 7 p.m.?", "Yes."]],
    ["We are Acme Inc. We sell rope.", ["We are Acme Inc.", "We sell rope."]],
  ])("tells an abbreviation from an end in %j", (text, sentences) => {
    expect(trimmed(text)).toEqual(sentences);
  });

  test.each<[string, readonly string[]]>([
    ["It is 3.5 miles. Far?", ["It is 3.5 miles.", "Far?"]],
    ["That is $4.50. Cash?", ["That is $4.50.", "Cash?"]],
    ["It costs $3. That is cheap.", ["It costs $3.", "That is cheap."]],
    ["See www.example.com/a?b=1 or a.b@example.com. Bye.", ["See www.example.com/a?b=1 or a.b@example.com.", "Bye."]],
    ["1. Fish\n2. Meat", ["1. Fish", "2. Meat"]],
    ["Room 5. It is free.", ["Room 5.", "It is free."]],
  ])("cuts no number, address or list in %j", (text, sentences) => {
    expect(trimmed(text)).toEqual(sentences);
  });

  test.each<[string, readonly string[]]>([
    ['"Come in." She smiled.', ['"Come in."', "She smiled."]],
    ["He said “no.” Then he left.", ["He said “no.”", "Then he left."]],
    ["(It is free.) Do you want it?", ["(It is free.)", "Do you want it?"]],
    ["**Come in.** Sit down.", ["**Come in.**", "Sit down."]],
  ])("keeps what closes a sentence with it in %j", (text, sentences) => {
    expect(trimmed(text)).toEqual(sentences);
  });

  test.each<[string, readonly string[]]>([
    ["你好。请问几位？两位！", ["你好。", "请问几位？", "两位！"]],
    ["他说：“你好。”然后走了。", ["他说：“你好。”", "然后走了。"]],
    ["「はい。」と言った。", ["「はい。」", "と言った。"]],
  ])("needs no space behind a wide full stop in %j", (text, sentences) => {
    expect(trimmed(text)).toEqual(sentences);
  });
});
