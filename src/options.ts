import type { Readable, Writable } from "node:stream";
import type { Agent } from "./agent/agent.js";
import type { Call } from "./core/call.js";
import type { Carrier } from "./core/carrier.js";
import type { Clock } from "./core/clock.js";
import { ConfigError } from "./core/errors.js";
import type { Logger } from "./core/logger.js";
import { checkOptionNames, type OptionNames, showValue } from "./core/option-names.js";
import type { PriceOverrides } from "./observe/pricing.js";
import type { CallRecord } from "./observe/recorder.js";

export interface PatterOptions {
  /** What connects the callers, such as `new Twilio()` or `new Browser()`. */
  readonly carrier: Carrier;
  /** The number that callers dial, E.164. A telephone carrier points it at the server; the browser page has none. */
  readonly phoneNumber?: string;
  /** Where callers reach the server from outside, for every `serve()` that does not say it itself. */
  readonly webhookUrl?: string;
  /** Any pino-shaped logger. Default: pino at level `info`, to standard output, personal data masked. */
  readonly logger?: Logger;
  /** Default: real time. */
  readonly clock?: Clock;
}

/** One side's words, at the moment they count: the caller's turn, and what the caller heard of a reply. */
export interface Transcript {
  readonly callId: string;
  readonly role: "user" | "assistant";
  readonly text: string;
}

/** What `onMessage` is asked. */
export interface Message {
  readonly callId: string;
  readonly text: string;
  /** The conversation before this message. */
  readonly history: readonly { readonly role: "user" | "assistant"; readonly text: string }[];
}

/** A record of the call, and under the names of the compatible API who spoke with whom. */
export interface CallEnd extends CallRecord {
  readonly caller: string;
  readonly callee: string;
}

/** What a program hears of its calls. An error thrown by a callback is logged; the call goes on. */
export interface CallCallbacks {
  /** A call is connected. The greeting waits for it, a second at most. */
  readonly onCallStart?: (call: Call) => void | Promise<void>;
  readonly onTranscript?: (transcript: Transcript) => void | Promise<void>;
  /** The call has ended. `disconnect()` waits for it, 10 s at most. */
  readonly onCallEnd?: (end: CallEnd) => void | Promise<void>;
}

/** A call before it begins: what there is to choose its agent by. */
export type CallInfo = Pick<Call, "id" | "from" | "to" | "direction" | "customParameters">;

/** Chooses who holds a call; the caller hears nothing meanwhile. */
export type AgentChoice = (call: CallInfo) => Agent | Promise<Agent>;

export interface ServeOptions extends CallCallbacks {
  /** Who answers: one agent, or a choice by the number that was called, or by anything else of the call. */
  readonly agent: Agent | AgentChoice;
  /** Default 8000; 0 takes any free port. */
  readonly port?: number;
  /** The address to listen on. Default `127.0.0.1`: this machine only. */
  readonly host?: string;
  /**
   * Whether to listen at all. `false`: the program's own server passes its requests to `phone.fetch` and
   * `phone.handleUpgrade`; webhookUrl is then needed. Default true.
   */
  readonly listen?: boolean;
  /** Where callers reach this server from outside, http or https, such as `https://agent.example.com`. */
  readonly webhookUrl?: string;
  /** How long a call may last, in ms. Default: as long as its sides like. */
  readonly maxDurationMs?: number;
  /** Whether a telephone carrier is told to send the number's calls here. Default true. */
  readonly manageWebhook?: boolean;
  /** Answers each turn in place of the agent's `llm`: text, or pieces of text as they come. */
  readonly onMessage?: (message: Message) => string | Promise<string> | AsyncIterable<string>;
  /**
   * What models cost, in USD per million tokens, before the built-in prices:
   * `{ "claude-opus-4-7": { input: 5, output: 25, cacheRead: 0.5, cacheWrite5m: 6.25, cacheWrite1h: 10 } }`.
   */
  readonly pricing?: PriceOverrides;
}

/** A call to place. */
export interface OutgoingCallOptions {
  /** E.164. */
  readonly to: string;
  /** Speaks with whoever answers. */
  readonly agent: Agent;
  /** Values for this call, beside the agent's own, before them. */
  readonly variables?: Readonly<Record<string, string>>;
  /** In place of the agent's. */
  readonly firstMessage?: string;
  /** How long it may ring, in whole seconds up to 600. Default 25. `null`: as long as the carrier lets it. */
  readonly ringTimeout?: number | null;
  /** Whether to wait for the end of the call, and resolve with its result. Default false. */
  readonly wait?: boolean;
}

/** A typed call in place of served ones: the callbacks are the same. */
export interface TestOptions extends CallCallbacks, Pick<ServeOptions, "onMessage" | "pricing"> {
  readonly agent: Agent;
  /** Where the caller types. Default: standard input. */
  readonly input?: Readable;
  /** Default: standard output. */
  readonly output?: Writable;
}

export interface DisconnectOptions {
  /** How long running calls may go on, in ms. Default 0: they are ended at once. */
  readonly drainMs?: number;
}

const E164 = /^\+[1-9]\d{1,14}$/;
const E164_HINT = 'write it as E.164, such as "+15550001234"';

/** What a signal of the operating system allows running calls, in ms. */
export const SIGNAL_DRAIN_MS = 30_000;

const CALLBACKS = ["onCallStart", "onTranscript", "onCallEnd"] as const satisfies readonly (keyof CallCallbacks)[];

/** Those of the compatible API's `serve()` whose work is not done here. */
const SERVE_NOT_BUILT = [
  "tunnel",
  "recording",
  "localRecording",
  "voicemailMessage",
  "dashboard",
  "dashboardToken",
  "dashboardDb",
  "dashboardPersist",
  "allowInsecureDashboard",
  "requireStreamAuth",
  "onMetrics",
];

const PATTER_NAMES: OptionNames = {
  where: "Patter",
  known: ["carrier", "phoneNumber", "webhookUrl", "logger", "clock"] satisfies (keyof PatterOptions)[],
  notBuilt: ["tunnel", "openaiKey", "apiKey", "persist", "telemetry"],
};

const SERVE_NAMES: OptionNames = {
  where: "serve()",
  known: [
    "agent",
    "port",
    "host",
    "listen",
    "webhookUrl",
    "manageWebhook",
    "maxDurationMs",
    "onMessage",
    "pricing",
    ...CALLBACKS,
  ] satisfies (keyof ServeOptions)[],
  notBuilt: SERVE_NOT_BUILT,
};

const CALL_NAMES: OptionNames = {
  where: "call()",
  known: ["to", "agent", "variables", "firstMessage", "ringTimeout", "wait"] satisfies (keyof OutgoingCallOptions)[],
  notBuilt: ["machineDetection", "onMachineDetection", "voicemailMessage"],
};

const TEST_NAMES: OptionNames = {
  where: "test()",
  known: ["agent", "onMessage", "pricing", "input", "output", ...CALLBACKS] satisfies (keyof TestOptions)[],
  notBuilt: SERVE_NOT_BUILT,
};

/** @throws ConfigError that says what to change. */
export function checkPatterOptions(options: PatterOptions): void {
  checkOptionNames(options, PATTER_NAMES);
  if (typeof options.carrier?.handle !== "function")
    throw new ConfigError("Patter needs a carrier: pass { carrier: new Browser() }.");
  const { phoneNumber, webhookUrl } = options;
  if (webhookUrl !== undefined) publicUrl(webhookUrl);
  if (phoneNumber !== undefined && !E164.test(phoneNumber))
    throw new ConfigError(`phoneNumber is ${showValue(phoneNumber)}: ${E164_HINT}.`);
}

/** @throws ConfigError that says what to change. */
export function checkServeOptions(options: ServeOptions): void {
  checkOptionNames(options, SERVE_NAMES);
  checkFunctions("serve()", options);
  const { listen, port, host, manageWebhook, maxDurationMs } = options;
  if (listen !== undefined && typeof listen !== "boolean")
    throw new ConfigError(`The serve() option listen is ${showValue(listen)}: pass true or false.`);
  if (listen === false && (port !== undefined || host !== undefined))
    throw new ConfigError("serve({ listen: false }) listens nowhere: leave port and host out.");
  if (maxDurationMs !== undefined && !(typeof maxDurationMs === "number" && maxDurationMs > 0))
    throw new ConfigError(`The serve() option maxDurationMs is ${showValue(maxDurationMs)}: pass a number of ms above 0.`);
  if (manageWebhook !== undefined && typeof manageWebhook !== "boolean")
    throw new ConfigError(`The serve() option manageWebhook is ${showValue(manageWebhook)}: pass true or false.`);
}

/** @throws ConfigError that says what to change. */
export function checkCallOptions(options: OutgoingCallOptions): void {
  checkOptionNames(options, CALL_NAMES);
  const { to, agent, variables = {}, firstMessage, ringTimeout, wait } = options;
  if (typeof to !== "string" || !E164.test(to)) throw new ConfigError(`call() cannot call ${showValue(to)}: ${E164_HINT}.`);
  if (agent === undefined) throw new ConfigError("call() needs an agent: pass { agent: phone.agent({ … }) }.");
  for (const [name, value] of Object.entries(variables))
    if (typeof value !== "string") throw new ConfigError(`The variable "${name}" is ${typeof value}: variables are strings.`);
  if (firstMessage !== undefined && typeof firstMessage !== "string")
    throw new ConfigError(`The call() option firstMessage is ${showValue(firstMessage)}: pass text.`);
  if (
    ringTimeout !== undefined &&
    ringTimeout !== null &&
    !(Number.isInteger(ringTimeout) && ringTimeout > 0 && ringTimeout <= 600)
  )
    throw new ConfigError(
      `The call() option ringTimeout is ${showValue(ringTimeout)}: pass whole seconds from 1 to 600, or null.`,
    );
  if (wait !== undefined && typeof wait !== "boolean")
    throw new ConfigError(`The call() option wait is ${showValue(wait)}: pass true or false.`);
}

/** @throws ConfigError that says what to change. */
export function checkTestOptions(options: TestOptions): void {
  checkOptionNames(options, TEST_NAMES);
  checkFunctions("test()", options);
}

/** The public address without a trailing slash; `https` where no scheme is given. @throws ConfigError for what is none. */
export function publicUrl(webhookUrl: string): string {
  const url = typeof webhookUrl === "string" && /^[a-z][a-z\d+.-]*:\/\//i.test(webhookUrl) ? webhookUrl : `https://${webhookUrl}`;
  const parsed = typeof webhookUrl === "string" && URL.canParse(url) ? new URL(url) : undefined;
  const isAddress = parsed?.search === "" && parsed.hash === "" && parsed.username === "" && parsed.password === "";
  if (!isAddress || !/^https?:$/.test(parsed.protocol))
    throw new ConfigError(
      `webhookUrl is ${showValue(webhookUrl)}: pass an http or https address, such as "https://agent.example.com".`,
    );
  return url.replace(/\/+$/, "");
}

function checkFunctions(where: string, options: Partial<ServeOptions>): void {
  if (typeof options.onMessage === "string") throw new ConfigError("A URL as onMessage is not supported yet: pass a function.");
  for (const name of ["onMessage", ...CALLBACKS] as const) {
    const value = options[name];
    if (value !== undefined && typeof value !== "function")
      throw new ConfigError(`The ${where} option ${name} is ${showValue(value)}: pass a function.`);
  }
}
