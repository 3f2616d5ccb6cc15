import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Conversation } from "../../../test/llm/conversation.js";
import { endCallTool } from "../../agent/call-tools.js";
import { type AnyTool, tool, type ToolContext } from "../../agent/tools.js";
import type { Call } from "../../core/call.js";
import { VirtualClock } from "../../core/clock.js";
import { ScriptedLLM } from "../../llm/scripted.js";
import { type BookTableResult, restaurantGreeting, restaurantPrompt, restaurantScript, restaurantTools } from "./restaurant.js";

// The virtual clock begins on Thursday, 2026-01-01, at midnight.
const time = { clock: new VirtualClock(), timeZone: "UTC" };
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "restaurant-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** `end_call` without a call to end. */
const endCall = tool({ ...endCallTool(), parameters: { type: "object" }, handler: async () => "The call ends." });

function call(): Conversation {
  return new Conversation(
    new ScriptedLLM({ script: restaurantScript(time) }),
    [...restaurantTools({ folder, ...time }), endCall],
    restaurantGreeting,
  );
}

async function bookings(): Promise<readonly Record<string, unknown>[]> {
  return (JSON.parse(await readFile(join(folder, "tables.json"), "utf8")) as { bookings: Record<string, unknown>[] }).bookings;
}

let keys = 0;
let folderTools: readonly AnyTool[];

beforeEach(() => {
  folderTools = restaurantTools({ folder, ...time });
});

async function book(
  args: Record<string, unknown>,
  idempotencyKey = `key:${keys++}`,
  tools = folderTools,
): Promise<BookTableResult> {
  const context: ToolContext = { callId: "call", call: {} as Call, signal: new AbortController().signal, idempotencyKey };
  return (await tools[0]?.handler(args as never, context)) as BookTableResult;
}

describe("a call to the restaurant", () => {
  test.each<[string, readonly string[], object]>([
    ["slot by slot", ["four", "tomorrow", "seven thirty", "yes"], { partySize: 4, date: "2026-01-02", time: "19:30" }],
    [
      "in one breath",
      ["i'd like a table for four people tomorrow at seven thirty please", "that's correct"],
      { partySize: 4, date: "2026-01-02", time: "19:30" },
    ],
    [
      "as a recogniser hears a phone",
      ["for for tomorrow at eight o clock", "if this is correct press"],
      { partySize: 4, date: "2026-01-02", time: "20:00" },
    ],
    ["with misheard words", ["table for too", "saturday", "at ate", "yeah"], { partySize: 2, date: "2026-01-03", time: "20:00" }],
    [
      "with corrections",
      ["two", "friday", "no saturday", "eight thirty p m", "no make that five people", "yes"],
      { partySize: 5, date: "2026-01-03", time: "20:30" },
    ],
    [
      "with a change of the time",
      ["six", "sunday", "noon", "no", "the time", "six thirty", "okay"],
      { partySize: 6, date: "2026-01-04", time: "18:30" },
    ],
    [
      "through refusals",
      ["party of twelve", "eight", "monday", "three in the morning", "nine p m", "correct"],
      { partySize: 8, date: "2026-01-05", time: "21:00" },
    ],
    [
      "through noise and questions",
      [
        "hello",
        "what are your opening hours",
        "banana",
        "just me",
        "where are you",
        "the twenty fifth",
        "half past seven",
        "yes please",
      ],
      { partySize: 1, date: "2026-01-25", time: "19:30" },
    ],
  ])("books %s", async (_, lines, expected) => {
    const talk = call();
    let answer = "";
    for (const line of lines) answer = await talk.say(line);
    expect(answer).toMatch(
      /^One moment, please\. Your table is booked for .* Your booking number is one\. Is there anything else I can do for you\?$/,
    );
    expect(await bookings()).toMatchObject([expected]);
    expect(await talk.say("no thank you goodbye")).toBe("Thank you for calling. Goodbye!");
    expect(talk.calls.map(({ name }) => name)).toEqual(["book_table", "end_call"]);
  });

  test("is heard like this", async () => {
    const talk = call();
    expect(await talk.say("i want a table for two")).toBe("Two people. For which day?");
    expect(await talk.say("tomorrow")).toBe("Tomorrow, Friday the second of January. At what time?");
    expect(await talk.say("seven")).toBe(
      "That is a table for two people, tomorrow, Friday the second of January, at seven o'clock in the evening. Is that correct?",
    );
    expect(await talk.say("yes")).toBe(
      "One moment, please. Your table is booked for tomorrow, Friday the second of January, at seven o'clock in the evening. Your booking number is one. Is there anything else I can do for you?",
    );
  });

  test("offers the nearest free time when the restaurant is full, and books it on a yes", async () => {
    for (let guests = 0; guests < 3; guests++) await book({ party_size: 8, date: "2026-01-02", time: "19:00" });
    const talk = call();
    await talk.say("eight people tomorrow at seven thirty");
    expect(await talk.say("yes")).toContain(
      "we have no table at seven thirty in the evening. The nearest free time is nine o'clock in the evening. Shall I book that?",
    );
    expect(await talk.say("yes please")).toContain(
      "Your table is booked for tomorrow, Friday the second of January, at nine o'clock in the evening.",
    );
    expect(await bookings()).toHaveLength(2);
  });

  test("changes a booking when the caller changes their mind, instead of making a second one", async () => {
    const talk = call();
    await talk.say("two people tomorrow at seven");
    await talk.say("yes");
    expect(await talk.say("actually make that eight o'clock")).toContain("at eight o'clock in the evening. Is that correct?");
    await talk.say("yes");
    expect(await bookings()).toMatchObject([{ bookingId: 1, time: "20:00" }]);
  });

  test("asks whether to try again when the book of tables cannot be used", async () => {
    await writeFile(join(folder, "tables.json"), "{");
    const talk = call();
    await talk.say("two people tomorrow at seven");
    expect(await talk.say("yes")).toContain("I am sorry, the booking did not work. Shall I try again?");
    await rm(join(folder, "tables.json"));
    expect(await talk.say("yes")).toContain("Your table is booked");
  });

  test("goes on from what was heard when the caller cuts in", async () => {
    const talk = call();
    await talk.say("four people tomorrow");
    talk.interrupt("Four people, tomorrow, Friday");
    expect(await talk.say("no saturday")).toBe("All right. Saturday the third of January. At what time?");
  });
});

describe("book_table", () => {
  test("takes the smallest table that is large enough, for two hours", async () => {
    const results = await Promise.all(
      ["19:00", "20:59", "21:00"].map((at) => book({ party_size: 6, date: "2026-01-02", time: at })),
    );
    expect(results.map(({ status }) => status)).toEqual(["booked", "booked", "booked"]);
    expect((await bookings()).map(({ table }) => table)).toEqual([8, 9, 8]);
  });

  test("answers with the nearest free times when the time is taken", async () => {
    await book({ party_size: 8, date: "2026-01-02", time: "18:00" });
    expect(await book({ party_size: 7, date: "2026-01-02", time: "17:30" })).toEqual({
      status: "full",
      date: "2026-01-02",
      time: "17:30",
      free_times: ["16:00", "15:45", "15:30"],
    });
    expect(await book({ party_size: 7, date: "2026-01-03", time: "17:30" })).toMatchObject({ status: "booked" });
  });

  test("books once for one idempotency key, whatever happens in between", async () => {
    const args = { party_size: 2, date: "2026-01-02", time: "19:00" };
    const both = await Promise.all([book(args, "same"), book(args, "same")]);
    expect(both[0]).toEqual(both[1]);
    expect(await book(args, "same", restaurantTools({ folder, ...time }))).toEqual(both[0]);
    expect(await bookings()).toHaveLength(1);
  });

  test("takes the caller's own words for day and time", async () => {
    expect(await book({ party_size: 2, date: "next Friday", time: "half past seven" })).toMatchObject({
      status: "booked",
      date: "2026-01-09",
      time: "19:30",
    });
  });

  test.each([
    [{ party_size: 9, date: "2026-01-02", time: "19:00" }, "party_size", "Our largest table seats eight people."],
    [{ party_size: "many", date: "2026-01-02", time: "19:00" }, "party_size", "A table is for at least one person."],
    [{ party_size: 2, date: "2025-12-31", time: "19:00" }, "date", "That day has passed."],
    [{ party_size: 2, date: "2026-02-30", time: "19:00" }, "date", "Give the day as YYYY-MM-DD."],
    [{ party_size: 2, date: "2026-06-01", time: "19:00" }, "date", "We take bookings for the next ninety days."],
    [{ party_size: 2, date: "2026-01-02", time: "23:00" }, "time", "We seat guests from noon to nine in the evening."],
    [{ party_size: 2, date: "2026-01-02", time: "soon" }, "time", "Give the time as HH:MM."],
    [
      { party_size: 2, date: "2026-01-02", time: "19:00", booking_id: 77 },
      "booking_id",
      "There is no such booking: leave booking_id out to make a new one.",
    ],
  ])("refuses %j and says why", async (args, field, reason) => {
    expect(await book(args)).toEqual({ status: "refused", field, reason });
  });

  test("offers no time that has passed", async () => {
    const clock = new VirtualClock();
    await clock.advance(18 * 3_600_000);
    const tools = restaurantTools({ folder, clock, timeZone: "UTC" });
    expect(await book({ party_size: 2, date: "today", time: "17:00" }, "past", tools)).toMatchObject({
      status: "refused",
      field: "time",
      reason: "That time has passed.",
    });
    await book({ party_size: 8, date: "2026-01-01", time: "19:00" }, "first", tools);
    expect(await book({ party_size: 8, date: "2026-01-01", time: "18:30" }, "second", tools)).toMatchObject({
      free_times: ["21:00"],
    });
  });

  test("leaves whole files behind, and says what to do with a broken one", async () => {
    await Promise.all(
      Array.from({ length: 5 }, (_, index) => book({ party_size: 2, date: "2026-01-02", time: `1${index + 2}:00` })),
    );
    expect(await readdir(folder)).toEqual(["tables.json"]);
    expect(await bookings()).toHaveLength(5);
    for (const broken of ["{", "[]", '{"tables":[],"bookings":[{"bookingId":"x"}]}']) {
      await writeFile(join(folder, "tables.json"), broken);
      await expect(book({ party_size: 2, date: "2026-01-02", time: "19:00" })).rejects.toThrow(
        "Repair it, or delete it to start anew.",
      );
    }
  });
});

test("the prompt for a real model names the tools it has", () => {
  for (const name of ["book_table", "end_call"]) expect(restaurantPrompt).toContain(name);
  expect(restaurantPrompt).not.toMatch(/\{\w+\}/);
});
