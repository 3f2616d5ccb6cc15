/** Twilio's end of the calls: an emulator that places them, and what its people heard and when. */
import { setTimeout } from "node:timers/promises";
import { type TwilioCall, type TwilioCallEvent, TwilioEmulator } from "../../src/testing/index.js";
import { EffortMeter, serveParent } from "./child.js";
import { type Conversation, MODEL_MS, NUMBER, PUBLIC_URL, VOICE_MS, VOICE_PATH } from "./conversation.js";

/** Between the beginnings of two calls, in ms: no multiple of a frame, so that their frames do not fall together; nor do their turns. */
const BETWEEN_CALLS_MS = 61;
const AFTER_END_MS = 300;
/** A `clear` falls within this time before the silence that it makes, in ms: the frame that sounds is played to its end. */
const CLEARED_MS = 60;
/** A silence within a reply is shorter than this; between two replies the caller speaks, which takes longer. In ms. */
const LONGEST_GAP_MS = 600;
/** Timers of Node fire up to a millisecond early, and frames with them: what comes this much before its time still answers to it, in ms. */
const EARLY_MS = 5;
/** A reply or a `clear` that takes longer than this counts as missing, in ms. */
const PATIENCE_MS = 2000;

/** Opens the emulator's account. */
export interface Account {
  readonly accountSid: string;
  readonly authToken: string;
}

export type CallerTask =
  | { readonly do: "route"; readonly url: string }
  | { readonly do: "call"; readonly calls: number; readonly conversation: Conversation }
  | { readonly do: "hang up" | "begin" | "read" };

/** What one caller's line carried. */
export interface CallReading {
  /** From the caller's end of turn to the first audio, less the vendors' delays, in ms; one for each turn. */
  readonly overheadMs: readonly number[];
  readonly missingReplies: number;
  /** From the word that interrupts to `clear`, in ms. */
  readonly clears: readonly { readonly offsetMs: number; readonly ms: number }[];
  readonly missingClears: number;
  /** Silences within replies, in ms. */
  readonly gapsMs: readonly number[];
  readonly errors: readonly string[];
}

const twilio = await TwilioEmulator.start({ numbers: [{ phoneNumber: NUMBER, voiceUrl: PUBLIC_URL + VOICE_PATH }] });
const meter = new EffortMeter();
const account: Account = { accountSid: twilio.accountSid, authToken: twilio.authToken };
let talks: { readonly call: TwilioCall; readonly startMs: number; readonly conversation: Conversation }[] = [];

serveParent(account, (task: CallerTask) => {
  switch (task.do) {
    case "route":
      return twilio.route(PUBLIC_URL, task.url);
    case "call":
      return placeCalls(task.calls, task.conversation);
    case "hang up":
      return hangUp();
    case "begin":
      return meter.begin();
    case "read":
      return meter.read();
  }
});

/** Resolves, when every call has run to the end of its conversation, with the ms that they lasted together. */
async function placeCalls(count: number, conversation: Conversation): Promise<number> {
  const placing: Promise<void>[] = [];
  for (let index = 0; index < count; index++) {
    placing.push(placeCall(conversation));
    await setTimeout(BETWEEN_CALLS_MS);
  }
  await Promise.all(placing);
  const nowMs = performance.now();
  return talks.reduce((sum, { startMs }) => sum + nowMs - startMs, 0);
}

async function placeCall(conversation: Conversation): Promise<void> {
  const call = twilio.callIn();
  const { atMs: startMs } = await call.until(({ type }) => type === "stream_started");
  talks.push({ call, startMs, conversation });
  await setTimeout(conversation.endMs + AFTER_END_MS);
}

async function hangUp(): Promise<CallReading[]> {
  for (const { call } of talks) call.hangUp();
  await Promise.all(talks.map(({ call }) => call.ended));
  const readings = talks.map(({ call, startMs, conversation }) => read(call, startMs, conversation));
  talks = [];
  return readings;
}

function read(call: TwilioCall, startMs: number, { turnEndsMs, bargeIns }: Conversation): CallReading {
  const media = call.events.filter(({ type }) => type === "media");
  const clearing = call.events.filter(({ type }) => type === "clear");
  const replies = turnEndsMs.map((turnEndMs) => delayAfter(media, startMs + turnEndMs));
  const clears = bargeIns.map(({ offsetMs, atMs }) => ({ offsetMs, ms: delayAfter(clearing, startMs + atMs) }));
  const { segments } = call.heard;
  const silencesMs = segments.slice(1).flatMap(({ startMs: untilMs }, index) => {
    const fromMs = segments[index]?.endMs ?? 0;
    const isCleared = clearing.some(({ atMs }) => atMs > fromMs - CLEARED_MS && atMs < untilMs);
    return isCleared ? [] : [untilMs - fromMs];
  });
  return {
    overheadMs: replies.filter((ms) => ms !== undefined).map((ms) => ms - MODEL_MS - VOICE_MS),
    missingReplies: replies.filter((ms) => ms === undefined).length,
    clears: clears.flatMap(({ offsetMs, ms }) => (ms === undefined ? [] : [{ offsetMs, ms }])),
    missingClears: clears.filter(({ ms }) => ms === undefined).length,
    gapsMs: silencesMs.filter((ms) => ms < LONGEST_GAP_MS),
    errors: call.errors,
  };
}

/** How long after a time the first of these events came; `undefined`: too late, or never. */
function delayAfter(events: readonly TwilioCallEvent[], timeMs: number): number | undefined {
  const first = events.find(({ atMs }) => atMs >= timeMs - EARLY_MS);
  const delayMs = (first?.atMs ?? Number.POSITIVE_INFINITY) - timeMs;
  return delayMs > PATIENCE_MS ? undefined : delayMs;
}
