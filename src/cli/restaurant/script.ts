import { type Dialogue, dateSlot, dialogue, numberSlot, type Outcome, timeSlot, type ToolAnswer } from "../../llm/scripted.js";
import { sayNumber } from "../../llm/scripted/numbers.js";
import { sayTime } from "../../llm/scripted/time-slot.js";
import {
  dateProblem,
  MAX_PARTY,
  partyProblem,
  RESTAURANT,
  restaurantNow,
  type RestaurantTime,
  SEATING,
  timeProblem,
} from "./rules.js";
import type { BookTableResult } from "./tools.js";

/** Spoken when a call to the restaurant connects. */
export const restaurantGreeting = `Hello, this is the automated booking line of ${RESTAURANT}. For how many people is the table?`;

/** Instructions for a real model in the same place as the script. */
export const restaurantPrompt = `You answer the phone of ${RESTAURANT}, at twelve Harbour Street, and book tables. You are an automated assistant and say so when asked.

You are heard, not read: answer in one or two short, plain sentences, without lists, symbols or abbreviations. Say times and dates in words.

To book you need the number of people (at most ${sayNumber(MAX_PARTY)}), the day and the time. Ask for one missing thing at a time, and take what the caller gives in any order. Callers are heard through a speech recogniser that makes mistakes: when something makes no sense, ask again.

Guests are seated every day from noon to nine in the evening; the kitchen closes at ten. Before booking, read back people, day and time and ask whether that is correct. After a yes call book_table once. When the time is taken, offer the first of its free times. When the caller changes their mind after booking, call book_table again with the booking_id. Never say that a table is booked before book_table has said so.

You cannot cancel bookings, take orders or give prices: the staff can, from noon on, on this same number. When the caller is done, say goodbye and call end_call.`;

interface BookingValues {
  readonly partySize: number;
  readonly date: string;
  readonly time: string;
}

/** The restaurant's dialogue for `ScriptedLLM`: party size, day and time, read back, booked with `book_table`. */
export function restaurantScript(options: RestaurantTime): Dialogue {
  const today = (): string => restaurantNow(options).date;
  const slots = {
    partySize: numberSlot({
      ask: [
        "For how many people?",
        "How many people will come? Please say a number.",
        "Please say only the number of people, such as: four.",
      ],
      names: ["people", "persons", "guests", "number of people", "party size", "how many"],
      nouns: [
        "person",
        "people",
        "persons",
        "guests",
        "guest",
        "adults",
        "adult",
        "children",
        "kids",
        "of us",
        "diners",
        "seats",
      ],
      introductions: [
        "for",
        "table for",
        "party of",
        "group of",
        "we are",
        "we're",
        "we will be",
        "we'll be",
        "there are",
        "there will be",
        "there'll be",
        "it's for",
        "make it",
        "make that",
      ],
      phrases: {
        "just me": 1,
        "only me": 1,
        myself: 1,
        "on my own": 1,
        "a couple": 2,
        "two of us": 2,
        "both of us": 2,
        "me and my wife": 2,
        "me and my husband": 2,
        "my wife and i": 2,
        "my husband and i": 2,
      },
      check: partyProblem,
    }),
    date: dateSlot({
      ask: [
        "For which day?",
        "Which day would you like to come? You can say tomorrow, or a day such as Friday.",
        "Please say only the day, such as: Friday.",
      ],
      names: ["day", "date"],
      today,
      check: (date) => dateProblem(date, today()),
    }),
    time: timeSlot({
      ask: [
        "At what time?",
        "At what time would you like to come? You can say half past seven.",
        "Please say only the time, such as: eight o'clock.",
      ],
      names: ["time", "hour"],
      from: SEATING.first,
      check: timeProblem,
    }),
  };
  return dialogue({
    name: "restaurant",
    greeting: { say: restaurantGreeting, asks: "partySize" },
    slots,
    confirm: ({ partySize, date, time }) => ({
      say: `That is a table for ${slots.partySize.say(partySize)}, ${slots.date.say(date)}, at ${slots.time.say(time)}.`,
      ask: "Is that correct?",
    }),
    action: {
      tool: "book_table",
      say: "One moment, please.",
      arguments: ({ partySize, date, time }, previous) => ({ party_size: partySize, date, time, ...previousBooking(previous) }),
      outcome: bookingOutcome,
    },
    topics: ["book", "booking", "reserve", "reservation", "table"],
    intents: [
      {
        phrases: ["opening hours", "open", "close", "closed", "what hours"],
        reply: "We seat guests every day from noon to nine in the evening.",
      },
      {
        phrases: ["address", "where are you", "where is the restaurant", "located", "location"],
        reply: "We are at twelve Harbour Street.",
      },
      {
        phrases: ["cancel my booking", "cancel the booking", "cancel a booking", "cancel my reservation", "cancel a reservation"],
        reply: "I cannot cancel bookings; our staff can, from noon on.",
      },
    ],
    transfer: {
      say: "I am connecting you. Please hold the line.",
      tool: "transfer_call",
      arguments: { reason: "The caller asked for a person." },
      unavailable: "I am sorry, nobody can come to the phone right now.",
    },
    lines: {
      help: "I am an automated assistant and I book tables: I need the number of people, the day and the time.",
      change: "What should I change: the people, the day or the time?",
      cancelled: "All right, nothing is booked.",
      goodbye: "Thank you for calling. Goodbye!",
    },
  });
}

function bookingOutcome({ result, isError }: ToolAnswer, values: BookingValues): Outcome<BookingValues> {
  const answer = isError ? undefined : asBookTableResult(result);
  switch (answer?.status) {
    case "booked":
      return {
        type: "done",
        say: `Your table is booked for ${answer.spoken}. Your booking number is ${sayNumber(answer.booking_id)}.`,
      };
    case "full":
      return fullOutcome(answer.free_times[0], values);
    case "refused":
      return {
        type: "ask",
        say: `I am sorry. ${answer.reason}`,
        slot: answer.field === "party_size" ? "partySize" : answer.field === "date" ? "date" : "time",
      };
    default:
      return {
        type: "offer",
        say: "I am sorry, the booking did not work.",
        ask: "Shall I try again?",
        values: {},
        otherwise: "time",
      };
  }
}

function fullOutcome(freeTime: string | undefined, { time }: BookingValues): Outcome<BookingValues> {
  const say = `I am sorry, we have no table at ${sayTime(time)}.`;
  if (freeTime === undefined) return { type: "ask", say: "I am sorry, we have no table left on that day.", slot: "date" };
  return {
    type: "offer",
    say: `${say} The nearest free time is ${sayTime(freeTime)}.`,
    ask: "Shall I book that?",
    values: { time: freeTime },
    otherwise: "time",
  };
}

function previousBooking(previous: unknown): { readonly booking_id?: number } {
  const answer = asBookTableResult(previous);
  return answer?.status === "booked" ? { booking_id: answer.booking_id } : {};
}

/** The tool's own answer, back from the conversation. */
function asBookTableResult(value: unknown): BookTableResult | undefined {
  if (typeof value !== "object" || value === null || !("status" in value)) return undefined;
  const { status } = value;
  return status === "booked" || status === "full" || status === "refused" ? (value as BookTableResult) : undefined;
}
