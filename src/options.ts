import type { Readable, Writable } from "node:stream";
import type { Agent } from "./agent/agent.js";
import type { Call } from "./core/call.js";
import type { Carrier } from "./core/carrier.js";
import type { Clock } from "./core/clock.js";
import type { Logger } from "./core/logger.js";
import type { CallRecord } from "./observe/recorder.js";

export interface PatterOptions {
  /** What connects the callers, such as `new Browser()`. */
  readonly carrier: Carrier;
  /** The number that callers dial, E.164. The browser page needs none. */
  readonly phoneNumber?: string;
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
  readonly onCallEnd?: (end: CallEnd) => void | Promise<void>;
}

export interface ServeOptions extends CallCallbacks {
  readonly agent: Agent;
  /** Default 8000; 0 takes any free port. */
  readonly port?: number;
  /** The address to listen on. Default `127.0.0.1`: this machine only. */
  readonly host?: string;
  /** Where callers reach this server from outside, such as `https://agent.example.com`. */
  readonly webhookUrl?: string;
  /** Answers each turn in place of the agent's `llm`: text, or pieces of text as they come. */
  readonly onMessage?: (message: Message) => string | Promise<string> | AsyncIterable<string>;
}

/** A typed call in place of served ones: the callbacks are the same. */
export interface TestOptions extends CallCallbacks, Pick<ServeOptions, "agent" | "onMessage"> {
  /** Where the caller types. Default: standard input. */
  readonly input?: Readable;
  /** Default: standard output. */
  readonly output?: Writable;
}

export interface DisconnectOptions {
  /** How long running calls may go on, in ms. Default 0: they are ended at once. */
  readonly drainMs?: number;
}

/** What a signal of the operating system allows running calls, in ms. */
export const SIGNAL_DRAIN_MS = 30_000;

/** Options of the compatible API that are not built yet. */
export const SERVE_NOT_BUILT = [
  "tunnel",
  "recording",
  "localRecording",
  "voicemailMessage",
  "pricing",
  "dashboard",
  "dashboardToken",
  "onMetrics",
  "manageWebhook",
] as const;

/** The same for the `Patter` constructor. */
export const PATTER_NOT_BUILT = ["tunnel", "openaiKey", "apiKey", "persist"] as const;
