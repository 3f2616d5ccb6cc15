import type { CallSetup, Detection } from "./call-services.js";
import { problem } from "./problems.js";
import type { RecordingOptions } from "./recording.js";
import type { RestResponse } from "./rest-response.js";
import type { Callback, TwimlSource } from "./twiml.js";

const ADDRESS = /^(\+[1-9]\d{6,14}|sip:\S+|client:\S+)$/;
/** The longest TwiML that a request may carry. */
const MAX_TWIML = 4000;

/** What a request to create a call asks for, or why it is refused. */
export function readCallRequest(form: URLSearchParams, ownNumbers: readonly string[]): CallSetup | RestResponse {
  const to = form.get("To") ?? "";
  const from = form.get("From") ?? "";
  if (to === "") return problem(400, 21201, "No 'To' number is specified");
  if (from === "") return problem(400, 21213, "No 'From' number is specified");
  if (!ADDRESS.test(to)) return problem(400, 21211, `The phone number you are attempting to call, ${to}, is not valid.`);
  if (!ADDRESS.test(from)) return problem(400, 21212, `The source phone number provided, ${from}, is not valid.`);
  if (from.startsWith("+") && !ownNumbers.includes(from))
    return problem(400, 21210, `The source phone number provided, ${from}, is not yet verified for your account.`);
  const source = readSource(form);
  if (source === undefined) return problem(400, 21205, "Url parameter is required.");
  if (!("type" in source)) return source;
  const timeout = Number(form.get("Timeout") ?? 60);
  if (!Number.isInteger(timeout) || timeout < 1 || timeout > 600)
    return problem(400, 20001, `Timeout is ${form.get("Timeout")}: it must be 1 to 600 seconds.`);
  const timeLimit = form.get("TimeLimit");
  const sendDigits = form.get("SendDigits") ?? undefined;
  return {
    direction: "outbound-api",
    from,
    to,
    source,
    fallback: readCallback(form, "FallbackUrl", "FallbackMethod"),
    reports: readReports(form),
    ringTimeoutMs: timeout * 1000,
    timeLimitMs: timeLimit === null ? undefined : Number(timeLimit) * 1000,
    // Twilio does not listen for a machine while it presses keys.
    detection: sendDigits === undefined ? readDetection(form) : undefined,
    sendDigits,
    recording: form.get("Record") === "true" ? readRecording(form, "OutboundAPI") : undefined,
  };
}

/** The instructions that a request names. */
export function readSource(form: URLSearchParams): TwimlSource | RestResponse | undefined {
  const twiml = form.get("Twiml");
  if (twiml !== null && twiml.length > MAX_TWIML)
    return problem(400, 20001, `Twiml has ${twiml.length} characters: the limit is ${MAX_TWIML}.`);
  if (twiml !== null) return { type: "twiml", twiml };
  const url = readCallback(form, "Url", "Method");
  if (url === undefined) return undefined;
  if (!/^https?:\/\//.test(url.url)) return problem(400, 21205, `Url is not a valid URL: ${url.url}`);
  return { type: "url", ...url };
}

/** What a recording that a request asks for is to be. */
export function readRecording(form: URLSearchParams, source: RecordingOptions["source"]): RecordingOptions {
  const track = form.get("RecordingTrack");
  return {
    channels: form.get("RecordingChannels") === "dual" ? 2 : 1,
    source,
    track: track === "inbound" || track === "outbound" ? track : "both",
    statusCallback: readCallback(form, "RecordingStatusCallback", "RecordingStatusCallbackMethod"),
    statusCallbackEvents: readEvents(form, "RecordingStatusCallbackEvent"),
  };
}

function readReports(form: URLSearchParams): CallSetup["reports"] {
  const to = readCallback(form, "StatusCallback", "StatusCallbackMethod");
  return to === undefined ? undefined : { to, events: readEvents(form, "StatusCallbackEvent") };
}

function readDetection(form: URLSearchParams): Detection | undefined {
  if (!form.has("MachineDetection")) return undefined;
  if (form.get("AsyncAmd") !== "true") return { mode: "sync" };
  return { mode: "async", report: readCallback(form, "AsyncAmdStatusCallback", "AsyncAmdStatusCallbackMethod") };
}

/** Events are repeated fields or words in one. */
function readEvents(form: URLSearchParams, name: string): string[] {
  const events = form.getAll(name).flatMap((value) => value.split(/[\s,]+/));
  return events.length === 0 ? ["completed"] : events;
}

function readCallback(form: URLSearchParams, urlName: string, methodName: string): Callback | undefined {
  const url = form.get(urlName);
  if (url === null || url === "") return undefined;
  return { url, method: form.get(methodName)?.toUpperCase() === "GET" ? "GET" : "POST" };
}
