import { randomBytes } from "node:crypto";

/** A new identifier of Twilio's form: two letters that tell its kind, and 32 hexadecimal digits. */
export function newSid(kind: "AC" | "CA" | "MZ" | "PN" | "RE"): string {
  return kind + randomBytes(16).toString("hex");
}
