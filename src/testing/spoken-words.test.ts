import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SpokenWords, WordReader, wordsOf } from "./spoken-words.js";

fc.configureGlobal({ seed: 1 });

const FRAME_BYTES = 640;

const word = fc.stringMatching(/^[a-z]{1,8}[.?]?$/);

/** Reads `audio` in frames of 20 ms, then silence. */
function read(spoken: SpokenWords, audio: Uint8Array): string[] {
  const reader = new WordReader(spoken);
  const words: string[] = [];
  for (let offset = 0; offset < audio.length; offset += FRAME_BYTES)
    words.push(...reader.read(audio.subarray(offset, offset + FRAME_BYTES)));
  const { unfinished } = reader;
  return unfinished === undefined ? words : [...words, unfinished];
}

describe("SpokenWords", () => {
  test("says a letter in 40 ms, and no word in less than 120", () => {
    const spoken = new SpokenWords();
    expect(spoken.durationMs("a")).toBe(120);
    expect(spoken.durationMs("evening")).toBe(280);
    expect(spoken.encode("a evening").length).toBe(((120 + 280) * 16_000 * 2) / 1000);
    expect(spoken.encode(" ")).toHaveLength(0);
  });

  test("can be read back word by word, the same word twice included", () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), (words) => {
        const spoken = new SpokenWords();
        expect(read(spoken, spoken.encode(words.join(" ")))).toEqual(words);
      }),
    );
  });

  test("can be read back from mu-law as well", () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), (words) => {
        const spoken = new SpokenWords({ encoding: "mulaw" });
        expect(spoken.words(spoken.encode(words.join(" ")))).toBe(words.join(" "));
      }),
    );
  });

  test("has no more words in mu-law than there are codes", () => {
    const spoken = new SpokenWords({ encoding: "mulaw" });
    const words = Array.from({ length: 250 }, (_, index) => `w${index}`);
    for (const each of words) expect(spoken.words(spoken.encode(each))).toBe(each);
    expect(() => spoken.encode("another")).toThrow("Mu-law has codes for 250 different words");
  });

  test("tells silence, words and their ends apart, in blocks of 10 ms", () => {
    const spoken = new SpokenWords();
    const audio = spoken.encode("no");
    const types = spoken.decode(new Uint8Array([...new Uint8Array(320), ...audio])).map(({ type }) => type);
    expect(types).toEqual(["silence", ...new Array<string>(11).fill("word"), "word_end"]);
  });

  test("notices audio that was changed on its way", () => {
    const spoken = new SpokenWords();
    const audio = spoken.encode("no");
    audio[0] = (audio[0] as number) + 1;
    expect(() => spoken.decode(audio)).toThrow("is no word of this test");
  });
});

describe("WordReader", () => {
  test("hears a word that is cut off when at least half of it came", () => {
    fc.assert(
      fc.property(word, fc.double({ min: 0, max: 1, noNaN: true }), (said, share) => {
        const spoken = new SpokenWords();
        const audio = spoken.encode(said);
        const blocks = Math.floor((share * audio.length) / 320);
        const heard = read(spoken, audio.subarray(0, blocks * 320));
        expect(heard).toEqual(blocks * 20 >= spoken.durationMs(said) ? [said] : []);
      }),
    );
  });

  test("hears a word that pauses as one", () => {
    const spoken = new SpokenWords();
    const audio = spoken.encode("evening");
    const paused = new Uint8Array([...audio.subarray(0, 1600), ...new Uint8Array(6400), ...audio.subarray(1600)]);
    expect(read(spoken, paused)).toEqual(["evening"]);
  });

  test("gives a word as soon as it ends", () => {
    const spoken = new SpokenWords();
    const reader = new WordReader(spoken);
    const audio = spoken.encode("no way");
    expect(reader.read(audio.subarray(0, 3520))).toEqual([]);
    expect(reader.unfinished).toBe("no");
    expect(reader.read(audio.subarray(3520, 3840))).toEqual(["no"]);
    expect(reader.unfinished).toBeUndefined();
  });
});

describe("wordsOf", () => {
  test("cuts at white space", () => {
    expect(wordsOf(" one,  two\nthree ")).toEqual(["one,", "two", "three"]);
    expect(wordsOf(" ")).toEqual([]);
  });
});
