import fc from "fast-check";
import twilio from "twilio";
import { describe, expect, test } from "vitest";
import { isSignedByTwilio } from "../src/carriers/twilio/signature.js";
import { busyTwiml, connectTwiml, dialTwiml, hangUpTwiml } from "../src/carriers/twilio/twiml.js";

const TOKEN = "12345678901234567890123456789012";
const { getExpectedTwilioSignature, getExpectedBodyHash } = twilio;

describe("the carrier accepts what Twilio's own library signs", () => {
  test("for every form and query, and nothing with another token", () => {
    const forms = fc.dictionary(fc.string({ minLength: 1 }), fc.string());
    fc.assert(
      fc.property(forms, fc.webQueryParameters(), (fields, query) => {
        const url = `https://example.com/webhooks/twilio/voice?${query}`;
        const form = new URLSearchParams(fields);
        const signature = getExpectedTwilioSignature(TOKEN, url, Object.fromEntries(form));
        expect(isSignedByTwilio({ signature, url, form }, TOKEN)).toBe(true);
        expect(isSignedByTwilio({ signature, url, form }, `${TOKEN}1`)).toBe(false);
      }),
    );
  });

  test("for repeated fields", () => {
    const signature = getExpectedTwilioSignature(TOKEN, "https://example.com/", { Event: ["b", "a", "b"], Other: "" });
    const form = new URLSearchParams("Event=b&Event=a&Event=b&Other=");
    expect(isSignedByTwilio({ signature, url: "https://example.com/", form }, TOKEN)).toBe(true);
  });

  test("for a JSON body", () => {
    const body = '{"a":1}';
    const url = `https://example.com/?bodySHA256=${getExpectedBodyHash(body)}`;
    expect(isSignedByTwilio({ signature: getExpectedTwilioSignature(TOKEN, url, {}), url, body }, TOKEN)).toBe(true);
  });

  test("for a socket", () => {
    const url = "wss://example.com/ws/twilio/abc";
    expect(isSignedByTwilio({ signature: getExpectedTwilioSignature(TOKEN, url, {}), url }, TOKEN)).toBe(true);
  });
});

describe("the carrier's TwiML is what Twilio's own library writes", () => {
  const { VoiceResponse } = twilio.twiml;

  test("to connect a stream", () => {
    const response = new VoiceResponse();
    response.connect().stream({ url: "wss://example.com/ws?a=1&b=2" });
    response.redirect({ method: "POST" }, "https://example.com/next?a=1&b=2");
    const ours = connectTwiml({ streamUrl: "wss://example.com/ws?a=1&b=2", continueUrl: "https://example.com/next?a=1&b=2" });
    expect(ours).toBe(response.toString());
  });

  test("to turn a caller away, and to hang up", () => {
    const rejected = new VoiceResponse();
    rejected.reject({ reason: "busy" });
    expect(busyTwiml(undefined)).toBe(rejected.toString());
    const spoken = new VoiceResponse();
    spoken.say("Later < sooner & more");
    spoken.hangup();
    expect(busyTwiml("Later < sooner & more")).toBe(spoken.toString());
    const over = new VoiceResponse();
    over.hangup();
    expect(hangUpTwiml()).toBe(over.toString());
  });

  test("to dial", () => {
    const response = new VoiceResponse();
    response.dial({ timeout: 30, action: "https://example.com/dialled", method: "POST" }).number(
      {
        statusCallbackEvent: ["answered"],
        statusCallback: "https://example.com/answered",
        statusCallbackMethod: "POST",
      },
      "+15550100",
    );
    const ours = dialTwiml({
      number: "+15550100",
      timeoutS: 30,
      actionUrl: "https://example.com/dialled",
      answeredUrl: "https://example.com/answered",
    });
    expect(ours).toBe(response.toString());
  });
});
