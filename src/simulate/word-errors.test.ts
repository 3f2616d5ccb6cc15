import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { wordErrors } from "./word-errors.js";

describe("wordErrors", () => {
  test("counts what is wrong, missing and too many", () => {
    expect(wordErrors("A table for two, please.", "a table for two please")).toEqual({
      words: 5,
      errors: 0,
      substitutions: 0,
      deletions: 0,
      insertions: 0,
    });
    expect(wordErrors("book a table for two on friday", "book the table for on friday evening")).toEqual({
      words: 7,
      errors: 3,
      substitutions: 1,
      deletions: 1,
      insertions: 1,
    });
    expect(wordErrors("", "yes")).toEqual({ words: 0, errors: 1, substitutions: 0, deletions: 0, insertions: 1 });
    expect(wordErrors("yes", "")).toEqual({ words: 1, errors: 1, substitutions: 0, deletions: 1, insertions: 0 });
  });

  test("an edit costs at most one error, and the lengths differ by what is missing and too many", () => {
    const words = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 8 });
    fc.assert(
      fc.property(words, words, (said, understood) => {
        const { errors, substitutions, deletions, insertions } = wordErrors(said.join(" "), understood.join(" "));
        expect(said.length - deletions + insertions).toBe(understood.length);
        expect(errors).toBe(substitutions + deletions + insertions);
        expect(errors).toBeLessThanOrEqual(Math.max(said.length, understood.length));
      }),
    );
  });
});
