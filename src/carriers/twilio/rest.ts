import type { Clock } from "../../core/clock.js";
import { CarrierError, PatterError, ProviderTimeoutError } from "../../core/errors.js";
import { isRecord, parseJson } from "../../core/json.js";
import { HttpClient, type HttpResponse } from "../../provider-kit/http.js";
import { readText } from "../../provider-kit/http-errors.js";
import { maskNumbers } from "../telephone/numbers.js";

/** How long an answer may take, in ms. */
const ANSWER_MS = 4000;
/** How often a request is sent that Twilio limits, or that can be repeated without harm. */
const ATTEMPTS = 3;
/** The wait before the second attempt, in ms, where Twilio names none; it doubles from there. */
const RETRY_MS = 500;
const MAX_RETRY_MS = 5000;
const MAX_BODY_BYTES = 262_144;

/** The call is over, or never was in a state to be changed. */
const CALL_OVER_CODES = new Set([20404, 21220]);

export interface TwilioRestOptions {
  readonly accountSid: string;
  readonly authToken: string;
  /** Without a trailing slash. */
  readonly baseUrl: string;
  readonly clock: Clock;
  readonly fetch?: typeof fetch | undefined;
}

/** Where Twilio sends a number's calls, and reports their ends. */
interface NumberUrls {
  readonly voiceUrl: string;
  readonly statusUrl: string;
}

interface Ask {
  readonly method: "GET" | "POST";
  /** Behind the account, such as `Calls/CA1.json`. */
  readonly path: string;
  readonly fields?: URLSearchParams;
  /** What is wanted, for an error's words: `end the call`. */
  readonly purpose: string;
  /** Whether it may be sent again when it is not known to have been done. */
  readonly isRepeatable: boolean;
  readonly signal?: AbortSignal;
}

/** An answer that is no success. */
export class TwilioRefusal extends CarrierError {
  readonly status: number;
  readonly twilioCode: number | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(purpose: string, response: HttpResponse, body: unknown) {
    const { status } = response;
    const { code, message } = isRecord(body) ? body : {};
    const said = typeof message === "string" ? `${String(code)}: ${maskNumbers(message.slice(0, 300))}` : "no reason given";
    super(`Twilio did not ${purpose} (${status}, ${said}). ${advice(status)}`, { retryable: status === 429 || status >= 500 });
    this.status = status;
    this.twilioCode = typeof code === "number" ? code : undefined;
    const seconds = Number(response.header("retry-after"));
    this.retryAfterMs = seconds > 0 ? seconds * 1000 : undefined;
  }
}

function advice(status: number): string {
  if (status === 401 || status === 403) return "Check accountSid and authToken, and what the account may do.";
  if (status === 429) return "Send fewer requests, or ask Twilio for a higher limit.";
  return status >= 500 ? "Try again later." : "Change the request.";
}

/** The parts of Twilio's REST API that calls need. Everything that fails is a `CarrierError`. */
export class TwilioRest implements AsyncDisposable {
  readonly #options: TwilioRestOptions;
  readonly #http: HttpClient;
  readonly #authorization: string;

  constructor(options: TwilioRestOptions) {
    this.#options = options;
    this.#http = new HttpClient({ provider: "twilio", className: "Twilio" }, { fetch: options.fetch });
    this.#authorization = `Basic ${Buffer.from(`${options.accountSid}:${options.authToken}`).toString("base64")}`;
  }

  /** Points a number of the account at these addresses. @throws CarrierError when it is not the account's, or leads elsewhere. */
  async pointNumber(phoneNumber: string, urls: NumberUrls, signal: AbortSignal): Promise<void> {
    const number = await this.#findNumber(phoneNumber, signal);
    const { voiceUrl, statusUrl } = urls;
    const fields = new URLSearchParams({
      VoiceUrl: voiceUrl,
      VoiceMethod: "POST",
      StatusCallback: statusUrl,
      StatusCallbackMethod: "POST",
    });
    // Twilio follows an application's addresses where there is one, and not the number's.
    if ((textOf(number, "voice_application_sid") ?? "") !== "") fields.set("VoiceApplicationSid", "");
    await this.#ask({
      method: "POST",
      path: `IncomingPhoneNumbers/${encodeURIComponent(textOf(number, "sid") ?? "")}.json`,
      fields,
      purpose: "point the number at this server",
      isRepeatable: true,
      signal,
    });
  }

  /** Ends a call. One that is over already is as good. */
  async endCall(callSid: string): Promise<void> {
    const fields = new URLSearchParams({ Status: "completed" });
    try {
      await this.#ask({ method: "POST", path: callPath(callSid), fields, purpose: "end the call", isRepeatable: true });
    } catch (error) {
      if (!(error instanceof TwilioRefusal) || !CALL_OVER_CODES.has(error.twilioCode ?? error.status)) throw error;
    }
  }

  /** Places a call, which Twilio queues where too many are placed at once, and returns its sid. */
  async placeCall(call: {
    readonly to: string;
    readonly from: string;
    readonly ringTimeoutS?: number | undefined;
    readonly answerUrl: string;
    readonly statusUrl: string;
  }): Promise<string> {
    const fields = new URLSearchParams({ To: call.to, From: call.from, Url: call.answerUrl, Method: "POST" });
    if (call.ringTimeoutS !== undefined) fields.set("Timeout", String(call.ringTimeoutS));
    fields.set("StatusCallback", call.statusUrl);
    fields.set("StatusCallbackMethod", "POST");
    for (const event of ["initiated", "ringing", "answered", "completed"]) fields.append("StatusCallbackEvent", event);
    // A second request would be a second call: it is sent again only where Twilio says that it did not take the first.
    const ask: Ask = { method: "POST", path: "Calls.json", fields, purpose: "place the call", isRepeatable: false };
    const sid = textOf(await this.#ask(ask), "sid");
    if (sid === undefined) throw new CarrierError("Twilio placed a call and did not say which. Look at the account's call log.");
    return sid;
  }

  /** The status of a call, such as `queued` or `completed`. */
  async callStatus(callSid: string): Promise<string> {
    const path = callPath(callSid);
    const answer = await this.#ask({ method: "GET", path, purpose: "say how the call is", isRepeatable: true });
    return textOf(answer, "status") ?? "";
  }

  /** Makes a running call go on with other instructions; its stream ends. */
  async redirectCall(callSid: string, twiml: string): Promise<void> {
    const fields = new URLSearchParams({ Twiml: twiml });
    await this.#ask({ method: "POST", path: callPath(callSid), fields, purpose: "transfer the call", isRepeatable: false });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#http[Symbol.asyncDispose]();
  }

  async #findNumber(phoneNumber: string, signal: AbortSignal): Promise<unknown> {
    const found = await this.#ask({
      method: "GET",
      path: "IncomingPhoneNumbers.json",
      fields: new URLSearchParams({ PhoneNumber: phoneNumber }),
      purpose: "look the number up",
      isRepeatable: true,
      signal,
    });
    const listed = isRecord(found) ? found["incoming_phone_numbers"] : undefined;
    const numbers: readonly unknown[] = Array.isArray(listed) ? listed : [];
    const number = numbers.find((entry) => textOf(entry, "phone_number") === phoneNumber);
    const masked = maskNumbers(phoneNumber);
    if (number === undefined)
      throw new CarrierError(
        `The Twilio account ${this.#options.accountSid} has no number ${masked}: pass one of its numbers as phoneNumber.`,
      );
    if ((textOf(number, "trunk_sid") ?? "") !== "")
      throw new CarrierError(
        `The number ${masked} belongs to a SIP trunk, which takes its calls: take it out of the trunk, or pass another number.`,
      );
    return number;
  }

  async #ask(ask: Ask): Promise<unknown> {
    const { clock } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#once(ask);
      } catch (error) {
        const waitMs = attempt < ATTEMPTS ? waitBeforeRetry(error, ask.isRepeatable, attempt) : undefined;
        if (waitMs === undefined) throw error;
        await clock.sleep(waitMs, ask.signal);
      }
    }
  }

  async #once({ method, path, fields, purpose, signal }: Ask): Promise<unknown> {
    const { baseUrl, accountSid, clock } = this.#options;
    const query = method === "GET" && fields !== undefined ? `?${fields.toString()}` : "";
    const form = { "content-type": "application/x-www-form-urlencoded" };
    try {
      const response = await this.#http.request({
        method,
        url: `${baseUrl}/2010-04-01/Accounts/${encodeURIComponent(accountSid)}/${path}${query}`,
        headers: { authorization: this.#authorization, accept: "application/json", ...(method === "POST" ? form : {}) },
        ...(method === "POST" && fields !== undefined ? { body: fields.toString() } : {}),
        headersTimeoutMs: ANSWER_MS,
        clock,
        signal,
      });
      response.expectProgress(ANSWER_MS);
      const body = parseJson(await readText(response, MAX_BODY_BYTES));
      if (response.status >= 300) throw new TwilioRefusal(purpose, response, body);
      return body;
    } catch (error) {
      if (error instanceof CarrierError || !(error instanceof PatterError)) throw error;
      const problem = error instanceof ProviderTimeoutError ? "it did not answer in time" : "the connection failed";
      throw new CarrierError(`Twilio could not ${purpose}: ${problem}. Check the network.`, { cause: error, retryable: true });
    }
  }
}

/** How long to wait before the same request is sent again, in ms; `undefined`: never. */
function waitBeforeRetry(error: unknown, isRepeatable: boolean, attempt: number): number | undefined {
  if (!(error instanceof CarrierError) || !error.retryable) return undefined;
  const isLimited = error instanceof TwilioRefusal && error.status === 429;
  if (!isRepeatable && !isLimited) return undefined;
  const askedMs = error instanceof TwilioRefusal ? error.retryAfterMs : undefined;
  return Math.min(askedMs ?? RETRY_MS * 2 ** (attempt - 1), MAX_RETRY_MS);
}

function callPath(callSid: string): string {
  return `Calls/${encodeURIComponent(callSid)}.json`;
}

function textOf(answer: unknown, name: string): string | undefined {
  const value = isRecord(answer) ? answer[name] : undefined;
  return typeof value === "string" ? value : undefined;
}
