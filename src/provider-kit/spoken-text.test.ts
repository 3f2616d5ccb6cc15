import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SpokenWord, TtsEvent } from "../core/tts.js";
import { type CharacterTimes, SpokenText } from "./spoken-text.js";

/** Every character takes 10 ms. */
function times(text: string, startMs = 0): CharacterTimes {
  const characters = text.split("");
  return { characters, startMs: characters.map((_, index) => startMs + index * 10), durationMs: characters.map(() => 10) };
}

function wordsOf(events: readonly TtsEvent[]): SpokenWord[] {
  return events.flatMap((event) => (event.type === "words" ? event.words : []));
}

function flushedOf(events: readonly TtsEvent[]): number[] {
  return events.flatMap((event) => (event.type === "flushed" ? [event.textEnd] : []));
}

/** Speaks pieces, each with times of its own. */
function speak(spoken: SpokenText, ...pieces: readonly string[]): TtsEvent[] {
  return pieces.flatMap((piece) => {
    const words = spoken.addTimes([times(piece)], spoken.nextMs);
    spoken.addAudio(piece.length * 10);
    return [...words, ...spoken.completed()];
  });
}

function spokenText(...flushes: readonly string[]): SpokenText {
  const spoken = new SpokenText();
  for (const text of flushes) {
    spoken.write(text);
    spoken.flush();
  }
  return spoken;
}

describe("words", () => {
  test("have offsets into all that was written and times since the first sample", () => {
    const spoken = spokenText("Hello there.");
    expect(wordsOf(speak(spoken, "Hello there."))).toEqual([
      { textStart: 0, textEnd: 5, startMs: 0, endMs: 50 },
      { textStart: 6, textEnd: 12, startMs: 60, endMs: 120 },
    ]);
  });

  test("go on over the pieces they come in", () => {
    const spoken = spokenText("Hello there.");
    expect(wordsOf(speak(spoken, "Hel", "lo th", "ere."))).toEqual([
      { textStart: 0, textEnd: 5, startMs: 0, endMs: 50 },
      { textStart: 6, textEnd: 12, startMs: 60, endMs: 120 },
    ]);
  });

  test("of a piece that came ahead of its audio are followed by the next piece's", () => {
    const spoken = spokenText("Good morning to you all.");
    const text = "Good morning to you all.";
    const events = [times(text.slice(0, 13)), times(text.slice(13))].flatMap((piece) => {
      const words = spoken.addTimes(
        [{ ...piece, durationMs: piece.durationMs.map(() => 40), startMs: piece.startMs.map((ms) => ms * 4) }],
        spoken.nextMs,
      );
      spoken.addAudio(200);
      return words;
    });
    expect(wordsOf(events).map(({ textStart, startMs }) => startMs / textStart)).toEqual([Number.NaN, 40, 40, 40, 40]);
  });

  test("go on over flushes", () => {
    const spoken = spokenText("One.", " Two.");
    expect(wordsOf(speak(spoken, "One.", " Two."))).toMatchObject([
      { textStart: 0, textEnd: 4 },
      { textStart: 5, textEnd: 9, startMs: 50, endMs: 90 },
    ]);
  });

  test("that the vendor writes out have the time between those around them", () => {
    const spoken = spokenText("It costs $20 today.");
    const words = wordsOf(speak(spoken, "It costs twenty dollars today."));
    expect(words.map(({ textStart, textEnd }) => spoken.text.slice(textStart, textEnd))).toEqual([
      "It",
      "costs",
      "$20",
      "today.",
    ]);
    expect(words[2]).toMatchObject({ startMs: 80, endMs: 240 });
  });

  test("are read from the first telling that goes on where the text stands", () => {
    const spoken = spokenText("Good morning.");
    spoken.addTimes([times("Good ")], 0);
    spoken.addAudio(50);
    const again = spoken.addTimes([times("Good morning."), times("morning.")], spoken.nextMs);
    expect(wordsOf(again)).toEqual([{ textStart: 5, textEnd: 13, startMs: 50, endMs: 130 }]);
  });

  test("are as many as were written, in order, whatever pieces they come in", () => {
    const text = fc
      .array(fc.stringMatching(/^[a-z]{1,8}[.,]?$/), { minLength: 1, maxLength: 12 })
      .map((words) => words.join(" "));
    fc.assert(
      fc.property(text, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 9 }), (written, lengths) => {
        const spoken = spokenText(written);
        const pieces: string[] = [];
        for (let start = 0, index = 0; start < written.length; index++) {
          const length = lengths[index % lengths.length] as number;
          pieces.push(written.slice(start, start + length));
          start += length;
        }
        const events = speak(spoken, ...pieces);
        const words = wordsOf(events);
        expect(words.map(({ textStart, textEnd }) => written.slice(textStart, textEnd))).toEqual(written.split(" "));
        expect(words.every(({ textStart, startMs }) => startMs === textStart * 10)).toBe(true);
        expect(flushedOf(events)).toEqual([written.length]);
      }),
    );
  });
});

describe("a flush", () => {
  test("is complete when its last character has been spoken and its audio has come", () => {
    const spoken = spokenText("A long text.", " More.");
    expect(flushedOf(speak(spoken, "A long "))).toEqual([]);
    expect(flushedOf([...spoken.addTimes([times("text.")], spoken.nextMs), ...spoken.completed()])).toEqual([12]);
  });

  test("waits for the audio that its times foretell", () => {
    const spoken = spokenText("A text of some length.");
    spoken.addTimes([times("A text of some length.")], 0);
    spoken.addAudio(50);
    expect(spoken.completed()).toEqual([]);
    spoken.addAudio(170);
    expect(flushedOf(spoken.completed())).toEqual([22]);
  });

  test("is complete when the next one is being spoken, although characters of it never came", () => {
    const spoken = spokenText("Fine \u{1F642}", " Next one.");
    const events = speak(spoken, "Fine ", " Next");
    expect(flushedOf(events)).toEqual([7]);
  });

  test("of text without a sound is complete at once, in its turn", () => {
    const spoken = spokenText("One.", " ...", " Two.");
    expect(flushedOf(speak(spoken, "One."))).toEqual([4, 8]);
    expect(flushedOf(speak(spoken, " Two."))).toEqual([13]);
  });

  test("returns what was not flushed before", () => {
    const spoken = new SpokenText();
    spoken.write("One. ");
    spoken.write("Two. ");
    expect(spoken.flush()).toBe("One. Two. ");
    spoken.write("Three.");
    expect(spoken.flush()).toBe("Three.");
    expect(spoken.owed).toBe(2);
  });
});
