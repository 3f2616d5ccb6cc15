import { describe, expect, it } from "vitest";
import { wordTimes } from "./word-times.js";

describe("wordTimes", () => {
  it("finds words whose phones are spoken as expected", () => {
    expect(
      wordTimes(
        [
          ["h", "ay"],
          ["dh", "eh", "r"],
        ],
        phones("pau h ay pau dh eh r pau"),
      ),
    ).toEqual([
      { startMs: 100, endMs: 300 },
      { startMs: 400, endMs: 700 },
    ]);
  });

  it("keeps the words apart when phones change, appear or go", () => {
    // The article by itself is "ey", and "table" has lost a phone and gained another.
    const words = [["ey"], ["t", "ey", "b", "ax", "l"], ["f", "ao", "r"]];
    expect(wordTimes(words, phones("pau ax t hh ey b l f ao r pau"))).toEqual([
      { startMs: 100, endMs: 200 },
      { startMs: 200, endMs: 700 },
      { startMs: 700, endMs: 1000 },
    ]);
  });

  it("knows no time of a word that was not spoken", () => {
    expect(wordTimes([["a"], ["b"]], phones("pau b pau"))).toEqual([undefined, { startMs: 100, endMs: 200 }]);
    expect(wordTimes([["a"]], [])).toEqual([undefined]);
    expect(wordTimes([], phones("pau"))).toEqual([]);
  });
});

/** Phones of 100 ms each. */
function phones(names: string) {
  return names.split(" ").map((name, index) => ({ name, startMs: index * 100, endMs: (index + 1) * 100 }));
}
