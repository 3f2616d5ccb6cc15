import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addDays, dayNumber, formatDate, localTime, parseDate, weekday } from "./calendar.js";
import { choiceSlot, yesNoSlot } from "./choice-slot.js";
import { dateSlot, sayDate } from "./date-slot.js";
import { readNumber, readOrdinal, sayNumber, sayOrdinal } from "./numbers.js";
import { numberSlot } from "./number-slot.js";
import { polarity } from "./polarity.js";
import { readSlots } from "./slot.js";
import { sayTime, timeSlot } from "./time-slot.js";
import { wordsOf } from "./words.js";

/** A Sunday. */
const TODAY = "2026-11-22";

const slots = {
  people: numberSlot({
    ask: ["How many?"],
    nouns: ["person", "people", "adults", "children", "of us", "guests"],
    introductions: ["for", "table for", "party of", "we are", "there are", "make it", "make that"],
    phrases: { "just me": 1, "my wife and i": 2 },
    check: (count) => (count < 1 || count > 8 ? "No." : undefined),
  }),
  date: dateSlot({ ask: ["When?"], today: () => TODAY }),
  time: timeSlot({ ask: ["At what time?"], from: "12:00" }),
};

function read(text: string, asked?: string): Record<string, unknown> {
  return Object.fromEntries(readSlots(slots, wordsOf(text), asked));
}

describe("numbers", () => {
  test.each([
    ["four people", 4],
    ["for four people", 4],
    ["a table for four", 4],
    ["a table for four please", 4],
    ["party of six", 6],
    ["we are three", 3],
    ["there are five of us", 5],
    ["two adults and three children", 5],
    ["2 adults and 1 children", 3],
    ["just me", 1],
    ["my wife and i", 2],
    ["eight guests", 8],
    ["not four people five people", 5],
    ["four no five people", 5],
  ])("%j is read as %i", (text, count) => {
    expect(read(text)).toEqual({ people: count });
  });

  test.each([
    ["for for people", 4],
    ["table for too", 2],
    ["a table for to please", 2],
    ["for for", 4],
    ["too people", 2],
    ["party of ate", 8],
    ["won person", 1],
  ])("what a recogniser writes for a number is one where nothing else makes sense: %j", (text, count) => {
    expect(read(text)).toEqual({ people: count });
  });

  test("a bare number, or a word that sounds like one, answers only the question for it", () => {
    expect(read("four")).toEqual({});
    for (const text of ["four", "four please", "uh four", "for", "hello for"])
      expect(read(text, "people")).toEqual({ people: 4 });
    for (const text of ["to", "too", "two"]) expect(read(text, "people")).toEqual({ people: 2 });
    expect(read("i want to go", "people")).toEqual({});
    expect(read("for tomorrow", "people")).toEqual({ date: "2026-11-23" });
  });
});

describe("dates", () => {
  test.each([
    ["today", "2026-11-22"],
    ["tonight", "2026-11-22"],
    ["tomorrow", "2026-11-23"],
    ["the day after tomorrow", "2026-11-24"],
    ["friday", "2026-11-27"],
    ["on friday", "2026-11-27"],
    ["this saturday", "2026-11-28"],
    ["sunday", "2026-11-29"],
    ["this sunday", "2026-11-22"],
    ["next friday", "2026-11-27"],
    ["on the twenty fifth", "2026-11-25"],
    ["the twenty fifth", "2026-11-25"],
    ["the 25th", "2026-11-25"],
    ["the first", "2026-12-01"],
    ["the thirty first", "2026-12-31"],
    ["november twenty fifth", "2026-11-25"],
    ["november the twenty fifth", "2026-11-25"],
    ["november twenty five", "2026-11-25"],
    ["nov 25", "2026-11-25"],
    ["the twenty fifth of november", "2026-11-25"],
    ["2 december", "2026-12-02"],
    ["january second", "2027-01-02"],
    ["saturday the twenty eighth", "2026-11-28"],
    ["saturday the fifth of december", "2026-12-05"],
    ["in three days", "2026-11-25"],
    ["in a week", "2026-11-29"],
    ["friday no saturday", "2026-11-28"],
    ["not friday saturday", "2026-11-28"],
  ])("%j is %s when today is a Sunday, 2026-11-22", (text, date) => {
    expect(read(text)).toEqual({ date });
  });

  test("'may' is a month only beside a day, and a bare ordinal a day only when one was asked for", () => {
    expect(read("may i have a table")).toEqual({});
    expect(read("may second")).toEqual({ date: "2027-05-02" });
    expect(read("second")).toEqual({});
    expect(read("second", "date")).toEqual({ date: "2026-12-02" });
    expect(read("november thirty first")).toEqual({});
  });

  test("dates are said in words, with today and tomorrow by name", () => {
    expect(sayDate("2026-11-22", TODAY)).toBe("today, Sunday the twenty-second of November");
    expect(sayDate("2026-11-23", TODAY)).toBe("tomorrow, Monday the twenty-third of November");
    expect(sayDate("2026-12-31", TODAY)).toBe("Thursday the thirty-first of December");
  });

  test("what is said is read back as the same date", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300 }), (days) => {
        const date = addDays(TODAY, days);
        expect(read(sayDate(date, TODAY))).toEqual({ date });
      }),
    );
  });
});

describe("times", () => {
  test.each([
    ["seven thirty", "19:30"],
    ["at seven thirty", "19:30"],
    ["for seven thirty", "19:30"],
    ["seven thirty pm", "19:30"],
    ["seven thirty p m", "19:30"],
    ["7:30 p.m.", "19:30"],
    ["7.30", "19:30"],
    ["19:30", "19:30"],
    ["nineteen thirty", "19:30"],
    ["twenty hundred", "20:00"],
    ["half past seven", "19:30"],
    ["quarter to eight", "19:45"],
    ["a quarter past seven", "19:15"],
    ["ten past eight", "20:10"],
    ["twenty minutes to nine", "20:40"],
    ["seven oh five", "19:05"],
    ["eight o'clock", "20:00"],
    ["eight o clock", "20:00"],
    ["eight o'clock in the evening", "20:00"],
    ["at eight", "20:00"],
    ["at ate", "20:00"],
    ["at for thirty", "16:30"],
    ["around eight", "20:00"],
    ["eight at night", "20:00"],
    ["noon", "12:00"],
    ["twelve noon", "12:00"],
    ["twelve thirty", "12:30"],
    ["eight a m", "08:00"],
    ["nine in the morning", "09:00"],
    ["three in the afternoon", "15:00"],
    ["midnight", "00:00"],
    ["seven forty five", "19:45"],
    ["at seven no at eight", "20:00"],
  ])("%j is %s", (text, time) => {
    expect(read(text)).toEqual({ time });
  });

  test("a bare hour answers only the question for the time", () => {
    expect(read("seven")).toEqual({});
    expect(read("seven", "time")).toEqual({ time: "19:00" });
    expect(read("for seven", "time")).toEqual({ time: "19:00" });
    expect(read("for seven", "people")).toEqual({ people: 7 });
    expect(read("two at seven", "people")).toEqual({ people: 2, time: "19:00" });
    expect(read("two people tomorrow seven", "people")).toEqual({ people: 2, date: "2026-11-23" });
  });

  test("what is said is read back as the same time", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1439 }), (minutes) => {
        const time = `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
        expect(read(sayTime(time))).toEqual({ time });
      }),
    );
  });
});

describe("several at once", () => {
  test.each([
    ["i'd like a table for four people tomorrow at seven thirty please", { people: 4, date: "2026-11-23", time: "19:30" }],
    ["for for tomorrow at seven thirty p m", { people: 4, date: "2026-11-23", time: "19:30" }],
    ["a table for two tomorrow at seven thirty", { people: 2, date: "2026-11-23", time: "19:30" }],
    ["table for two ten o'clock", { people: 2, time: "22:00" }],
    ["table for two seven thirty", { people: 2, time: "19:30" }],
    ["table for seven thirty", { time: "19:30" }],
    ["at seven thirty four people", { people: 4, time: "19:30" }],
    ["two people tomorrow at seven", { people: 2, date: "2026-11-23", time: "19:00" }],
    ["november twenty five seven thirty", { date: "2026-11-25", time: "19:30" }],
    ["friday at eight o clock for two", { people: 2, date: "2026-11-27", time: "20:00" }],
    ["tonight at eight we are three", { people: 3, date: "2026-11-22", time: "20:00" }],
    ["saturday six thirty party of six", { people: 6, date: "2026-11-28", time: "18:30" }],
  ])("%j", (text, values) => {
    expect(read(text)).toEqual(values);
  });

  test("reading never throws, whatever is said", () => {
    const word = fc.constantFrom(
      ..."for to at two seven thirty the of in a half past quarter november monday tomorrow people party pm o'clock no not and 25 7:30 th twenty second may".split(
        " ",
      ),
    );
    fc.assert(
      fc.property(
        fc.array(word, { maxLength: 12 }),
        fc.constantFrom(undefined, "people", "date", "time"),
        (words, asked) => void read(words.join(" "), asked),
      ),
    );
    fc.assert(fc.property(fc.string(), (text) => void read(text)));
  });
});

describe("choices and answers", () => {
  const seat = choiceSlot({
    ask: ["Inside or outside?"],
    choices: { inside: ["inside", "indoors"], outside: ["on the terrace", "outside", "terrace"] },
  });
  const highchair = yesNoSlot({ ask: ["Do you need a highchair?"], say: { yes: "with a highchair", no: "without a highchair" } });

  test("a choice is read by its phrases and said by the first", () => {
    expect(Object.fromEntries(readSlots({ seat }, wordsOf("On the terrace, please"), undefined))).toEqual({ seat: "outside" });
    expect(seat.say("outside")).toBe("on the terrace");
  });

  test("a yes-or-no slot is filled only when it was asked", () => {
    const answer = (text: string, asked?: string) => readSlots({ highchair }, wordsOf(text), asked).get("highchair");
    expect([answer("yes please", "highchair"), answer("no thanks", "highchair"), answer("yes")]).toEqual([
      true,
      false,
      undefined,
    ]);
    expect(highchair.say(false)).toBe("without a highchair");
  });

  test.each([
    "yes",
    "yeah sure",
    "that's right",
    "this is correct",
    "if this is correct press",
    "okay",
    "no problem",
    "guess",
    "please",
  ])("%j agrees", (text) => {
    expect(polarity(wordsOf(text), { isAsked: true })).toBe("yes");
  });

  test.each(["no", "nope", "no thank you", "that's not right", "not correct", "that is wrong", "know"])("%j refuses", (text) => {
    expect(polarity(wordsOf(text), { isAsked: true })).toBe("no");
  });

  test.each(["maybe", "i'm not sure", "friday", "the know how"])("%j does neither", (text) => {
    expect(polarity(wordsOf(text), { isAsked: true })).toBeUndefined();
  });
});

describe("numbers and the calendar", () => {
  test("numbers and ordinals below a hundred are read back as they are said", () => {
    for (let value = 1; value < 100; value++) {
      expect(readNumber(wordsOf(sayNumber(value)), 0)?.value).toBe(value);
      expect(readOrdinal(wordsOf(sayOrdinal(value)), 0)?.value).toBe(value);
    }
  });

  test("days count on across months, years and leap days as the platform's calendar does", () => {
    fc.assert(
      fc.property(fc.integer({ min: -40_000, max: 60_000 }), (days) => {
        const date = addDays("1970-01-01", days);
        const expected = new Date(days * 86_400_000);
        expect(date).toBe(expected.toISOString().slice(0, 10));
        expect(dayNumber(date)).toBe(days);
        expect(weekday(date)).toBe((expected.getUTCDay() + 6) % 7);
      }),
    );
  });

  test("a day that the calendar does not have has no date", () => {
    expect(formatDate({ year: 2026, month: 2, day: 29 })).toBeUndefined();
    expect(formatDate({ year: 2028, month: 2, day: 29 })).toBe("2028-02-29");
    expect(parseDate("2026-11-22")).toEqual({ year: 2026, month: 11, day: 22 });
  });

  test("a moment has the date and time of its time zone", () => {
    const moment = Date.UTC(2026, 10, 22, 23, 30);
    expect(localTime(moment, "UTC")).toEqual({ date: "2026-11-22", time: "23:30" });
    expect(localTime(moment, "Europe/Rome")).toEqual({ date: "2026-11-23", time: "00:30" });
  });
});
