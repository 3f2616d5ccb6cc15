import type { Piece } from "./voice.js";

interface Rule {
  readonly pattern: RegExp;
  /** Gets the match and its groups; an absent group is an empty string. */
  spoken(match: string, ...groups: string[]): string;
}

const MONTHS = "January February March April May June July August September October November December".split(" ");
/** Said letter by letter although they could be read as words. */
const INITIALISMS = new Set("AI API ATM CEO CFO CTO DIY ETA EU FAQ HR ID IP IT OS UI UK USA USB UX VIP".split(" "));
const CURRENCIES: Readonly<Record<string, readonly [one: string, many: string, coin: string, coins: string]>> = {
  $: ["dollar", "dollars", "cent", "cents"],
  "€": ["euro", "euros", "cent", "cents"],
  "£": ["pound", "pounds", "penny", "pence"],
};
const SCALES: Readonly<Record<string, string>> = { k: "thousand", m: "million", bn: "billion" };
const FRACTIONS: Readonly<Record<string, string>> = {
  "1/2": "one half",
  "1/3": "one third",
  "2/3": "two thirds",
  "1/4": "one quarter",
  "3/4": "three quarters",
};

/** What a speech synthesiser of English reads wrongly. Of two that overlap, the earlier one wins. */
const RULES: readonly Rule[] = [
  { pattern: /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g, spoken: address },
  {
    pattern:
      /\b(?:https?:\/\/)?((?:[\w-]+\.)+(?:com|org|net|edu|gov|info|dev|app|co|io|ai|uk|us|eu|de|fr)\b(?:\/[\w./?=&%#-]*\w)?)/gi,
    spoken: (_, link) => address(link),
  },
  { pattern: /\b(\d{4})-(\d\d)-(\d\d)\b/g, spoken: (_, year, month, day) => date(month, day, year) },
  { pattern: /\b(\d{1,2})\/(\d{1,2})\/(\d{4})\b/g, spoken: (_, month, day, year) => date(month, day, year) },
  { pattern: /\b[1-3]\/[2-4]\b/g, spoken: (fraction) => FRACTIONS[fraction] ?? fraction },
  { pattern: /\b24\/7\b/g, spoken: () => "twenty four seven" },
  {
    pattern: /\b([01]?\d|2[0-3]):([0-5]\d)(?:\s?([aApP])\.?[mM]\b(?:\.(?!\s*$|\s+[A-Z]))?)?/g,
    spoken: (_, hours, minutes, half) => time(hours, minutes, half),
  },
  { pattern: /\b(1?\d)\s?([aApP])\.?[mM]\b(?:\.(?!\s*$|\s+[A-Z]))?/g, spoken: (_, hours, half) => time(hours, "", half) },
  { pattern: /\+?(?<![\w.,$€£])\(?\d{1,4}\)?(?:[ .-]?\(?\d{2,4}\)?){1,3}[ .-]\d{3,4}(?![\d.,]*\d)/g, spoken: groupsOfDigits },
  {
    pattern: /\b(?=[A-Z-]*\d)(?=[\d-]*[A-Z])(?=(?:-?\w){4})[A-Z]{0,3}\d[A-Z\d]*(?:-[A-Z\d]+)*\b|\b[A-Z]{1,3}(?:-\d+)+\b/g,
    spoken: code,
  },
  { pattern: /(?<![\d.,])\d{10,}(?![.,]?\d)/g, spoken: digits },
  {
    pattern: /(?<!\d)([$€£])\s?(\d+(?:,\d{3})*(?:\.\d+)?)(?:\s?(k|m|bn|thousand|million|billion)\b)?/gi,
    spoken: (_, sign, amount, scale) => money(sign, amount, scale),
  },
  { pattern: /(\d+(?:[.,]\d\d)?)\s?([€£])/g, spoken: (_, amount, sign) => money(sign, amount.replace(",", "."), "") },
  { pattern: /(\d+(?:\.\d+)?)\s?%/g, spoken: (_, amount) => `${number(amount)} percent` },
  {
    pattern: /(\d+)\s?°\s?([CF])\b/g,
    spoken: (_, amount, scale) => `${number(amount)} degrees ${scale === "C" ? "Celsius" : "Fahrenheit"}`,
  },
  { pattern: /(?:#|\bno\.)\s?(\d+)/gi, spoken: (_, amount) => `number ${amount}` },
  { pattern: /(?<=(?<![\w-])[$€£]?[\d:.]{1,5}\s?(?:[ap]\.?m\.?)?)\s?[-–]\s?(?=[$€£]?\d{1,4}(?![\d-]))/gi, spoken: () => "to" },
  { pattern: /\be\.g\./gi, spoken: () => "for example" },
  { pattern: /\bi\.e\./gi, spoken: () => "that is" },
  { pattern: /\betc\./gi, spoken: () => "et cetera" },
  { pattern: /\bapprox\./gi, spoken: () => "approximately" },
  { pattern: /\bMs\.?(?= [A-Z])/g, spoken: () => "Mizz" },
  { pattern: /\bWi-?Fi\b/gi, spoken: () => "why fie" },
  {
    pattern: /\b([A-Z]{2,5})(s?)\b(?!')/g,
    spoken: (word, base, plural) => (isInitialism(base) ? letters(base) + plural.replace("s", "'s") : word),
  },
];

/** Turns English text, however it is written, into words that a synthesiser of English letters reads rightly. */
export function speakableEnglish(text: string): Piece[] {
  const taken: Piece[] = [];
  for (const { pattern, spoken } of RULES) {
    for (const match of text.matchAll(pattern)) {
      const [start, end] = [match.index, match.index + match[0].length];
      if (taken.some((piece) => piece.start < end && start < piece.end)) continue;
      const [all, ...groups] = [...match].map((group) => group ?? "");
      taken.push({ spoken: plainLetters(spoken(all as string, ...groups)), start, end });
    }
  }
  return withPlainWords(
    text,
    taken.toSorted((a, b) => a.start - b.start),
  );
}

/** Adds the words between the pieces; marks without a letter go to the word before. */
function withPlainWords(text: string, taken: readonly Piece[]): Piece[] {
  const pieces: Piece[] = [];
  const add = (piece: Piece): void => {
    if (/[\p{L}\p{N}]/u.test(piece.spoken)) pieces.push(piece);
    else if (pieces.length > 0 && piece.spoken !== "") {
      const last = pieces.pop() as Piece;
      pieces.push({ ...last, spoken: last.spoken + piece.spoken });
    }
  };
  let at = 0;
  for (const piece of [...taken, { spoken: "", start: text.length, end: text.length }]) {
    for (const word of text.slice(at, piece.start).matchAll(/\S+/g)) {
      const start = at + word.index;
      add({ spoken: plainLetters(word[0]).trim(), start, end: start + word[0].length });
    }
    add(piece);
    at = piece.end;
  }
  return pieces;
}

/** Signs as words, letters without accents, dashes as commas; what then has no English letter is left out. */
function plainLetters(text: string): string {
  return text
    .replace(/[‘’‛′]/g, "'")
    .replace(/&/g, " and ")
    .replace(/@/g, " at ")
    .replace(/%/g, " percent ")
    .replace(/\+/g, " plus ")
    .replace(/(?<=\s|^)=(?=\s|$)/g, " equals ")
    .replace(/[–—…]|\.{2,}/g, ", ")
    .replace(/ß/g, "ss")
    .replace(/æ/gi, "ae")
    .replace(/ø/gi, "o")
    .normalize("NFKD")
    .replace(/[/_|\\]/g, " ")
    .replace(/[^A-Za-z0-9 '.,;:!?-]/g, "");
}

function address(text: string): string {
  return text
    .replace(/\b(?:www|uk|us|eu|de|fr|io|ai)\b/gi, letters)
    .replace(/@/g, " at ")
    .replace(/\./g, " dot ")
    .replace(/\//g, " slash ")
    .replace(/-/g, " dash ")
    .replace(/_/g, " underscore ")
    .replace(/\d/g, (digit) => ` ${number(digit)} `)
    .replace(/\s+/g, " ");
}

/** American order; the other one where that is none. */
function date(month: string, day: string, year: string): string {
  const isDayFirst = Number(month) > 12;
  const name = MONTHS[Number(isDayFirst ? day : month) - 1];
  return name === undefined ? `${month} ${day} ${year}` : `${name} ${ordinal(Number(isDayFirst ? month : day))}, ${year}`;
}

function ordinal(day: number): string {
  const isTeen = day > 10 && day < 14;
  return `${day}${isTeen ? "th" : (["th", "st", "nd", "rd"][day % 10] ?? "th")}`;
}

/** The hours of the afternoon are turned into those of a clock with hands. */
function time(hours: string, minutes: string, half: string): string {
  const hour = Number(hours);
  const suffix = half !== "" ? half : hour > 12 ? "p" : hour === 0 ? "a" : "";
  const parts = [number(String(hour % 12 === 0 ? 12 : hour % 12))];
  if (minutes === "00" && suffix === "") parts.push("o'clock");
  else if (Number(minutes) > 0) parts.push(minutes.startsWith("0") ? "oh" : "", number(String(Number(minutes))));
  if (suffix !== "") parts.push(letters(`${suffix}m`));
  return parts.filter((part) => part !== "").join(" ");
}

function money(sign: string, amount: string, scale: string): string {
  const [one, many, coin, coins] = CURRENCIES[sign] as readonly [string, string, string, string];
  const [whole = "", cents = ""] = amount.replaceAll(",", "").split(".");
  if (scale !== "")
    return `${number(`${whole}${cents === "" ? "" : `.${cents}`}`)} ${SCALES[scale.toLowerCase()] ?? scale} ${many}`;
  if (cents.length !== 2) return `${number(amount.replaceAll(",", ""))} ${amount === "1" ? one : many}`;
  const parts = [
    `${number(whole)} ${whole === "1" ? one : many}`,
    `${number(String(Number(cents)))} ${cents === "01" ? coin : coins}`,
  ];
  return parts.filter((part) => !part.startsWith("zero ")).join(" and ");
}

/** Digit by digit, with a rest between groups. */
function groupsOfDigits(text: string): string {
  return (text.startsWith("+") ? "plus " : "") + (text.match(/\d+/g) ?? []).map(digits).join(", ");
}

function digits(text: string): string {
  return [...text].map(number).join(" ");
}

/** A booking's reference: every letter and digit by itself. */
function code(text: string): string {
  return text
    .split("-")
    .map((group) => [...group].map((character) => (/\d/.test(character) ? number(character) : letters(character))).join(" "))
    .join(", ");
}

function isInitialism(word: string): boolean {
  return INITIALISMS.has(word) || !/[AEIOUY]/.test(word);
}

/** A letter alone is read as a letter, but for A, which is an article. */
function letters(word: string): string {
  return [...word.toUpperCase()].map((letter) => (letter === "A" ? "eigh" : letter)).join(" ");
}

const ONES =
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(
    " ",
  );
const TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split(" ");

/** Digits, perhaps with a decimal point, in words. */
function number(text: string): string {
  const [whole = "", decimals] = text.split(".");
  const words = integer(Number(whole));
  return decimals === undefined ? words : `${words} point ${digits(decimals)}`;
}

function integer(value: number): string {
  if (value < 20) return ONES[value] as string;
  if (value < 100) return rest(TENS[Math.floor(value / 10) - 2] as string, value % 10);
  const [size, name] = (
    [
      [1e9, "billion"],
      [1e6, "million"],
      [1000, "thousand"],
      [100, "hundred"],
    ] as const
  ).find(([least]) => value >= least) as readonly [number, string];
  return rest(`${integer(Math.floor(value / size))} ${name}`, value % size);
}

function rest(words: string, value: number): string {
  return value === 0 ? words : `${words} ${integer(value)}`;
}
