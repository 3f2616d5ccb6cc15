import type { CallRun } from "./call-run.js";
import type { CallServices, TwilioCallee } from "./call-services.js";
import { keysMs } from "./verbs.js";

/** How long a call rings that says nothing of it, in ms. */
const RING_TIMEOUT_MS = 60_000;

/** Calls someone until they answer. Ends the call when they do not, and throws the signal's reason. */
export async function ring(run: CallRun, services: CallServices, signal: AbortSignal): Promise<void> {
  const { clock } = services;
  const { direction, ringTimeoutMs = RING_TIMEOUT_MS, sendDigits } = run.setup;
  if (direction === "outbound-api") await services.placing(signal);
  run.enter("initiated");
  const callee = services.calleeOf(run);
  const { outcome = "answer", ringMs = 0, greeting } = callee;
  if (callee.sipResponseCode !== undefined) run.sipResponseCodes.failed = callee.sipResponseCode;
  if (outcome === "failed") return run.giveUp("failed");
  run.enter("ringing");
  const isInTime = outcome !== "no_answer" && ringMs < ringTimeoutMs;
  await clock.sleep(isInTime ? ringMs : ringTimeoutMs, signal);
  if (!isInTime) return run.giveUp("no-answer");
  if (outcome === "busy") return run.giveUp("busy");
  run.answer();
  if (greeting !== undefined) void run.handset.say(greeting);
  if (sendDigits !== undefined) {
    run.log.add({ type: "verb", verb: "SendDigits", detail: sendDigits });
    await clock.sleep(keysMs(sendDigits), signal);
  }
  await detect(run, services, callee, signal);
}

/** Finds out whether a person answered. */
async function detect(
  run: CallRun,
  { clock }: CallServices,
  { answeredBy = "human", detectionMs = 1000 }: TwilioCallee,
  signal: AbortSignal,
): Promise<void> {
  const { detection } = run.setup;
  if (detection === undefined) return;
  if (detection.mode === "sync") {
    await clock.sleep(detectionMs, signal);
    run.answeredBy = answeredBy;
    return;
  }
  run.later(detectionMs, () => {
    run.answeredBy = answeredBy;
    const { report } = detection;
    if (report === undefined) return;
    const { CallSid = "", AccountSid = "" } = run.form();
    const form = { CallSid, AccountSid, AnsweredBy: answeredBy, MachineDetectionDuration: String(detectionMs) };
    run.tell("amd", report, form);
  });
}
