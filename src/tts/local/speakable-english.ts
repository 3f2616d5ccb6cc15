/** A word, or a few that belong together, as it is to be read out. */
export interface SpeakablePiece {
  readonly spoken: string;
  /** Where it comes from in the text. */
  readonly start: number;
  readonly end: number;
}

interface Rule {
  readonly pattern: RegExp;
  /** Gets the match and its groups; an absent group is an empty string. */
  spoken(match: string, ...groups: string[]): string;
}

const MONTHS = "January February March April May June July August September October November December".split(" ");
const DIGITS = "zero one two three four five six seven eight nine".split(" ");
/** Said letter by letter although they could be read as words. */
const INITIALISMS = new Set("AI API ATM CEO CFO CTO DIY ETA EU FAQ HR ID IOU IP IT ISP OS PIN-ID UI UK USA USB UX".split(" "));
const CURRENCIES: Readonly<Record<string, readonly [one: string, many: string, cents: string]>> = {
  $: ["dollar", "dollars", "cents"],
  "€": ["euro", "euros", "cents"],
  "£": ["pound", "pounds", "pence"],
};

/** What a speech synthesiser of English reads wrongly, first come, first served. */
const RULES: readonly Rule[] = [
  { pattern: /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g, spoken: (address) => spokenAddress(address.replace("@", " at ")) },
  {
    pattern:
      /\b(?:https?:\/\/)?((?:[\w-]+\.)+(?:com|org|net|edu|gov|info|io|dev|ai|app|co|uk|us|eu|de|fr)\b(?:\/[\w./?=&%#-]*\w)?)/gi,
    spoken: (_, address) => spokenAddress(address),
  },
  { pattern: /\b(\d{4})-(\d\d)-(\d\d)\b/g, spoken: (_, year, month, day) => date(month, day, year) },
  { pattern: /\b(\d{1,2})\/(\d{1,2})\/(\d{4})\b/g, spoken: (_, month, day, year) => date(month, day, year) },
  {
    pattern: /\b([01]?\d|2[0-3]):([0-5]\d)(?:\s?([ap])\.?m\b\.?)?/gi,
    spoken: (_, hour, minute, half) => time(hour, minute, half),
  },
  { pattern: /\b(\d{1,2})\s?([ap])\.?m\b\.?/gi, spoken: (_, hour, half) => time(hour, "", half) },
  { pattern: /\+?(?<![\d.,$€£])\(?\d{1,4}\)?(?:[ .-]?\(?\d{2,4}\)?){1,3}[ .-]\d{3,4}(?![\d.,]*\d)/g, spoken: phoneNumber },
  { pattern: /(?<![\d.,])\d{10,}(?![.,]?\d)/g, spoken: digits },
  {
    pattern: /([$€£])\s?(\d[\d,]*)(?:\.(\d\d))?(?![\d.]*\d)(?:\s?(k|thousand|m|million|bn|billion)\b)?/gi,
    spoken: (_, sign, whole, cents, scale) => money(sign, whole, cents, scale),
  },
  { pattern: /(\d)\s?%/g, spoken: (_, digit) => `${digit} percent` },
  {
    pattern: /(\d+)\s?°\s?([CF])\b/g,
    spoken: (_, degrees, scale) => `${degrees} degrees ${scale === "C" ? "Celsius" : "Fahrenheit"}`,
  },
  { pattern: /#\s?(\d+)/g, spoken: (_, number) => `number ${number}` },
  { pattern: /\bno\.\s?(\d+)/gi, spoken: (_, number) => `number ${number}` },
  { pattern: /(?<![\d-])(\d{1,4})\s?[-–]\s?(\d{1,4})(?![\d-])/g, spoken: (_, from, to) => `${from} to ${to}` },
  { pattern: /\be\.g\./gi, spoken: () => "for example" },
  { pattern: /\bi\.e\./gi, spoken: () => "that is" },
  { pattern: /\betc\./gi, spoken: () => "et cetera" },
  { pattern: /\bapprox\./gi, spoken: () => "approximately" },
  { pattern: /\bMs\.?(?= [A-Z])/g, spoken: () => "Mizz" },
  { pattern: /\bWi-?Fi\b/gi, spoken: () => "why fie" },
  { pattern: /\b[A-Z]{2,5}s?\b(?!')/g, spoken: (word) => (isInitialism(word) ? letters(word) : word) },
];

/** Turns English text, however it is written, into words that a synthesiser of English letters reads rightly. */
export function speakableEnglish(text: string): SpeakablePiece[] {
  const taken: SpeakablePiece[] = [];
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
function withPlainWords(text: string, taken: readonly SpeakablePiece[]): SpeakablePiece[] {
  const pieces: SpeakablePiece[] = [];
  const add = (piece: SpeakablePiece): void => {
    if (/[\p{L}\p{N}]/u.test(piece.spoken)) pieces.push(piece);
    else if (pieces.length > 0 && piece.spoken !== "") {
      const last = pieces.pop() as SpeakablePiece;
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

function spokenAddress(address: string): string {
  return address
    .replace(/^www\./i, "www dot ")
    .replace(/\./g, " dot ")
    .replace(/\//g, " slash ")
    .replace(/-/g, " dash ")
    .replace(/_/g, " underscore ")
    .replace(/\d/g, (digit) => ` ${DIGITS[Number(digit)]} `)
    .replace(/\bwww\b/i, "double u double u double u")
    .replace(/\bio\b/i, "eye oh")
    .replace(/\s+/g, " ");
}

function date(month: string, day: string, year: string): string {
  const name = MONTHS[Number(month) - 1];
  if (name !== undefined) return `${name} ${ordinal(Number(day))}, ${year}`;
  const dayFirst = MONTHS[Number(day) - 1];
  return dayFirst === undefined ? `${month} ${day} ${year}` : `${dayFirst} ${ordinal(Number(month))}, ${year}`;
}

function ordinal(day: number): string {
  const isTeen = day > 10 && day < 14;
  return `${day}${isTeen ? "th" : (["th", "st", "nd", "rd"][day % 10] ?? "th")}`;
}

function time(hour: string, minute: string, half: string): string {
  const suffix = half === "" ? "" : ` ${letters(half)} ${letters("m")}`;
  if (minute === "") return `${Number(hour)}${suffix}`;
  if (minute === "00") return half === "" ? `${Number(hour)} o'clock` : `${Number(hour)}${suffix}`;
  return `${Number(hour)} ${minute.startsWith("0") ? `oh ${minute[1]}` : minute}${suffix}`;
}

/** Digit by digit, with a rest between groups. */
function phoneNumber(number: string): string {
  const plus = number.startsWith("+") ? "plus " : "";
  return plus + (number.match(/\d+/g) ?? []).map(digits).join(", ");
}

function digits(number: string): string {
  return [...number].map((digit) => DIGITS[Number(digit)]).join(" ");
}

function money(sign: string, whole: string, cents: string, scale: string): string {
  const [one, many, small] = CURRENCIES[sign] as readonly [string, string, string];
  const amount = whole.replaceAll(",", "");
  const names: Readonly<Record<string, string>> = { k: "thousand", m: "million", bn: "billion" };
  if (scale !== "") {
    const name = names[scale.toLowerCase()] ?? scale.toLowerCase();
    return `${amount}${cents === "" ? "" : `.${cents}`} ${name} ${many}`;
  }
  const unit = `${grouped(amount)} ${amount === "1" ? one : many}`;
  if (cents === "" || cents === "00") return unit;
  return `${unit} and ${Number(cents)} ${cents === "01" ? small.replace(/^cents$/, "cent").replace(/^pence$/, "penny") : small}`;
}

/** With commas, without which four digits are read one by one. */
function grouped(amount: string): string {
  return amount.replace(/\B(?=(\d{3})+$)/g, ",");
}

function isInitialism(word: string): boolean {
  const base = word.replace(/s$/, "");
  return INITIALISMS.has(base) || !/[AEIOUY]/.test(base);
}

/** A letter alone is read as a letter, but for A, which is an article. */
function letters(word: string): string {
  const spelled = [...word.replace(/s$/, "")].map((letter) => (letter.toLowerCase() === "a" ? "eigh" : letter.toUpperCase()));
  return spelled.join(" ") + (word.length > 1 && word.endsWith("s") ? "'s" : "");
}
