import { createHash, createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isSignedByTwilio } from "./signature.js";

const TOKEN = "12345";
const FORM = { CallSid: "CA1234567890ABCDE", Caller: "+14158675309", Digits: "1234", From: "+14158675309", To: "+18005551212" };
const URL_OF_FORM = "https://mycompany.com/myapp.php?foo=1&bar=2";

function sign(text: string): string {
  return createHmac("sha1", TOKEN).update(text).digest("base64");
}

describe("a signature", () => {
  it("is right for the request that Twilio documents, and for no other", () => {
    const signature = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
    const form = new URLSearchParams(FORM);
    expect(isSignedByTwilio({ signature, url: URL_OF_FORM, form }, TOKEN)).toBe(true);
    expect(isSignedByTwilio({ signature, url: URL_OF_FORM, form }, "12346")).toBe(false);
    expect(isSignedByTwilio({ signature, url: `${URL_OF_FORM}1`, form }, TOKEN)).toBe(false);
    expect(isSignedByTwilio({ signature, url: URL_OF_FORM, form: new URLSearchParams({ ...FORM, Digits: "1235" }) }, TOKEN)).toBe(
      false,
    );
    expect(isSignedByTwilio({ signature: null, url: URL_OF_FORM, form }, TOKEN)).toBe(false);
    expect(isSignedByTwilio({ signature: "", url: URL_OF_FORM, form }, TOKEN)).toBe(false);
  });

  it("of a socket covers its wss address alone", () => {
    const url = "wss://example.com/ws/twilio/abc";
    expect(isSignedByTwilio({ signature: sign(url), url }, TOKEN)).toBe(true);
    expect(isSignedByTwilio({ signature: sign(url.replace("wss", "https")), url }, TOKEN)).toBe(false);
  });

  it.each([
    ["https://example.com:443/a?b=c", "https://example.com/a?b=c"],
    ["https://example.com/a", "https://example.com:443/a"],
    ["wss://example.com:443/a", "wss://example.com/a"],
    ["http://127.0.0.1/a", "http://127.0.0.1:80/a"],
    ["https://example.com:8443/a", "https://example.com/a"],
    ["https://[::1]:8443/a", "https://[::1]/a"],
  ])("may name the port or not: %s for %s", (url, signed) => {
    expect(isSignedByTwilio({ signature: sign(signed), url }, TOKEN)).toBe(true);
  });

  it("does not take one port for another", () => {
    expect(isSignedByTwilio({ signature: sign("https://example.com:8443/a"), url: "https://example.com/a" }, TOKEN)).toBe(false);
  });

  it("covers each distinct value of a repeated field, in order, and empty ones", () => {
    const form = new URLSearchParams("b=2&b=1&b=2&a=&B=3");
    expect(isSignedByTwilio({ signature: sign("https://e.com/B3ab1b2"), url: "https://e.com/", form }, TOKEN)).toBe(true);
  });

  it("of a JSON body covers its hash in the query", () => {
    const body = '{"event":"x"}';
    const url = `https://e.com/?bodySHA256=${createHash("sha256").update(body).digest("hex")}`;
    expect(isSignedByTwilio({ signature: sign(url), url, body }, TOKEN)).toBe(true);
    expect(isSignedByTwilio({ signature: sign(url), url, body: `${body} ` }, TOKEN)).toBe(false);
    expect(isSignedByTwilio({ signature: sign("https://e.com/"), url: "https://e.com/", body }, TOKEN)).toBe(false);
  });

  it("never passes with anything changed", () => {
    const fields = fc.dictionary(fc.string({ minLength: 1 }), fc.string(), { minKeys: 1 });
    fc.assert(
      fc.property(fields, fc.string(), (values, added) => {
        const form = new URLSearchParams(values);
        const url = "https://example.com/voice";
        const signature = sign(
          url +
            [...new Set(form.keys())]
              .sort()
              .map((name) => name + form.get(name))
              .join(""),
        );
        expect(isSignedByTwilio({ signature, url, form }, TOKEN)).toBe(true);
        const changed = new URLSearchParams(form);
        changed.append("Added", `x${added}`);
        expect(isSignedByTwilio({ signature, url, form: changed }, TOKEN)).toBe(false);
      }),
    );
  });
});
