import { readHomophone, readNumber, type Reading, sayNumber } from "./numbers.js";
import { BARE, EXPLICIT, HINTED, INTRODUCED, SHAPED, type Slot, type SlotMatch, type SlotOptions } from "./slot.js";
import { standsAt, type Words } from "./words.js";

/** A time of day. */
export interface TimeSlotOptions extends SlotOptions<string> {
  /** What an hour without morning or evening means: of 07:30 and 19:30 the one from this time on. Default `08:00`. */
  readonly from?: string;
}

/** Asks for a time: "seven thirty", "half past seven", "at eight", "eight p m", "noon", "19:30". The value is `HH:MM`. */
export function timeSlot(options: TimeSlotOptions): Slot<string> {
  const from = options.from ?? "08:00";
  return {
    ask: options.ask,
    names: options.names ?? [],
    find: (words) => findTimes(words, from),
    say: sayTime,
    check: (value) => options.check?.(value),
  };
}

/** A time in words: "seven thirty in the evening". */
export function sayTime(time: string): string {
  const [hour = 0, minute = 0] = time.split(":").map(Number);
  if (time === "12:00") return "noon";
  if (time === "00:00") return "midnight";
  const clockHour = sayNumber(hour % 12 === 0 ? 12 : hour % 12);
  const part = hour < 12 ? "in the morning" : hour < 17 ? "in the afternoon" : "in the evening";
  if (minute === 0) return `${clockHour} o'clock ${part}`;
  return `${clockHour} ${minute < 10 ? `oh ${sayNumber(minute)}` : sayNumber(minute)} ${part}`;
}

interface ClockReading {
  readonly hour: number;
  readonly minute: number;
  readonly end: number;
  readonly strength: number;
}

/** Half of the day that the words around a time speak of. */
type DayHalf = "am" | "pm" | undefined;

/** The times that the words may mean; `from` decides between morning and evening where nothing else does. */
export function findTimes(words: Words, from: string): SlotMatch<string>[] {
  return words.flatMap((_, position) => {
    const named = readNamedTime(words, position);
    if (named !== undefined) return [{ ...named, start: position, strength: EXPLICIT }];
    const relative = readRelativeTime(words, position);
    const readings = relative === undefined ? readClock(words, position) : [relative];
    return readings.flatMap((reading) => matchTime(words, position, reading, from));
  });
}

function matchTime(words: Words, position: number, reading: ClockReading, from: string): SlotMatch<string>[] {
  const half = readHalf(words, reading.end);
  const value = resolve(reading, half?.value ?? impliedHalf(words), from);
  if (value === undefined) return [];
  const isIntroduced = isPreposition(words[position - 1]);
  return [
    {
      value,
      start: isIntroduced ? position - 1 : position,
      end: half?.end ?? reading.end,
      strength: half === undefined ? Math.max(reading.strength, isIntroduced ? HINTED : BARE) : EXPLICIT,
    },
  ];
}

function readNamedTime(words: Words, position: number): Reading<string> | undefined {
  const end = words[position] === "twelve" ? position + 2 : position + 1;
  const name = words[end - 1];
  if (name === "noon" || name === "midday") return { value: "12:00", end };
  return name === "midnight" ? { value: "00:00", end } : undefined;
}

/** "half past seven", "quarter to eight", "ten past seven", "twenty minutes to eight". */
function readRelativeTime(words: Words, position: number): ClockReading | undefined {
  const amount = readFraction(words, position) ?? readMinutes(words, position);
  if (amount === undefined) return undefined;
  const direction = words[amount.end];
  const isPast = direction === "past" || direction === "after";
  if (!isPast && direction !== "to" && direction !== "before" && direction !== "till") return undefined;
  const hour = readHour(words, amount.end + 1) ?? readHomophone(words, amount.end + 1);
  if (hour === undefined || hour.value > 24) return undefined;
  const total = (hour.value * 60 + (isPast ? amount.value : -amount.value) + 1440) % 1440;
  return {
    hour: Math.floor(total / 60),
    minute: total % 60,
    end: words[hour.end] === "o'clock" ? hour.end + 1 : hour.end,
    strength: EXPLICIT,
  };
}

function readFraction(words: Words, position: number): Reading<number> | undefined {
  const start = words[position] === "a" ? position + 1 : position;
  if (words[start] === "half") return { value: 30, end: start + 1 };
  return words[start] === "quarter" ? { value: 15, end: start + 1 } : undefined;
}

function readMinutes(words: Words, position: number): Reading<number> | undefined {
  const minutes = readNumber(words, position);
  if (minutes === undefined || minutes.value === 0 || minutes.value > 59) return undefined;
  const isNamed = words[minutes.end] === "minutes" || words[minutes.end] === "minute";
  return { value: minutes.value, end: minutes.end + (isNamed ? 1 : 0) };
}

/** "7:30", "seven thirty", "seven oh five", "nineteen hundred", "eight o'clock", "eight". */
function readClock(words: Words, position: number): ClockReading[] {
  const digits = /^(\d{1,2})[:.](\d{2})$/.exec(words[position] ?? "");
  if (digits !== null) return [{ hour: Number(digits[1]), minute: Number(digits[2]), end: position + 1, strength: EXPLICIT }];
  const hour = readHour(words, position) ?? spokenAfterAt(words, position);
  if (hour === undefined) return [];
  const { value, end } = hour;
  if (words[end] === "o'clock") return [{ hour: value, minute: 0, end: end + 1, strength: EXPLICIT }];
  if (words[end] === "hundred") return [{ hour: value, minute: 0, end: end + 1, strength: SHAPED }];
  const minute = readMinute(words, end);
  if (minute === undefined) return [{ hour: value, minute: 0, end, strength: BARE }];
  const full = { hour: value, minute: minute.value, end: minute.end, strength: SHAPED };
  // In "seven thirty four people" the four may belong to what follows.
  return minute.end - end === 2 && minute.value > 20
    ? [full, { ...full, minute: minute.value - (minute.value % 10), end: end + 1, strength: INTRODUCED }]
    : [full];
}

function readMinute(words: Words, position: number): Reading<number> | undefined {
  const isSmall = words[position] === "oh" || words[position] === "o";
  const minute = readNumber(words, isSmall ? position + 1 : position);
  if (minute === undefined || minute.value > 59) return undefined;
  return isSmall === minute.value < 10 ? minute : undefined;
}

/** An hour; "twenty thirty" is 20:30, but "twenty five" is no hour. */
function readHour(words: Words, position: number): Reading<number> | undefined {
  const hour = readNumber(words, position);
  return hour !== undefined && hour.value <= 24 ? hour : undefined;
}

/** "at ate", "at to thirty": only behind "at" does such a word have to be an hour. */
function spokenAfterAt(words: Words, position: number): Reading<number> | undefined {
  return words[position - 1] === "at" ? readHomophone(words, position) : undefined;
}

function readHalf(words: Words, position: number): Reading<DayHalf> | undefined {
  const word = words[position];
  if (word === "am" || word === "pm") return { value: word, end: position + 1 };
  if (standsAt(words, position, ["in", "the", "morning"])) return { value: "am", end: position + 3 };
  if (standsAt(words, position, ["in", "the", "afternoon"]) || standsAt(words, position, ["in", "the", "evening"]))
    return { value: "pm", end: position + 3 };
  return standsAt(words, position, ["at", "night"]) ? { value: "pm", end: position + 2 } : undefined;
}

function impliedHalf(words: Words): DayHalf {
  if (words.includes("tonight") || words.includes("evening")) return "pm";
  return undefined;
}

function resolve({ hour, minute }: ClockReading, half: DayHalf, from: string): string | undefined {
  if (hour > 24 || minute > 59) return undefined;
  const base = hour % 24;
  if (hour > 12 || (base === 0 && half === undefined)) return format(base, minute);
  if (half === "am") return format(base % 12, minute);
  if (half === "pm") return format((base % 12) + 12, minute);
  const morning = format(base % 12, minute);
  return morning >= from ? morning : format((base % 12) + 12, minute);
}

function format(hour: number, minute: number): string {
  return `${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`;
}

function isPreposition(word: string | undefined): boolean {
  return word === "at" || word === "around" || word === "about" || word === "by";
}
