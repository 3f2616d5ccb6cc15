/**
 * What the page and the server say to each other over one WebSocket, `/call?token=…`.
 *
 * Binary frames are audio, in both directions: raw samples of the format that `start` names, without a header.
 * Text frames are JSON, one message each:
 *
 * | from   | message                  | meaning                                                                 |
 * |--------|--------------------------|-------------------------------------------------------------------------|
 * | server | `start` callId format    | the socket is open; the page prepares microphone and speaker            |
 * | page   | `ready` parameters       | both run: the call is connected. Audio before it counts as bad          |
 * | server | `mark` name              | report when everything sent before has been played                      |
 * | page   | `mark` name              | it has been played, or was dropped by a `clear`                         |
 * | server | `clear`                  | drop what is not yet played                                             |
 * | page   | `dtmf` digit             | the caller pressed a key                                                |
 * | server | `dtmf` digits            | play these keys' tones                                                  |
 * | server | `event` event            | what happened in the call, for the transcript                           |
 * | both   | `hang_up`                | the sender ends the call; the server then closes the socket             |
 *
 * A frame that is none of these is ignored and counted; after `MAX_BAD_FRAMES` the server closes with 1008.
 */
import type { AudioFormat } from "../../core/audio-frame.js";
import type { CallEndReason, CallEvent, CallStage, ReplyEndReason } from "../../core/call-event.js";

/** Bad frames after which the server closes the socket. */
export const MAX_BAD_FRAMES = 50;
/** Audio in one frame, at most, in ms. Pages send 20. */
export const MAX_FRAME_MS = 1000;

const MAX_NAME_LENGTH = 100;
const MAX_PARAMETERS = 20;
const MAX_PARAMETER_LENGTH = 500;

/** A text frame from the server. */
export type ServerMessage =
  | { readonly type: "start"; readonly callId: string; readonly format: AudioFormat }
  | { readonly type: "mark"; readonly name: string }
  | { readonly type: "clear" }
  | { readonly type: "dtmf"; readonly digits: string }
  | { readonly type: "event"; readonly event: PageEvent }
  | { readonly type: "hang_up"; readonly reason?: CallEndReason };

/** A text frame from the page. */
export type PageMessage =
  | { readonly type: "ready"; readonly parameters: Readonly<Record<string, string>> }
  | { readonly type: "mark"; readonly name: string }
  | { readonly type: "dtmf"; readonly digit: string }
  | { readonly type: "hang_up" };

/** What `GET /info` answers: what the page shows before a call. */
export interface PageInfo {
  readonly title: string;
  /** What a caller may say. */
  readonly hint?: string;
  /** What the call runs on, as labels for people. */
  readonly models: { readonly stt?: string; readonly llm?: string; readonly tts?: string };
}

/** The part of a call event that a page may see: no tool arguments, no usage, no error texts. */
export type PageEvent = { readonly atMs: number } & (
  | { readonly type: "utterance_dismissed" }
  | { readonly type: "call_error"; readonly stage: CallStage; readonly fatal: boolean }
  | { readonly type: "speech_started" }
  | { readonly type: "transcript_partial"; readonly transcript: string }
  | { readonly type: "transcript_final"; readonly transcript: string }
  | { readonly type: "dtmf_received"; readonly digit: string }
  | { readonly type: "turn_committed"; readonly transcript: string; readonly speechEndedAtMs?: number }
  | { readonly type: "reply_started"; readonly reply: number }
  | { readonly type: "tool_started"; readonly reply: number; readonly name: string }
  | { readonly type: "tool_ended"; readonly reply: number; readonly name: string; readonly isError: boolean }
  | { readonly type: "sentence_ready"; readonly reply: number; readonly text: string }
  | { readonly type: "playout_started"; readonly reply: number }
  | { readonly type: "reply_paused"; readonly reply: number }
  | { readonly type: "reply_resumed"; readonly reply: number }
  | { readonly type: "reply_ended"; readonly reply: number; readonly reason: ReplyEndReason; readonly heard: string }
);

/** The page's part of an event; `undefined` for events that are none of its business. */
export function pageEvent(event: CallEvent): PageEvent | undefined {
  const { atMs } = event;
  switch (event.type) {
    case "call_error":
      return { atMs, type: event.type, stage: event.stage, fatal: event.fatal };
    case "speech_started":
    case "utterance_dismissed":
      return { atMs, type: event.type };
    case "transcript_partial":
    case "transcript_final":
      return { atMs, type: event.type, transcript: event.transcript };
    case "dtmf_received":
      return { atMs, type: event.type, digit: event.digit };
    case "turn_committed": {
      const { type, transcript, speechEndedAtMs } = event;
      return { atMs, type, transcript, ...(speechEndedAtMs === undefined ? {} : { speechEndedAtMs }) };
    }
    case "reply_started":
    case "playout_started":
    case "reply_paused":
    case "reply_resumed":
      return { atMs, type: event.type, reply: event.reply };
    case "tool_started":
      return { atMs, type: event.type, reply: event.reply, name: event.name };
    case "tool_ended":
      return { atMs, type: event.type, reply: event.reply, name: event.name, isError: event.isError };
    case "sentence_ready":
      return { atMs, type: event.type, reply: event.reply, text: event.text };
    case "reply_ended":
      return { atMs, type: event.type, reply: event.reply, reason: event.reason, heard: event.heard };
    default:
      return undefined;
  }
}

/**
 * The parameters that a `ready` carries: the first 20 that are text, with names of up to 100 characters and values of
 * up to 500. The others are left out whole, because half a value is another value.
 */
export function fittingParameters(parameters: unknown): Record<string, string> {
  if (typeof parameters !== "object" || parameters === null) return {};
  const fits = (entry: [string, unknown]): entry is [string, string] =>
    entry[0].length <= MAX_NAME_LENGTH && typeof entry[1] === "string" && entry[1].length <= MAX_PARAMETER_LENGTH;
  return Object.fromEntries(Object.entries(parameters).filter(fits).slice(0, MAX_PARAMETERS));
}

/** Reads a text frame from the page; `undefined` when it is no message. */
export function parsePageMessage(text: string): PageMessage | undefined {
  const message = parseObject(text);
  switch (message?.["type"]) {
    case "ready":
      return { type: "ready", parameters: fittingParameters(message["parameters"]) };
    case "mark": {
      const name = message["name"];
      return typeof name === "string" && name.length <= MAX_NAME_LENGTH ? { type: "mark", name } : undefined;
    }
    case "dtmf": {
      const digit = message["digit"];
      return typeof digit === "string" && /^[0-9*#A-D]$/.test(digit) ? { type: "dtmf", digit } : undefined;
    }
    case "hang_up":
      return { type: "hang_up" };
    default:
      return undefined;
  }
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    // No JSON: the caller counts it as a bad frame.
    return undefined;
  }
}
