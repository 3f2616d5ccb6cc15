import { addDays, formatDate, type IsoDate, MONTHS, parseDate, WEEKDAYS, weekday } from "./calendar.js";
import { type Reading, readNumber, readOrdinal, sayOrdinal } from "./numbers.js";
import { BARE, EXPLICIT, HINTED, INTRODUCED, SHAPED, type Slot, type SlotMatch, type SlotOptions } from "./slot.js";
import { standsAt, type Words } from "./words.js";

/** A day from today on. */
export interface DateSlotOptions extends SlotOptions<IsoDate> {
  /** The current date where the dialogue takes place. */
  readonly today: () => IsoDate;
}

/** Asks for a day: "tomorrow", "friday", "next saturday", "the twenty fifth", "november second". The value is `YYYY-MM-DD`. */
export function dateSlot(options: DateSlotOptions): Slot<IsoDate> {
  return {
    ask: options.ask,
    names: options.names ?? [],
    find: (words) => findDates(words, options.today()),
    say: (value) => sayDate(value, options.today()),
    check: (value) => options.check?.(value),
  };
}

/** A date in words: "tomorrow, Monday the twenty-third of November". */
export function sayDate(date: IsoDate, today: IsoDate): string {
  const { month, day } = parseDate(date);
  const name = `${capital(WEEKDAYS[weekday(date)] ?? "")} the ${sayOrdinal(day)} of ${capital(MONTHS[month - 1] ?? "")}`;
  if (date === today) return `today, ${name}`;
  return date === addDays(today, 1) ? `tomorrow, ${name}` : name;
}

/** The dates that the words may mean, all from `today` on. */
export function findDates(words: Words, today: IsoDate): SlotMatch<IsoDate>[] {
  return words.flatMap((_, position) => {
    const relative = readRelative(words, position, today);
    if (relative !== undefined) return [{ ...relative, start: position, strength: EXPLICIT }];
    const later = readDaysLater(words, position, today);
    if (later !== undefined) return [{ ...later, start: position, strength: SHAPED }];
    return [
      ...weekdayMatches(words, position, today),
      ...monthMatches(words, position, today),
      ...dayOfMonthMatches(words, position, today),
    ];
  });
}

function readRelative(words: Words, position: number, today: IsoDate): Reading<IsoDate> | undefined {
  const phrases: readonly (readonly [string, number])[] = [
    ["day after tomorrow", 2],
    ["tomorrow", 1],
    ["tomorrow's", 1],
    ["to morrow", 1],
    ["today", 0],
    ["tonight", 0],
    ["this evening", 0],
    ["this afternoon", 0],
  ];
  for (const [phrase, days] of phrases) {
    const parts = phrase.split(" ");
    if (standsAt(words, position, parts)) return { value: addDays(today, days), end: position + parts.length };
  }
  return undefined;
}

/** "in three days", "in a week". */
function readDaysLater(words: Words, position: number, today: IsoDate): Reading<IsoDate> | undefined {
  if (words[position] !== "in") return undefined;
  const count =
    words[position + 1] === "a" || words[position + 1] === "one"
      ? { value: 1, end: position + 2 }
      : readNumber(words, position + 1);
  if (count === undefined) return undefined;
  const unit = words[count.end];
  if (unit === "day" || unit === "days") return { value: addDays(today, count.value), end: count.end + 1 };
  return unit === "week" || unit === "weeks" ? { value: addDays(today, count.value * 7), end: count.end + 1 } : undefined;
}

function weekdayMatches(words: Words, position: number, today: IsoDate): SlotMatch<IsoDate>[] {
  const name = words[position]?.replace(/'?s$/, "") ?? "";
  const index = WEEKDAYS.findIndex((day) => day === name);
  if (index < 0) return [];
  const before = words[position - 1];
  const start = before === "this" || before === "next" || before === "coming" || before === "on" ? position - 1 : position;
  const behind = words[position + 1] === "the" ? position + 2 : position + 1;
  const ordinal = readOrdinal(words, behind);
  // "Saturday the twenty-eighth": the number says more than the name.
  if (ordinal !== undefined) {
    const month = readMonthBehind(words, ordinal.end);
    const value = month === undefined ? nextDayOfMonth(ordinal.value, today) : nextDate(month.value, ordinal.value, today);
    if (value !== undefined) return [{ value, start, end: month?.end ?? ordinal.end, strength: EXPLICIT }];
  }
  return [{ value: nextWeekday(index, before, today), start, end: position + 1, strength: EXPLICIT }];
}

/** "november second", "the second of november", "2 november". */
function monthMatches(words: Words, position: number, today: IsoDate): SlotMatch<IsoDate>[] {
  const month = readMonth(words, position);
  if (month !== undefined) {
    const behind = words[month.end] === "the" ? month.end + 1 : month.end;
    const day = readOrdinal(words, behind) ?? readNumber(words, behind);
    const value = day === undefined ? undefined : nextDate(month.value, day.value, today);
    return value === undefined || day === undefined ? [] : [{ value, start: position, end: day.end, strength: EXPLICIT }];
  }
  const day = readOrdinal(words, position) ?? readNumber(words, position);
  const behind = day === undefined ? undefined : readMonthBehind(words, day.end);
  const value = day === undefined || behind === undefined ? undefined : nextDate(behind.value, day.value, today);
  return value === undefined || behind === undefined ? [] : [{ value, start: position, end: behind.end, strength: EXPLICIT }];
}

function dayOfMonthMatches(words: Words, position: number, today: IsoDate): SlotMatch<IsoDate>[] {
  const day = readOrdinal(words, position);
  const value = day === undefined ? undefined : nextDayOfMonth(day.value, today);
  if (day === undefined || value === undefined) return [];
  if (words[position - 1] !== "the") return [{ value, start: position, end: day.end, strength: BARE }];
  const isOn = words[position - 2] === "on";
  return [{ value, start: position - (isOn ? 2 : 1), end: day.end, strength: isOn ? INTRODUCED : HINTED }];
}

function readMonth(words: Words, position: number): Reading<number> | undefined {
  const index = MONTHS.findIndex((name) => name === words[position] || (name.length > 4 && name.slice(0, 3) === words[position]));
  return index < 0 ? undefined : { value: index + 1, end: position + 1 };
}

function readMonthBehind(words: Words, position: number): Reading<number> | undefined {
  return readMonth(words, words[position] === "of" ? position + 1 : position);
}

/** The day after today that has this name; with "next" the one in the week that begins next Monday, with "this" today too. */
function nextWeekday(index: number, qualifier: string | undefined, today: IsoDate): IsoDate {
  const current = weekday(today);
  if (qualifier === "next") return addDays(today, 7 - current + index);
  const ahead = (index - current + 7) % 7;
  return addDays(today, ahead === 0 && qualifier !== "this" ? 7 : ahead);
}

function nextDate(month: number, day: number, today: IsoDate): IsoDate | undefined {
  const { year } = parseDate(today);
  const date = formatDate({ year, month, day });
  return date !== undefined && date < today ? formatDate({ year: year + 1, month, day }) : date;
}

function nextDayOfMonth(day: number, today: IsoDate): IsoDate | undefined {
  let { year, month } = parseDate(today);
  // February may lack the day: at most two months ahead one has it.
  for (let tries = 0; tries < 3; tries++) {
    const date = formatDate({ year, month, day });
    if (date !== undefined && date >= today) return date;
    year += month === 12 ? 1 : 0;
    month = (month % 12) + 1;
  }
  return undefined;
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
