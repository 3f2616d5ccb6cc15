import { ConfigError } from "../../core/errors.js";
import { callingCode, isE164 } from "./numbers.js";

/**
 * Ranges whose calls cost the caller's side extra, or that nobody can price: premium services, numbers that follow a
 * person, satellite and international networks. By calling code, and what follows it. National numbering plans change:
 * the list holds what is well known.
 */
const PREMIUM_RANGES: Readonly<Record<string, string>> = {
  // Pay-per-call, and the islands that callers within +1 take for domestic.
  "+1": "900 242 246 264 268 284 345 441 473 649 658 664 721 758 767 784 809 829 849 868 869 876",
  "+7": "803 809",
  "+30": "901 909",
  "+31": "900 906 909",
  "+32": "90",
  "+33": "897 899",
  "+34": "803 806 807 905 907",
  "+351": "760 761",
  "+358": "600 700",
  "+39": "144 166 178 199 892 899",
  "+41": "900 901 906",
  "+43": "900 901 930 931 939",
  "+44": "70 76 84 87 9",
  "+45": "90",
  "+46": "900 939 944",
  "+47": "820 829",
  "+48": "70",
  "+49": "137 180 900",
  "+61": "190",
  "+64": "900",
  "+81": "990",
  // Satellites, international networks and shared-cost services.
  "+8": "08 70 78 81 82 83 88",
  "+979": "",
};

/** Longer entries are whole numbers, the plus included. */
const MAX_BEGINNING_LENGTH = 8;

/** Which numbers may be dialled. */
export interface DialRules {
  /**
   * Calling codes (`+44`), longer beginnings of up to 7 digits (`+1415`) or whole numbers, E.164. A whole number is allowed
   * even where it is premium; beginnings leave premium ranges out.
   */
  readonly allow: readonly string[];
}

/** @throws ConfigError that names an entry that is no beginning of a number. */
export function checkDialRules(where: string, allow: readonly string[]): void {
  for (const entry of Array.isArray(allow) ? allow : [allow]) {
    if (typeof entry !== "string" || !/^\+[1-9]\d{0,14}$/.test(entry))
      throw new ConfigError(`${where} holds ${JSON.stringify(entry)}: write a calling code, such as "+44", or an E.164 number.`);
  }
}

/** Rules that allow the country of `ownNumber`, as far as its calling code tells. */
export function domesticRules(ownNumber: string): DialRules {
  return { allow: isE164(ownNumber) ? [callingCode(ownNumber)] : [] };
}

/** Why a number may not be dialled, as the end of a sentence; `undefined` when it may. */
export function dialRefusal(number: string, { allow }: DialRules): string | undefined {
  if (!isE164(number)) return 'it is no E.164 number, such as "+15550001234"';
  if (allow.includes(number)) return undefined;
  if (isPremium(number)) return "it is in a premium range";
  if (allow.some((entry) => entry.length <= MAX_BEGINNING_LENGTH && number.startsWith(entry))) return undefined;
  return `it is not among the allowed numbers (${allow.join(", ") || "none"})`;
}

function isPremium(number: string): boolean {
  return Object.entries(PREMIUM_RANGES).some(([code, endings]) =>
    endings.split(" ").some((ending) => number.startsWith(code + ending)),
  );
}
