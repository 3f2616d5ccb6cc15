import { createHash, createHmac, timingSafeEqual } from "node:crypto";

/** A request that claims to come from Twilio. */
export interface SignedRequest {
  /** The header `X-Twilio-Signature`. */
  readonly signature: string | null;
  /** The address as Twilio wrote it: public, with its query; `wss://` for a socket. */
  readonly url: string;
  /** The fields of a form body. */
  readonly form?: URLSearchParams;
  /** A body that is no form; Twilio then puts its hash into the query as `bodySHA256`. */
  readonly body?: string;
}

/** Says whether Twilio signed the request with this token. */
export function isSignedByTwilio(request: SignedRequest, authToken: string): boolean {
  const { signature, url, form, body } = request;
  if (signature === null || (body !== undefined && !hasBodyHash(url, body))) return false;
  const fields = form === undefined ? "" : sortedFields(form);
  const given = Buffer.from(signature);
  return portForms(url).some((form_) => {
    const expected = Buffer.from(
      createHmac("sha1", authToken)
        .update(form_ + fields)
        .digest("base64"),
    );
    return expected.length === given.length && timingSafeEqual(expected, given);
  });
}

/** Each name in code-unit order, followed by its values, each distinct one once and in order. */
function sortedFields(form: URLSearchParams): string {
  const names = [...new Set(form.keys())].sort();
  return names
    .map((name) =>
      [...new Set(form.getAll(name))]
        .sort()
        .map((value) => name + value)
        .join(""),
    )
    .join("");
}

function hasBodyHash(url: string, body: string): boolean {
  const query = url.includes("?") ? new URLSearchParams(url.slice(url.indexOf("?"))) : undefined;
  return query?.get("bodySHA256")?.toLowerCase() === createHash("sha256").update(body).digest("hex");
}

const DEFAULT_PORTS: Readonly<Record<string, string>> = { "https:": "443", "wss:": "443", "http:": "80", "ws:": "80" };

// Twilio has signed with and without the port over the years; proxies change which of the two we know.
function portForms(url: string): string[] {
  const parts = /^(\w+:)\/\/(\[[^\]]+\]|[^:/?]+)(?::(\d+))?(.*)$/s.exec(url);
  if (parts === null) return [url];
  const [, scheme = "", host = "", port = DEFAULT_PORTS[scheme] ?? "", rest = ""] = parts;
  return [`${scheme}//${host}${rest}`, `${scheme}//${host}:${port}${rest}`];
}
