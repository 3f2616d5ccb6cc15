import fc from "fast-check";
import twilio from "twilio";
import { expect, test } from "vitest";
import { twilioSignature } from "../src/testing/twilio/signature.js";

const TOKEN = "12345678901234567890123456789012";

test("Twilio's validator accepts the signature of a form", () => {
  const url = "https://example.com/voice?agent=a%20b";
  const form = new URLSearchParams({ To: "+15550100", From: "+15550101", CallSid: "CA1", Empty: "" });
  const signature = twilioSignature(TOKEN, url, form);
  expect(twilio.validateRequest(TOKEN, signature, url, Object.fromEntries(form))).toBe(true);
});

test("Twilio's validator accepts every form that the emulator signs, and refuses it with one field changed", () => {
  const forms = fc.dictionary(fc.string({ minLength: 1 }), fc.string(), { minKeys: 1 });
  fc.assert(
    fc.property(forms, (fields) => {
      const url = "https://example.com/voice";
      const signature = twilioSignature(TOKEN, url, new URLSearchParams(fields));
      const [name = ""] = Object.keys(fields);
      expect(twilio.validateRequest(TOKEN, signature, url, fields)).toBe(true);
      expect(twilio.validateRequest(TOKEN, signature, url, { ...fields, [name]: `${fields[name]}x` })).toBe(false);
    }),
  );
});

test("Twilio's validator accepts the signature of a media socket by its wss URL, and by no other", () => {
  const signature = twilioSignature(TOKEN, "wss://example.com/media/abc");
  expect(twilio.validateRequest(TOKEN, signature, "wss://example.com/media/abc", {})).toBe(true);
  expect(twilio.validateRequest(TOKEN, signature, "https://example.com/media/abc", {})).toBe(false);
  expect(twilio.validateRequest(TOKEN, signature, "wss://example.com/media/abd", {})).toBe(false);
  expect(twilio.validateRequest(`${TOKEN}x`, signature, "wss://example.com/media/abc", {})).toBe(false);
});
