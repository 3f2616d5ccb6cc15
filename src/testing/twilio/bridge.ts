import { onAbort, within } from "../../core/signals.js";
import type { CallServices } from "./call-services.js";
import type { CallRun } from "./call-run.js";
import { FRAME_MS, FrameTicker } from "./frame-ticker.js";
import type { Handset } from "./handset.js";
import { TwimlError, type DialVerb } from "./twiml.js";

/**
 * Calls whom a `<Dial>` names, lets both people talk until one of them leaves, and returns what its action is told. An abort ends
 * the dialled call; it returns then, too.
 */
export async function bridge(
  verb: DialVerb,
  call: CallRun,
  services: CallServices,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  const [dialled, ...others] = verb.to;
  if (dialled === undefined || others.length > 0) throw new TwimlError(12200, "TwilioEmulator dials one number at a time.");
  const { to, statusCallback, statusCallbackEvents: events } = dialled;
  const other = services.dial({
    direction: "outbound-dial",
    from: verb.callerId ?? call.setup.from,
    to,
    source: undefined,
    reports: statusCallback === undefined ? undefined : { to: statusCallback, events },
    ringTimeoutMs: verb.timeout * 1000,
    parentCallSid: call.sid,
  });
  using _end = onAbort(signal, () => other.end(other.status === "in-progress" ? "completed" : "canceled"));
  await other.decided;
  if (other.status === "in-progress") await talk(call, other, services, verb.timeLimit * 1000);
  await other.ended;
  const { durationMs } = other.times;
  return {
    DialCallSid: other.sid,
    DialCallStatus: other.status,
    DialBridged: String(durationMs !== undefined),
    ...(durationMs === undefined ? {} : { DialCallDuration: String(Math.ceil(durationMs / 1000)) }),
  };
}

/** Each hears what the other says, until the one who was called has left or the time is over. */
async function talk(call: CallRun, other: CallRun, services: CallServices, limitMs: number): Promise<void> {
  using _ticker = new FrameTicker(services.clock, (dueMs) => {
    pass(call.handset, other.handset, dueMs);
    pass(other.handset, call.handset, dueMs);
  });
  await within(services.clock, limitMs, other.ended);
  other.end("completed");
}

function pass(from: Handset, to: Handset, dueMs: number): void {
  const spoken = from.speak(dueMs - FRAME_MS);
  if (spoken !== undefined) to.heard.add(dueMs, spoken);
}
