/** A message from the program under test, read. */
export type StreamMessage =
  | { readonly event: "media"; readonly audio: Uint8Array }
  | { readonly event: "mark"; readonly name: string }
  | { readonly event: "clear" }
  /** Twilio would not know it: the code of its warning, and why. */
  | { readonly event: "invalid"; readonly code: 31950 | 31951; readonly reason: string };

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads a message to a bidirectional Media Stream. Binary messages are 31950; 31951 is what is no JSON, of an unknown type, of
 * another stream, or has a field too few or too many.
 */
export function readStreamMessage(text: string | Uint8Array, streamSid: string): StreamMessage {
  if (typeof text !== "string")
    return { event: "invalid", code: 31950, reason: "A binary message came; Media Streams has text messages only." };
  const message = parseObject(text);
  if (message === undefined) return invalid(`This is no JSON object: ${text.slice(0, 80)}`);
  const { event, streamSid: sid, ...rest } = message;
  if (event !== "media" && event !== "mark" && event !== "clear")
    return invalid(`There is no message of the event "${String(event)}" to Twilio.`);
  if (sid !== streamSid) return invalid(`The streamSid ${String(sid)} is not this stream's, ${streamSid}.`);
  if (event === "clear") return onlyHas(rest, []) ?? { event };
  const inner = isObject(rest[event]) ? rest[event] : {};
  if (event === "mark") return onlyHas(rest, ["mark"]) ?? onlyHas(inner, ["name"]) ?? readMark(inner["name"]);
  return onlyHas(rest, ["media"]) ?? onlyHas(inner, ["payload"]) ?? readMedia(inner["payload"]);
}

function readMark(name: unknown): StreamMessage {
  return typeof name === "string" ? { event: "mark", name } : invalid("mark.name is missing.");
}

function readMedia(payload: unknown): StreamMessage {
  if (typeof payload !== "string" || !/^[A-Za-z0-9+/]+={0,2}$/.test(payload)) return invalid("media.payload is no base64.");
  return { event: "media", audio: Buffer.from(payload, "base64") };
}

function onlyHas(object: Fields, names: readonly string[]): StreamMessage | undefined {
  const extra = Object.keys(object).find((name) => !names.includes(name));
  return extra === undefined ? undefined : invalid(`There is no field "${extra}" in such a message.`);
}

function invalid(reason: string): StreamMessage {
  return { event: "invalid", code: 31951, reason };
}

function parseObject(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    // What is no JSON is reported as a warning of the stream.
    return undefined;
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
