import { type Clock, systemClock } from "../../core/clock.js";
import { ConfigError } from "../../core/errors.js";
import { checkOptionNames } from "../../core/option-names.js";
import { AsyncQueue } from "../../core/queue.js";
import { Scope } from "../../core/scope.js";
import { abortable } from "../../core/signals.js";
import type { CallServices, CallSetup, TwilioCallee } from "./call-services.js";
import type { TwilioCall } from "./call.js";
import { CallRun } from "./call-run.js";
import { LoopbackNetwork } from "./loopback.js";
import type { TwilioMarkFault } from "./media-stream.js";
import type { TwilioNetwork } from "./network.js";
import { PhoneNumber, type TwilioPhoneNumber } from "./phone-numbers.js";
import { problem } from "./problems.js";
import { handleRest, type RestAccount } from "./rest.js";
import type { RestRequest, RestResponse } from "./rest-response.js";
import { encodeBody, RestServer } from "./rest-server.js";
import { newSid } from "./sids.js";
import { type TwilioWebhook, type TwilioWebhookFault, Webhooks } from "./webhooks.js";

/** An account of the emulator, and what goes wrong with it. */
export interface TwilioEmulatorOptions {
  /** Default: a random one. */
  readonly accountSid?: string;
  /** Signs webhooks, and opens the REST API. Default: a random one. */
  readonly authToken?: string;
  /** An API key that opens the REST API too. */
  readonly apiKey?: { readonly sid: string; readonly secret: string };
  /** The account's numbers. Default `+15550100` alone. */
  readonly numbers?: readonly (string | TwilioPhoneNumber)[];
  /** Every wait and every frame of audio runs on it. Default real time. */
  readonly clock?: Clock;
  /** How the program under test is reached. Default: real sockets on this machine. */
  readonly network?: TwilioNetwork;
  /** How people behave who are called. Default: they answer at once. */
  readonly callee?: (call: TwilioCall) => TwilioCallee;
  /** How fast the account may place calls; the rest is queued. Default 1 in a second. */
  readonly callsPerSecond?: number;
  /** How long Twilio waits for an answer to a webhook, in ms. Default 15,000. */
  readonly webhookTimeoutMs?: number;
  /** What goes wrong with a webhook. Default nothing. */
  readonly webhookFault?: (webhook: TwilioWebhook) => TwilioWebhookFault | undefined;
  /** What goes wrong with a mark on its way back. Default nothing. */
  readonly markFault?: (name: string, call: TwilioCall) => TwilioMarkFault | undefined;
}

const OPTION_NAMES = [
  "accountSid",
  "authToken",
  "apiKey",
  "numbers",
  "clock",
  "network",
  "callee",
  "callsPerSecond",
  "webhookTimeoutMs",
  "webhookFault",
  "markFault",
];

/** What a request to the REST API is refused with; `silence`: it is never answered, `reset`: its connection breaks. */
export type TwilioRefusal = { readonly status: number; readonly code: number; readonly message: string } | "silence" | "reset";

/** A request to the REST API, and its answer's status, which is `undefined` until it comes. */
export interface TwilioRestRequest extends RestRequest {
  readonly form: URLSearchParams;
  readonly atMs: number;
  status: number | undefined;
}

/** Somebody who calls one of the account's numbers. */
export interface TwilioCallInOptions {
  /** Default: the account's first number. */
  readonly to?: string;
  /** Default `+15550199`. */
  readonly from?: string;
  /** What they say first, once somebody can hear it: mu-law, 8000 Hz. */
  readonly audio?: Uint8Array;
}

/**
 * Twilio on this machine, for tests: it calls the program under test with signed webhooks and media sockets, plays what it
 * sends into a person's ear, and serves the REST API for calls, numbers and recordings.
 *
 * ```ts
 * const number = { phoneNumber: "+15550100", voiceUrl: "https://agent.example/voice" };
 * await using twilio = await TwilioEmulator.start({ numbers: [number] });
 * twilio.route("https://agent.example", "http://127.0.0.1:8000"); // where your program listens
 * const call = twilio.callIn({ from: "+15550123" });
 * await call.streaming();
 * await call.say(mulaw); // Uint8Array, 8000 Hz
 * call.hangUp();
 * console.log(await call.ended, call.heard.durationMs, call.errors);
 * ```
 *
 * `twilio.url` stands for `https://api.twilio.com`. Calls that your program places with it are answered as `callee` says;
 * `nextCall()` is the person's end of them. Give a `VirtualClock` and a `carrierNetwork` to run whole calls in memory.
 * `<Say>` and `<Play>` take their time but make no sound; `<Gather>`, `<Record>`, `<Start>`, `<Refer>` and conferences are
 * errors of the call that name them.
 */
export class TwilioEmulator implements AsyncDisposable {
  readonly accountSid: string;
  readonly authToken: string;
  readonly #options: TwilioEmulatorOptions;
  readonly #clock: Clock;
  readonly #network: TwilioNetwork;
  readonly #numbers: readonly PhoneNumber[];
  readonly #webhooks: Webhooks;
  readonly #services: CallServices;
  readonly #account: RestAccount;
  readonly #scope: Scope;
  readonly #failures: unknown[] = [];
  readonly #runs: CallRun[] = [];
  readonly #placed = new AsyncQueue<TwilioCall>();
  /** Who waits for a call takes it in turn. */
  #taking: Promise<unknown> = Promise.resolve();
  readonly #requests: TwilioRestRequest[] = [];
  readonly #refusals: TwilioRefusal[] = [];
  /** When the account may place its next call, on the clock. */
  #nextTurnMs = 0;
  #server: RestServer | undefined;

  private constructor(options: TwilioEmulatorOptions) {
    const { accountSid = newSid("AC"), authToken = newSid("AC").slice(2), clock = systemClock } = options;
    const { numbers = ["+15550100"], webhookTimeoutMs = 15_000, network = new LoopbackNetwork() } = options;
    this.#options = options;
    this.accountSid = accountSid;
    this.authToken = authToken;
    this.#clock = clock;
    this.#network = network;
    this.#numbers = numbers.map((number) => new PhoneNumber(typeof number === "string" ? { phoneNumber: number } : number));
    this.#scope = new Scope(new AbortController().signal, (error) => this.#failures.push(error));
    this.#webhooks = new Webhooks({ clock, network, authToken, timeoutMs: webhookTimeoutMs, fault: options.webhookFault });
    this.#services = {
      clock,
      network,
      accountSid,
      webhooks: this.#webhooks,
      markFault: (name, { call }) => options.markFault?.(name, call),
      scope: this.#scope,
      placing: (signal) => this.#turn(signal),
      dial: (setup) => this.#add(setup),
      calleeOf: ({ call }) => options.callee?.(call) ?? {},
    };
    this.#account = {
      accountSid,
      numbers: this.#numbers,
      calls: this.#runs,
      isCredential: (user, password) => this.#isCredential(user, password),
      place: (setup) => {
        const run = this.#add(setup);
        this.#placed.push(run.call);
        return run;
      },
      epochMs: () => clock.epochMs(),
    };
  }

  /** Starts the REST API on a free port of the loopback interface. @throws ConfigError for an option that there is not. */
  static async start(options: TwilioEmulatorOptions = {}): Promise<TwilioEmulator> {
    checkOptionNames(options, { where: "TwilioEmulator.start()", known: OPTION_NAMES });
    const emulator = new TwilioEmulator(options);
    emulator.#server = await RestServer.start((request, left) => emulator.#handle(request, left));
    return emulator;
  }

  /** Stands for `https://api.twilio.com`, such as `http://127.0.0.1:40123`. */
  get url(): string {
    return this.#server?.url ?? "";
  }

  /** Every request to the REST API, refused ones included, with its exact body. */
  get requests(): readonly TwilioRestRequest[] {
    return this.#requests;
  }

  /** Every webhook that was answered or has failed. */
  get webhooks(): readonly TwilioWebhook[] {
    return this.#webhooks.all;
  }

  /** Every call, in the order they were made; those that a `<Dial>` made too. */
  get calls(): readonly TwilioCall[] {
    return this.#runs.map(({ call }) => call);
  }

  /** The REST API without a socket, whatever the URL's origin: whole calls can so run on a virtual clock. */
  readonly fetch: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    const { pathname, search } = new URL(request.url);
    const headers = Object.fromEntries(request.headers);
    const read = { method: request.method, path: pathname + search, headers, body: await request.text() };
    const response = await this.#handle(read, request.signal);
    request.signal.throwIfAborted();
    if (response === undefined) throw new TypeError("fetch failed");
    const { type, bytes } = encodeBody(response);
    const hasBody = bytes.length > 0;
    return new Response(hasBody ? Buffer.from(bytes) : null, {
      status: response.status,
      headers: { "content-type": type, ...response.headers },
    });
  };

  /**
   * Leads requests for a public address to a program on this machine, as a tunnel does: with the public host, and with the
   * headers `x-forwarded-for`, `-host` and `-proto`.
   * @throws ConfigError with a network of your own.
   */
  route(publicUrl: string, localUrl: string): void {
    if (!(this.#network instanceof LoopbackNetwork))
      throw new ConfigError("TwilioEmulator.route() needs real sockets: leave out the option network.");
    this.#network.route(publicUrl, localUrl);
  }

  /** Somebody calls one of the account's numbers. @throws ConfigError for another number, or one that no webhook answers. */
  callIn({ to = this.#numbers[0]?.phoneNumber ?? "", from = "+15550199", audio }: TwilioCallInOptions = {}): TwilioCall {
    const number = this.#numbers.find(({ phoneNumber }) => phoneNumber === to);
    const numbers = this.#numbers.map(({ phoneNumber }) => phoneNumber).join(", ");
    if (number === undefined) throw new ConfigError(`${to} is none of the emulator's numbers: it has ${numbers}.`);
    const { voice, fallback, statusCallback, sid } = number;
    if (voice === undefined) throw new ConfigError(`No webhook answers ${to}: give it a voiceUrl, or let the program set it.`);
    const { call } = this.#add({
      direction: "inbound",
      from,
      to,
      source: { type: "url", ...voice },
      fallback,
      reports: statusCallback === undefined ? undefined : { to: statusCallback, events: ["completed"] },
      phoneNumberSid: sid,
    });
    if (audio !== undefined) void call.say(audio);
    return call;
  }

  /** The next call that is placed with the REST API, and that this has not returned yet. */
  async nextCall(): Promise<TwilioCall> {
    const next = this.#taking.then(() => this.#placed.next());
    this.#taking = next;
    const { value, done } = await next;
    if (done === true) throw new Error("The emulator was closed before a call was placed.");
    return value;
  }

  /** Refuses the next requests to the REST API, one for each. */
  refuse(...refusals: readonly TwilioRefusal[]): void {
    this.#refusals.push(...refusals);
  }

  /** Ends everything at once, without reports. @throws what went wrong in the emulator itself. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#placed.end();
    this.#scope.abort(new Error("The emulator was closed."));
    this.#network.close?.();
    await Promise.all([this.#scope.close(), this.#server?.[Symbol.asyncDispose]()]);
    if (this.#failures.length > 0) throw this.#failures[0];
  }

  #add(setup: CallSetup): CallRun {
    const run = new CallRun(setup, this.#services);
    this.#runs.push(run);
    return run;
  }

  #isCredential(user: string, password: string): boolean {
    const { apiKey } = this.#options;
    if (user === this.accountSid) return password === this.authToken;
    return apiKey !== undefined && user === apiKey.sid && password === apiKey.secret;
  }

  /** Waits for the account's turn to place a call. */
  async #turn(signal: AbortSignal): Promise<void> {
    const nowMs = this.#clock.now();
    const turnMs = Math.max(nowMs, this.#nextTurnMs);
    this.#nextTurnMs = turnMs + 1000 / (this.#options.callsPerSecond ?? 1);
    await this.#clock.sleep(turnMs - nowMs, signal);
  }

  async #handle(request: RestRequest, left: AbortSignal): Promise<RestResponse | undefined> {
    const kept: TwilioRestRequest = {
      ...request,
      form: new URLSearchParams(request.body),
      atMs: this.#clock.now(),
      status: undefined,
    };
    this.#requests.push(kept);
    const response = await this.#respond(request, left);
    kept.status = response?.status;
    return response;
  }

  async #respond(request: RestRequest, left: AbortSignal): Promise<RestResponse | undefined> {
    const refusal = this.#refusals.shift();
    if (refusal === "reset") return undefined;
    if (refusal === "silence") {
      await abortable(new Promise<never>(() => {}), left).catch(() => {});
      return undefined;
    }
    if (refusal !== undefined) return problem(refusal.status, refusal.code, refusal.message);
    return handleRest(request, this.#account);
  }
}
