import { type AnyTool, type ToolContext, tool } from "../../agent/tools.js";
import { parseDate, type IsoDate, formatDate } from "../../llm/scripted/calendar.js";
import { findDates, sayDate } from "../../llm/scripted/date-slot.js";
import { findTimes, sayTime } from "../../llm/scripted/time-slot.js";
import { wordsOf } from "../../llm/scripted/words.js";
import { dateProblem, partyProblem, restaurantNow, type RestaurantTime, SEATING, timeProblem } from "./rules.js";
import { TableBook } from "./table-book.js";

export interface RestaurantToolsOptions extends RestaurantTime {
  /** Where `tables.json` lies; made when it is missing. */
  readonly folder: string;
}

/** What `book_table` answers. */
export type BookTableResult =
  | {
      readonly status: "booked";
      readonly booking_id: number;
      readonly party_size: number;
      readonly date: string;
      readonly time: string;
      readonly spoken: string;
    }
  | { readonly status: "full"; readonly date: string; readonly time: string; readonly free_times: readonly string[] }
  /** `field` says which argument must change. */
  | { readonly status: "refused"; readonly field: "party_size" | "date" | "time" | "booking_id"; readonly reason: string };

const PARAMETERS = {
  type: "object",
  properties: {
    party_size: { type: "integer", description: "How many people come." },
    date: {
      type: "string",
      description: 'The day as YYYY-MM-DD, or in the caller\'s words, such as "tomorrow" or "next friday".',
    },
    time: { type: "string", description: 'The time as HH:MM, or in the caller\'s words, such as "half past seven".' },
    name: { type: "string", description: "The caller's name, if they gave it." },
    booking_id: { type: "integer", description: "Only to change a booking made in this call: its booking_id." },
  },
  required: ["party_size", "date", "time"],
} as const;

/** The restaurant's tools: `book_table`, over a real file of tables. */
export function restaurantTools(options: RestaurantToolsOptions): AnyTool[] {
  const book = new TableBook(options.folder, SEATING);
  return [
    tool({
      name: "book_table",
      description:
        "Books a table for two hours, or changes a booking. When the time is taken, it answers with free times close to it. Call it only after the caller has agreed to what you read back.",
      parameters: PARAMETERS,
      handler: (args, context) => bookTable(book, options, args, context),
    }),
  ];
}

async function bookTable(
  book: TableBook,
  options: RestaurantTime,
  args: Record<string, unknown>,
  context: ToolContext,
): Promise<BookTableResult> {
  const now = restaurantNow(options);
  const partySize = Number(args["party_size"]);
  const tooMany = partyProblem(partySize);
  if (tooMany !== undefined) return { status: "refused", field: "party_size", reason: tooMany };
  const date = readDate(String(args["date"]), now.date);
  const wrongDay = date === undefined ? "Give the day as YYYY-MM-DD." : dateProblem(date, now.date);
  if (date === undefined || wrongDay !== undefined) return { status: "refused", field: "date", reason: wrongDay ?? "" };
  const time = readTime(String(args["time"]));
  const wrongTime = time === undefined ? "Give the time as HH:MM." : (timeProblem(time) ?? pastProblem(date, time, now));
  if (time === undefined || wrongTime !== undefined) return { status: "refused", field: "time", reason: wrongTime ?? "" };
  const { name, booking_id: bookingId } = args;
  const result = await book.book({
    date,
    time,
    partySize,
    idempotencyKey: context.idempotencyKey,
    ...(typeof name === "string" && name.trim() !== "" ? { name: name.trim() } : {}),
    ...(typeof bookingId === "number" ? { replaces: bookingId } : {}),
    ...(date === now.date ? { notBefore: now.time } : {}),
  });
  switch (result.status) {
    case "booked": {
      const { booking } = result;
      const spoken = `${sayDate(booking.date, now.date)}, at ${sayTime(booking.time)}`;
      return {
        status: "booked",
        booking_id: booking.bookingId,
        party_size: booking.partySize,
        date: booking.date,
        time: booking.time,
        spoken,
      };
    }
    case "full":
      return { status: "full", date, time, free_times: result.alternatives };
    case "unknown_booking":
      return {
        status: "refused",
        field: "booking_id",
        reason: "There is no such booking: leave booking_id out to make a new one.",
      };
  }
}

function pastProblem(date: IsoDate, time: string, now: { readonly date: IsoDate; readonly time: string }): string | undefined {
  return date === now.date && time <= now.time ? "That time has passed." : undefined;
}

function readDate(text: string, today: IsoDate): IsoDate | undefined {
  if (/^\d{4}-\d{2}-\d{2}$/.test(text.trim())) return formatDate(parseDate(text.trim()));
  return findDates(wordsOf(text), today).reduce<{ value: IsoDate; strength: number } | undefined>(
    (best, match) => (match.strength > (best?.strength ?? 0) ? match : best),
    undefined,
  )?.value;
}

function readTime(text: string): string | undefined {
  return findTimes(wordsOf(text), SEATING.first).reduce<{ value: string; strength: number } | undefined>(
    (best, match) => (match.strength > (best?.strength ?? 0) ? match : best),
    undefined,
  )?.value;
}
