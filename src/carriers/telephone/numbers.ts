/** Says whether `number` is written as E.164, such as `+15550001234`. */
export function isE164(number: string): boolean {
  return /^\+[1-9]\d{6,14}$/.test(number);
}

/** Calling codes of one and of two digits; all others have three. */
const SHORT_CALLING_CODES = /^\+(?:1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58])/;

/** The calling code of an E.164 number, such as `+44`. */
export function callingCode(number: string): string {
  return SHORT_CALLING_CODES.exec(number)?.[0] ?? number.slice(0, 4);
}

/** The text with every telephone number in it masked but for its beginning and its last two digits: `+1555*****34`. */
export function maskNumbers(text: string): string {
  return text.replace(/\+?\d{7,}/g, (number) => {
    const start = number.startsWith("+") ? 5 : 4;
    return number.slice(0, start) + "*".repeat(Math.max(0, number.length - start - 2)) + number.slice(-2);
  });
}
