import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clauses } from "./clauses.js";

describe("clauses", () => {
  it.each([
    ["a short sentence", ["How many people are coming?"]],
    ["a sentence without a place to cut", ["Your table for four is booked for tomorrow at seven thirty."]],
    ["the first mark of the first sentence", ["Hi, thanks for calling Bella,", " how can I help you today?"]],
    [
      "no mark of a later sentence",
      ["Sure!", " Let me check that for you, one moment please, it will not take long at all, I promise."],
    ],
    [
      "a conjunction where there is no mark",
      ["We are open from Tuesday to Sunday from noon to eleven at night ", "and we close on Mondays."],
    ],
    ["sentences, not abbreviations", ["Dr. Smith is in.", " Mr. J. Jones left at 3.30 p.m. today."]],
    ["no number", ["That is $1,200.50 for all of you, all right?"]],
  ])("cuts at %s", (_, expected) => {
    expect(cut(expected.join(""))).toEqual(expected);
  });

  it("puts a longer pause behind a sentence than behind a comma, and nearly none where there is no mark", () => {
    expect(clauses("Hi, thanks for calling Bella, how can I help you today?").map(({ pauseMs }) => pauseMs)).toEqual([110, 280]);
    const long = "Could I have a telephone number in case something comes up or we need to reach you before your visit?";
    expect(clauses(long).map(({ pauseMs }) => pauseMs)).toEqual([20, 280]);
  });

  it("covers any text, in clauses of at most 110 characters", () => {
    const texts = fc.array(fc.constantFrom("and", "table", ",", ". ", "! ", " ", "\n", "a".repeat(150), "7.30"), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(texts, (parts) => {
        const text = parts.join("");
        expect(cut(text).join("")).toBe(text);
        for (const { start, end } of clauses(text)) expect(end - start).toBeLessThanOrEqual(110);
      }),
    );
  });
});

function cut(text: string): string[] {
  return clauses(text).map(({ start, end }) => text.slice(start, end));
}
