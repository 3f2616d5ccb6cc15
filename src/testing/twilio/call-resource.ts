import type { CallRun } from "./call-run.js";
import type { CallRecording } from "./recording.js";
import { twilioDate } from "./status-reports.js";

/** A call as the REST API shows it. Prices come later than the call, from Twilio too: they are null. */
export function callResource(call: CallRun, accountSid: string): object {
  const { setup, sid, status, times } = call;
  const { from, to } = setup;
  const uri = `/2010-04-01/Accounts/${accountSid}/Calls/${sid}`;
  const { createdEpochMs, startEpochMs, durationMs } = times;
  const isOver = startEpochMs !== undefined && durationMs !== undefined;
  return {
    sid,
    account_sid: accountSid,
    parent_call_sid: setup.parentCallSid ?? null,
    phone_number_sid: setup.phoneNumberSid ?? null,
    to,
    to_formatted: to,
    from,
    from_formatted: from,
    // A call that is being passed on to the network still counts as queued.
    status: status === "initiated" ? "queued" : status,
    start_time: startEpochMs === undefined ? null : twilioDate(startEpochMs),
    end_time: isOver ? twilioDate(startEpochMs + durationMs) : null,
    duration: durationMs === undefined ? null : String(Math.ceil(durationMs / 1000)),
    direction: setup.direction,
    answered_by: call.answeredBy ?? null,
    price: null,
    price_unit: "USD",
    api_version: "2010-04-01",
    annotation: null,
    forwarded_from: null,
    group_sid: null,
    caller_name: null,
    queue_time: "0",
    trunk_sid: null,
    date_created: twilioDate(createdEpochMs),
    date_updated: twilioDate(createdEpochMs),
    uri: `${uri}.json`,
    subresource_uris: { recordings: `${uri}/Recordings.json` },
  };
}

/** A recording as the REST API shows it. */
export function recordingResource(recording: CallRecording, call: CallRun, accountSid: string): object {
  const { options, status, sid } = recording;
  return {
    sid,
    account_sid: accountSid,
    call_sid: call.sid,
    conference_sid: null,
    api_version: "2010-04-01",
    status,
    channels: options.channels,
    source: options.source,
    track: options.track,
    duration: status === "completed" ? String(Math.round(recording.durationMs / 1000)) : null,
    start_time: twilioDate(call.times.createdEpochMs),
    date_created: twilioDate(call.times.createdEpochMs),
    date_updated: twilioDate(call.times.createdEpochMs),
    price: null,
    price_unit: "USD",
    error_code: null,
    encryption_details: null,
    uri: `/2010-04-01/Accounts/${accountSid}/Recordings/${sid}.json`,
  };
}
