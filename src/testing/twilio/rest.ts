import { callResource, recordingResource } from "./call-resource.js";
import type { CallSetup } from "./call-services.js";
import type { CallRun } from "./call-run.js";
import { readCallRequest, readRecording, readSource } from "./create-call.js";
import type { PhoneNumber } from "./phone-numbers.js";
import { notFound, problem } from "./problems.js";
import type { CallRecording } from "./recording.js";
import type { RestRequest, RestResponse } from "./rest-response.js";

/** What the REST API acts on. */
export interface RestAccount {
  readonly accountSid: string;
  readonly numbers: readonly PhoneNumber[];
  readonly calls: readonly CallRun[];
  /** Whether these are a user and password of the account. */
  isCredential(user: string, password: string): boolean;
  place(setup: CallSetup): CallRun;
  epochMs(): number;
}

interface Handling {
  readonly account: RestAccount;
  readonly path: string;
  readonly form: URLSearchParams;
  readonly query: URLSearchParams;
}

type Handler = (handling: Handling, ...ids: string[]) => RestResponse;

/** Every route below `/2010-04-01/Accounts/{Sid}`. */
const ROUTES: readonly (readonly [method: string, path: RegExp, handler: Handler])[] = [
  ["GET", /^\.json$/, showAccount],
  ["GET", /^\/Calls\.json$/, listCalls],
  ["POST", /^\/Calls\.json$/, createCall],
  ["GET", /^\/Calls\/(\w+)\.json$/, withCall(({ account }, call) => shown(callResource(call, account.accountSid)))],
  ["POST", /^\/Calls\/(\w+)\.json$/, withCall(updateCall)],
  ["GET", /^\/Calls\/(\w+)\/Recordings\.json$/, withCall((handling, call) => recordingList(handling, [call]))],
  ["POST", /^\/Calls\/(\w+)\/Recordings\.json$/, withCall(startRecording)],
  ["POST", /^\/Calls\/(\w+)\/Recordings\/([\w.]+)\.json$/, withCall(updateRecording)],
  ["GET", /^\/Recordings\.json$/, (handling) => recordingList(handling, handling.account.calls)],
  [
    "GET",
    /^\/Recordings\/(RE\w+)(?:\.json)$/,
    withRecording(({ account }, recording, call) => shown(recordingResource(recording, call, account.accountSid))),
  ],
  [
    "GET",
    /^\/Recordings\/(RE\w+)(?:\.wav)?$/,
    withRecording((_handling, recording) => ({ status: 200, headers: { "content-type": "audio/x-wav" }, body: recording.wav() })),
  ],
  ["GET", /^\/IncomingPhoneNumbers\.json$/, listNumbers],
  [
    "GET",
    /^\/IncomingPhoneNumbers\/(\w+)\.json$/,
    withNumber(({ account }, number) => shown(number.resource(account.accountSid, account.epochMs()))),
  ],
  ["POST", /^\/IncomingPhoneNumbers\/(\w+)\.json$/, withNumber(updateNumber)],
];

/** Twilio's REST API for calls, numbers and recordings. */
export function handleRest(request: RestRequest, account: RestAccount): RestResponse {
  const { pathname, searchParams } = new URL(request.path, "http://localhost");
  const [, accountSid, rest] = /^\/2010-04-01\/Accounts\/(\w+)(.*)$/.exec(pathname) ?? [];
  if (accountSid === undefined || rest === undefined) return notFound(pathname);
  if (!isAuthenticated(request, account) || accountSid !== account.accountSid) return problem(401, 20003, "Authenticate");
  const handling: Handling = { account, path: pathname, form: new URLSearchParams(request.body), query: searchParams };
  const onPath = ROUTES.filter(([, path]) => path.test(rest));
  if (onPath.length === 0) return notFound(pathname);
  const route = onPath.find(([method]) => method === request.method);
  if (route === undefined) return problem(405, 20004, "Method not allowed");
  const [, path, handler] = route;
  return handler(handling, ...(path.exec(rest) ?? []).slice(1));
}

function isAuthenticated({ headers }: RestRequest, account: RestAccount): boolean {
  const [, encoded] = /^Basic (\S+)$/i.exec(headers["authorization"] ?? "") ?? [];
  if (encoded === undefined) return false;
  const [, user, password] = /^([^:]*):(.*)$/.exec(Buffer.from(encoded, "base64").toString("utf8")) ?? [];
  return user !== undefined && password !== undefined && account.isCredential(user, password);
}

function shown(body: object, status = 200): RestResponse {
  return { status, body };
}

function list(name: string, items: readonly object[], path: string): RestResponse {
  return shown({
    [name]: items,
    page: 0,
    page_size: 50,
    start: 0,
    end: Math.max(0, items.length - 1),
    uri: path,
    first_page_uri: `${path}?Page=0`,
    next_page_uri: null,
    previous_page_uri: null,
  });
}

function showAccount({ account }: Handling): RestResponse {
  const { accountSid } = account;
  return shown({ sid: accountSid, friendly_name: "Emulator", status: "active", type: "Full", owner_account_sid: accountSid });
}

function listCalls({ account, path, query }: Handling): RestResponse {
  const isWanted = (call: CallRun): boolean =>
    (["To", "From", "Status"] as const).every((name) => {
      const wanted = query.get(name);
      return wanted === null || wanted === { To: call.setup.to, From: call.setup.from, Status: call.status }[name];
    });
  return list(
    "calls",
    account.calls.filter(isWanted).map((call) => callResource(call, account.accountSid)),
    path,
  );
}

function createCall({ account, form }: Handling): RestResponse {
  const setup = readCallRequest(
    form,
    account.numbers.map(({ phoneNumber }) => phoneNumber),
  );
  if (!("direction" in setup)) return setup;
  return shown(callResource(account.place(setup), account.accountSid), 201);
}

function updateCall({ account, form }: Handling, call: CallRun): RestResponse {
  const source = readSource(form);
  if (source !== undefined && !("type" in source)) return source;
  const status = form.get("Status");
  if (status !== null && status !== "completed" && status !== "canceled")
    return problem(400, 21218, `Invalid status: ${status}. It must be completed or canceled.`);
  const isTalking = call.status === "in-progress";
  if ((source !== undefined && !isTalking) || (status === "canceled" && isTalking))
    return problem(400, 21220, "Call is not in-progress. Cannot redirect.");
  if (source !== undefined) call.redirect(source);
  if (status !== null) call.end(isTalking ? "completed" : "canceled");
  return shown(callResource(call, account.accountSid));
}

function startRecording({ account, form }: Handling, call: CallRun): RestResponse {
  if (call.status !== "in-progress") return problem(400, 21220, "Requested resource is not eligible for recording");
  const recording = call.record(readRecording(form, "StartCallRecordingAPI"));
  return shown(recordingResource(recording, call, account.accountSid), 201);
}

function updateRecording({ account, path, form }: Handling, call: CallRun, sid = ""): RestResponse {
  const recording = call.recordings.find((each) => (sid === "Twilio.CURRENT" ? each.status !== "completed" : each.sid === sid));
  if (recording === undefined) return notFound(path);
  const status = form.get("Status");
  if (status === "paused") recording.pause();
  else if (status === "in-progress") recording.resume();
  else if (status === "stopped") call.stopRecording(recording);
  else return problem(400, 20001, `Invalid status: ${status}. It must be paused, in-progress or stopped.`);
  return shown(recordingResource(recording, call, account.accountSid));
}

function recordingList({ account, path }: Handling, calls: readonly CallRun[]): RestResponse {
  const resources = calls.flatMap((call) =>
    call.recordings.map((recording) => recordingResource(recording, call, account.accountSid)),
  );
  return list("recordings", resources, path);
}

function listNumbers({ account, path, query }: Handling): RestResponse {
  const wanted = query.get("PhoneNumber");
  const numbers = account.numbers.filter(({ phoneNumber }) => wanted === null || phoneNumber === wanted);
  return list(
    "incoming_phone_numbers",
    numbers.map((number) => number.resource(account.accountSid, account.epochMs())),
    path,
  );
}

function updateNumber({ account, form }: Handling, number: PhoneNumber): RestResponse {
  const url = form.get("VoiceUrl");
  if (url !== null && url !== "" && !/^https?:\/\//.test(url)) return problem(400, 21402, `VoiceUrl is not valid: ${url}`);
  number.update(form);
  return shown(number.resource(account.accountSid, account.epochMs()));
}

function withCall(handler: (handling: Handling, call: CallRun, ...ids: string[]) => RestResponse): Handler {
  return (handling, sid, ...ids) => {
    const call = handling.account.calls.find((each) => each.sid === sid);
    return call === undefined ? notFound(handling.path) : handler(handling, call, ...ids);
  };
}

function withRecording(handler: (handling: Handling, recording: CallRecording, call: CallRun) => RestResponse): Handler {
  return (handling, sid) => {
    for (const call of handling.account.calls) {
      const recording = call.recordings.find((each) => each.sid === sid);
      if (recording !== undefined) return handler(handling, recording, call);
    }
    return notFound(handling.path);
  };
}

function withNumber(handler: (handling: Handling, number: PhoneNumber) => RestResponse): Handler {
  return (handling, sid) => {
    const number = handling.account.numbers.find((each) => each.sid === sid);
    return number === undefined ? notFound(handling.path) : handler(handling, number);
  };
}
