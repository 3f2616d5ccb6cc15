import { addDays, type IsoDate, localTime } from "../../llm/scripted/calendar.js";
import type { Clock } from "../../core/clock.js";
import type { SeatingHours } from "./table-book.js";

/** When and where the restaurant is. */
export interface RestaurantTime {
  readonly clock: Clock;
  /** Such as `Europe/Rome`. Default: the machine's. */
  readonly timeZone?: string;
}

/** The restaurant's name as it is spoken. */
export const RESTAURANT = "the Luna restaurant";

/** Guests are seated within these times, every day. */
export const SEATING: SeatingHours = { first: "12:00", last: "21:00" };
export const MAX_PARTY = 8;
const MAX_DAYS_AHEAD = 90;

/** The date and time where the restaurant is. */
export function restaurantNow({ clock, timeZone }: RestaurantTime): { readonly date: IsoDate; readonly time: string } {
  return localTime(clock.epochMs(), timeZone);
}

/** Why a party of this size cannot come; `undefined` when it can. */
export function partyProblem(partySize: number): string | undefined {
  if (!Number.isInteger(partySize) || partySize < 1) return "A table is for at least one person.";
  return partySize > MAX_PARTY ? "Our largest table seats eight people." : undefined;
}

/** Why nobody can come on this day; `undefined` when they can. */
export function dateProblem(date: IsoDate, today: IsoDate): string | undefined {
  if (date < today) return "That day has passed.";
  return date > addDays(today, MAX_DAYS_AHEAD) ? "We take bookings for the next ninety days." : undefined;
}

/** Why nobody is seated at this time; `undefined` when they are. */
export function timeProblem(time: string): string | undefined {
  return time < SEATING.first || time > SEATING.last ? "We seat guests from noon to nine in the evening." : undefined;
}
