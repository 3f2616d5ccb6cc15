import type { CarrierHost, CarrierLine, Dialling, DialRequest, SocketDecision } from "../../core/carrier.js";
import { TransferError } from "../../core/errors.js";
import { type DialRules, dialRefusal, domesticRules } from "../telephone/dial-rules.js";
import { isE164, maskNumbers } from "../telephone/numbers.js";
import { StreamTokens } from "../telephone/stream-tokens.js";
import { isSignedByTwilio } from "./signature.js";
import type { PlacedCall } from "./placed-call.js";
import { PlacedCalls } from "./placed-calls.js";
import type { TwilioRest } from "./rest.js";
import { busyTwiml, connectTwiml, dialTwiml, hangUpTwiml } from "./twiml.js";
import { TwilioCall } from "./twilio-call.js";

/** Where Twilio finds this server, behind its public address. */
const PATHS = {
  voice: "/webhooks/twilio/voice",
  status: "/webhooks/twilio/status",
  /** What is next, after a stream has ended. */
  continue: "/webhooks/twilio/continue",
  /** A transfer's dialling, or the connected call, is over. */
  dialled: "/webhooks/twilio/dialled",
  /** The other side of a transfer has answered. */
  answered: "/webhooks/twilio/answered",
  /** A call that was placed is answered; its reference follows. */
  placed: "/webhooks/twilio/placed/",
  placedStatus: "/webhooks/twilio/placed-status/",
  stream: "/ws/twilio/",
} as const;

const TRANSFER_TIMEOUT_S = 30;
/** Of the fields that a call comes with, those that a SIP caller's own headers became. */
const SIP_HEADER = /^SipHeader_/;
const FINAL_STATUSES = new Set(["completed", "busy", "failed", "no-answer", "canceled"]);
const TRANSFER_FAILURES: Readonly<Record<string, "busy" | "no_answer">> = { busy: "busy", "no-answer": "no_answer" };

export interface TwilioLineOptions {
  readonly host: CarrierHost;
  readonly rest: TwilioRest;
  readonly authToken: string;
  readonly maxConcurrentCalls: number;
  readonly busyMessage: string | undefined;
  /** Default: the country of the own number of each call. */
  readonly transferRules: DialRules | undefined;
  /** Where calls may be placed to. */
  readonly callRules: DialRules;
}

/** One server's Twilio calls: its webhooks, its streams and what it asks of the REST API. */
export class TwilioLine implements CarrierLine {
  readonly #options: TwilioLineOptions;
  readonly #calls = new Map<string, TwilioCall>();
  readonly #tokens: StreamTokens<TwilioCall>;
  readonly #placed: PlacedCalls;

  constructor(options: TwilioLineOptions) {
    this.#options = options;
    const { host, rest, callRules: rules } = options;
    this.#tokens = new StreamTokens(host.clock);
    this.#placed = new PlacedCalls({
      host,
      rest,
      rules,
      addressesOf: (reference) => ({
        answerUrl: this.#url(PATHS.placed + reference),
        statusUrl: this.#url(PATHS.placedStatus + reference),
      }),
    });
  }

  /** Points the server's number at it. */
  async pointNumber(phoneNumber: string, signal: AbortSignal): Promise<void> {
    const urls = { voiceUrl: this.#url(PATHS.voice), statusUrl: this.#url(PATHS.status) };
    await this.#options.rest.pointNumber(phoneNumber, urls, signal);
    this.#options.host.logger.info({ pii: { phoneNumber }, voiceUrl: urls.voiceUrl }, "number points at this server");
  }

  /** Places a call. A number that may not be called is an outcome; any other refusal throws. */
  dial(request: DialRequest): Promise<Dialling> {
    return this.#placed.dial(request);
  }

  /** Answers a webhook; `undefined` for other paths. */
  async handle(request: Request): Promise<Response | undefined> {
    const { pathname, search } = new URL(request.url);
    const answer = this.#answerTo(pathname);
    if (answer === undefined) return undefined;
    if (request.method !== "POST" && request.method !== "GET") return new Response(null, { status: 405 });
    const fields = await this.#verified(request, this.#url(pathname + search));
    if (fields !== undefined) return answer(fields, new URLSearchParams(search));
    this.#options.host.logger.warn({ path: pathname }, "webhook refused: Twilio did not sign it for this public address");
    return Response.json({ error: "signature", message: "This request was not signed by Twilio." }, { status: 403 });
  }

  /** Accepts the socket of a stream that this server asked for, once. */
  upgrade(request: Request): SocketDecision | undefined {
    const { pathname, search } = new URL(request.url);
    if (!pathname.startsWith(PATHS.stream)) return undefined;
    const signature = request.headers.get("x-twilio-signature");
    const url = this.#url(pathname + search).replace(/^http/, "ws");
    if (!isSignedByTwilio({ signature, url }, this.#options.authToken)) return refused("Twilio did not sign the request");
    const call = this.#tokens.redeem(pathname.slice(PATHS.stream.length));
    if (call === undefined || call.isOver) return refused("the stream's token is unknown, used or expired");
    const { logger } = this.#options.host;
    const onError = (error: unknown): void => logger.error({ err: error }, "stream failed");
    return { accepted: true, run: (socket) => void call.attach(socket).catch(onError) };
  }

  /** Resolves when no call is on its way between its answer and its first stream. */
  async settled(): Promise<void> {
    await Promise.all([...this.#calls.values()].map((call) => call.settled));
  }

  /** Lets go of every call. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#placed[Symbol.dispose]();
    for (const call of this.#calls.values()) await call[Symbol.asyncDispose]();
    await this.#options.rest[Symbol.asyncDispose]();
  }

  #answerTo(pathname: string): ((fields: URLSearchParams, query: URLSearchParams) => Response) | undefined {
    switch (pathname) {
      case PATHS.voice:
        return (fields, query) => this.#onVoice(fields, query);
      case PATHS.continue:
        return (fields) => this.#reconnect(fields.get("CallSid"));
      case PATHS.status:
        return (fields) => this.#onStatus(fields);
      case PATHS.dialled:
        return (fields) => this.#onDialled(fields);
      case PATHS.answered:
        return (fields) => this.#onAnswered(fields);
      default:
        return this.#answerToPlaced(pathname);
    }
  }

  #answerToPlaced(pathname: string): ((fields: URLSearchParams) => Response) | undefined {
    if (pathname.startsWith(PATHS.placed)) return (fields) => this.#onPlaced(fields, pathname.slice(PATHS.placed.length));
    if (!pathname.startsWith(PATHS.placedStatus)) return undefined;
    return (fields) => {
      const reference = pathname.slice(PATHS.placedStatus.length);
      this.#placed.get(reference)?.report(fields.get("CallStatus") ?? "", fields.get("SipResponseCode"));
      return this.#onStatus(fields);
    };
  }

  /** The fields that a request carries, once it is certain that Twilio sent it. */
  async #verified(request: Request, url: string): Promise<URLSearchParams | undefined> {
    const signature = request.headers.get("x-twilio-signature");
    if (signature === null) return undefined;
    const body = request.method === "POST" ? await request.text() : "";
    const isForm = request.headers.get("content-type")?.startsWith("application/x-www-form-urlencoded") === true;
    const form = new URLSearchParams(isForm ? body : "");
    const content = isForm || body === "" ? { form } : { body };
    if (!isSignedByTwilio({ signature, url, ...content }, this.#options.authToken)) return undefined;
    return request.method === "GET" ? new URL(url).searchParams : form;
  }

  #onVoice(fields: URLSearchParams, query: URLSearchParams): Response {
    const { host, maxConcurrentCalls, busyMessage } = this.#options;
    const callSid = fields.get("CallSid") ?? "";
    if (callSid === "") return Response.json({ error: "no_call", message: "The field CallSid is missing." }, { status: 400 });
    if (this.#calls.has(callSid)) return this.#reconnect(callSid);
    if (host.isDraining === true || this.#calls.size >= maxConcurrentCalls) {
      host.logger.warn({ callId: callSid, activeCalls: this.#calls.size }, "call turned away");
      return twimlResponse(busyTwiml(busyMessage));
    }
    return this.#connect(this.#newCall(callSid, fields, callParameters(fields, query)));
  }

  /** A call that was placed is answered: connects it, unless it was given up. */
  #onPlaced(fields: URLSearchParams, reference: string): Response {
    const callSid = fields.get("CallSid") ?? "";
    if (this.#calls.has(callSid)) return this.#reconnect(callSid);
    const placed = this.#placed.get(reference);
    if (placed === undefined || placed.isCanceled || callSid === "") return twimlResponse(hangUpTwiml());
    return this.#connect(this.#newCall(callSid, fields, {}, { reference, placed }));
  }

  #newCall(
    callSid: string,
    fields: URLSearchParams,
    customParameters: Readonly<Record<string, string>>,
    origin?: { readonly reference: string; readonly placed: PlacedCall },
  ): TwilioCall {
    const { host, rest } = this.#options;
    const logger = host.logger.child({ callId: callSid });
    const [from, to] = [fields.get("From") ?? "", fields.get("To") ?? ""];
    // A program may also place calls by itself, and have them answered here.
    const isPlaced = origin !== undefined || fields.get("Direction")?.startsWith("outbound") === true;
    const direction = isPlaced ? "outbound" : "inbound";
    const own = isPlaced ? from : to;
    const rules = this.#options.transferRules ?? domesticRules(isE164(own) ? own : (host.phoneNumber ?? ""));
    const call = new TwilioCall({
      callSid,
      clock: host.clock,
      logger,
      transferTimeoutS: TRANSFER_TIMEOUT_S,
      commands: {
        end: (sid) => rest.endCall(sid),
        dial: (sid, number, timeoutS) => this.#dial(sid, number, timeoutS, rules),
      },
      onConnected: () => {
        const sides = { from, to, direction, ...(origin && { reference: origin.reference }) } as const;
        origin?.placed.connected();
        host.incoming({ callId: callSid, ...sides, customParameters, transport: call, control: call });
      },
      onEnded: () => {
        origin?.placed.ended();
        this.#tokens.revoke(call);
        this.#calls.delete(callSid);
      },
    });
    this.#calls.set(callSid, call);
    return call;
  }

  /** Tells Twilio to open a stream, at an address that works once. A call of which it opens none is ended. */
  #connect(call: TwilioCall): Response {
    const { logger, publicUrl } = this.#options.host;
    if (!call.mayOpenStream()) {
      logger.error({ publicUrl }, "call ended: Twilio opens no stream at the public address");
      void call[Symbol.asyncDispose]();
      return twimlResponse(hangUpTwiml());
    }
    const streamUrl = this.#url(PATHS.stream + this.#tokens.issue(call)).replace(/^http/, "ws");
    return twimlResponse(connectTwiml({ streamUrl, continueUrl: this.#url(PATHS.continue) }));
  }

  /** Gives a call that has no stream any more another one, unless it is over. */
  #reconnect(callSid: string | null): Response {
    const call = this.#calls.get(callSid ?? "");
    return call === undefined || call.isOver ? twimlResponse(hangUpTwiml()) : this.#connect(call);
  }

  #onStatus(fields: URLSearchParams): Response {
    if (FINAL_STATUSES.has(fields.get("CallStatus") ?? "")) this.#calls.get(fields.get("CallSid") ?? "")?.completed();
    return new Response(null, { status: 204 });
  }

  /** A transfer's dialling is over: what is next for the caller. */
  #onDialled(fields: URLSearchParams): Response {
    const callSid = fields.get("CallSid");
    const call = this.#calls.get(callSid ?? "");
    if (call === undefined) return twimlResponse(hangUpTwiml());
    const status = fields.get("DialCallStatus") ?? "";
    if (status === "completed" || status === "answered") {
      call.transferAnswered();
      return twimlResponse(hangUpTwiml());
    }
    if (fields.get("CallStatus") === "completed") {
      call.completed();
      return twimlResponse(hangUpTwiml());
    }
    call.transferFailed(TRANSFER_FAILURES[status] ?? "failed", `Twilio reports "${status}"`);
    return this.#reconnect(callSid);
  }

  #onAnswered(fields: URLSearchParams): Response {
    const isAnswer = fields.get("CallStatus") === "in-progress";
    if (isAnswer) this.#calls.get(fields.get("ParentCallSid") ?? "")?.transferAnswered();
    return new Response(null, { status: 204 });
  }

  async #dial(callSid: string, number: string, timeoutS: number, rules: DialRules): Promise<void> {
    const refusal = dialRefusal(number, rules);
    if (refusal !== undefined)
      throw new TransferError(
        "refused",
        `${maskNumbers(number)} may not be dialled: ${refusal}. Twilio({ transferNumbers }) says which may.`,
      );
    const [actionUrl, answeredUrl] = [this.#url(PATHS.dialled), this.#url(PATHS.answered)];
    await this.#options.rest.redirectCall(callSid, dialTwiml({ number, timeoutS, actionUrl, answeredUrl }));
  }

  #url(path: string): string {
    return this.#options.host.publicUrl + path;
  }
}

/** The query of the webhook's address, as its owner wrote it, and the headers of a SIP caller. */
function callParameters(fields: URLSearchParams, query: URLSearchParams): Record<string, string> {
  const headers = [...fields]
    .filter(([name]) => SIP_HEADER.test(name))
    .map(([name, value]) => [name.replace(SIP_HEADER, ""), value]);
  const own = [...query].filter(([name, value]) => fields.get(name) !== value);
  return Object.fromEntries([...own, ...headers]) as Record<string, string>;
}

function twimlResponse(twiml: string): Response {
  return new Response(twiml, { headers: { "content-type": "text/xml; charset=utf-8", "cache-control": "no-store" } });
}

function refused(reason: string): SocketDecision {
  return { accepted: false, status: 403, reason };
}
