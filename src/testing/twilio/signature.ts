import { createHmac } from "node:crypto";

/**
 * The `X-Twilio-Signature` of a request: base64 of HMAC-SHA1 over the URL as Twilio requested it and, for a form, each field's
 * name and value by name. The upgrade of a media socket is signed with its `wss://` URL and without fields.
 */
export function twilioSignature(authToken: string, url: string, form: URLSearchParams = new URLSearchParams()): string {
  const names = [...new Set(form.keys())].sort();
  const fields = names.flatMap((name) => [...new Set(form.getAll(name))].sort().map((value) => name + value));
  return createHmac("sha1", authToken)
    .update(url + fields.join(""))
    .digest("base64");
}
