/**
 * The messages of Twilio Media Streams, JSON text in both directions; numbers in them are strings.
 *
 * | from   | event       | meaning                                                                       |
 * |--------|-------------|-------------------------------------------------------------------------------|
 * | Twilio | `connected` | the socket is open                                                            |
 * | Twilio | `start`     | streamSid, callSid and format of the stream; audio follows                    |
 * | Twilio | `media`     | 20 ms of the caller's audio: mu-law, 8 kHz, base64                            |
 * | Twilio | `dtmf`      | the caller pressed a key                                                      |
 * | Twilio | `mark`      | everything sent before the mark has been played, or was dropped by a `clear`  |
 * | Twilio | `stop`      | the stream has ended: the call is over, or was told to go on elsewhere        |
 * | us     | `media`     | audio to play behind what was sent before                                     |
 * | us     | `mark`      | report when everything sent before has been played                            |
 * | us     | `clear`     | drop what is not yet played; its marks come back                              |
 */
import { MULAW_8K } from "../../core/audio-frame.js";
import { isRecord, parseJson } from "../../core/json.js";

/** A message from Twilio. */
export type StreamMessage =
  | { readonly type: "connected" }
  | { readonly type: "start"; readonly streamSid: string; readonly callSid: string; readonly isPhoneAudio: boolean }
  | { readonly type: "media"; readonly bytes: Uint8Array }
  | { readonly type: "dtmf"; readonly digit: string }
  | { readonly type: "mark"; readonly name: string }
  | { readonly type: "stop" };

const MEDIA_START = '{"event":"media"';
const PAYLOAD_START = '"payload":"';

/** Reads a message; `undefined` when it is none. */
export function parseStreamMessage(text: string): StreamMessage | undefined {
  return quickMedia(text) ?? parseWhole(text);
}

/** A media message as Twilio writes it, of which nothing but the payload is looked at: there are 50 a second. */
function quickMedia(text: string): StreamMessage | undefined {
  if (!text.startsWith(MEDIA_START)) return undefined;
  const track = text.indexOf('"track":"inbound"');
  const start = text.indexOf(PAYLOAD_START) + PAYLOAD_START.length;
  const end = text.indexOf('"', start);
  if (track < 0 || start < PAYLOAD_START.length || end < 0) return undefined;
  const payload = text.slice(start, end);
  return payload.includes("\\") ? undefined : media(payload);
}

function parseWhole(text: string): StreamMessage | undefined {
  const message = parseJson(text);
  if (!isRecord(message)) return undefined;
  switch (message["event"]) {
    case "connected":
    case "stop":
      return { type: message["event"] };
    case "start":
      return startMessage(partOf(message, "start"), message["streamSid"]);
    case "media": {
      const { track, payload } = partOf(message, "media");
      return typeof payload === "string" && (track === undefined || track === "inbound") ? media(payload) : undefined;
    }
    case "dtmf": {
      const digit = partOf(message, "dtmf")["digit"];
      return typeof digit === "string" && /^[0-9*#A-D]$/.test(digit) ? { type: "dtmf", digit } : undefined;
    }
    case "mark": {
      const name = partOf(message, "mark")["name"];
      return typeof name === "string" ? { type: "mark", name } : undefined;
    }
    default:
      return undefined;
  }
}

type Part = Readonly<Record<string, unknown>>;

function startMessage(start: Part, outerSid: unknown): StreamMessage | undefined {
  const streamSid = start["streamSid"] ?? outerSid;
  const callSid = start["callSid"];
  // It is written into every message that we send.
  if (typeof streamSid !== "string" || !/^\w{1,64}$/.test(streamSid) || typeof callSid !== "string") return undefined;
  const { encoding, sampleRate, channels } = partOf(start, "mediaFormat");
  const isPhoneAudio = encoding === "audio/x-mulaw" && Number(sampleRate) === MULAW_8K.sampleRate && Number(channels) === 1;
  return { type: "start", streamSid, callSid, isPhoneAudio };
}

function partOf(message: Part, name: string): Part {
  const part = message[name];
  return isRecord(part) ? part : {};
}

function media(payload: string): StreamMessage | undefined {
  const bytes = Buffer.from(payload, "base64");
  return bytes.length === 0 ? undefined : { type: "media", bytes };
}

/** Writes messages for one stream. */
export class StreamWriter {
  readonly #mediaStart: string;
  readonly #streamSid: string;

  constructor(streamSid: string) {
    this.#streamSid = streamSid;
    this.#mediaStart = `{"event":"media","streamSid":"${streamSid}","media":{"payload":"`;
  }

  media(bytes: Uint8Array): string {
    const payload = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
    return `${this.#mediaStart}${payload}"}}`;
  }

  mark(name: string): string {
    return JSON.stringify({ event: "mark", streamSid: this.#streamSid, mark: { name } });
  }

  clear(): string {
    return JSON.stringify({ event: "clear", streamSid: this.#streamSid });
  }
}
