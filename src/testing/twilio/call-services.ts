import type { Clock } from "../../core/clock.js";
import type { Scope } from "../../core/scope.js";
import type { CallRun } from "./call-run.js";
import type { TwilioMarkFault } from "./media-stream.js";
import type { TwilioNetwork } from "./network.js";
import type { RecordingOptions } from "./recording.js";
import type { TwilioAnsweredBy } from "./statuses.js";
import type { Callback, TwimlSource } from "./twiml.js";
import type { Webhooks } from "./webhooks.js";

/** How someone who is called behaves. */
export interface TwilioCallee {
  /** Default `answer`. `no_answer` rings until the caller gives up. */
  readonly outcome?: "answer" | "busy" | "no_answer" | "failed";
  /** How long it rings before the outcome, in ms. Default 0. */
  readonly ringMs?: number;
  /** What answering-machine detection says, where it was asked for. Default `human`. */
  readonly answeredBy?: TwilioAnsweredBy;
  /** How long the detection takes, in ms after the answer. Default 1000. */
  readonly detectionMs?: number;
  /** The network's reason for `failed`. Default 503. */
  readonly sipResponseCode?: number;
  /** Said after the answer, once somebody can hear it: mu-law, 8000 Hz. */
  readonly greeting?: Uint8Array;
}

/** What every call of an emulator shares. */
export interface CallServices {
  readonly clock: Clock;
  readonly network: TwilioNetwork;
  readonly accountSid: string;
  readonly webhooks: Webhooks;
  markFault(name: string, run: CallRun): TwilioMarkFault | undefined;
  /** Owns what outlives a call, such as its last report. */
  readonly scope: Scope;
  /** Waits for the account's turn to place a call. */
  placing(signal: AbortSignal): Promise<void>;
  /** Makes another call, on behalf of one that dials. */
  dial(setup: CallSetup): CallRun;
  calleeOf(run: CallRun): TwilioCallee;
}

/** Where the progress of a call is reported, and which of it. */
export interface StatusReports {
  readonly to: Callback;
  readonly events: readonly string[];
}

/** Answering-machine detection: before the instructions are asked for, or beside the call; then it may be reported. */
export type Detection = { readonly mode: "sync" } | { readonly mode: "async"; readonly report: Callback | undefined };

/** A call before it is made. */
export interface CallSetup {
  readonly direction: "inbound" | "outbound-api" | "outbound-dial";
  readonly from: string;
  readonly to: string;
  /** The first instructions; without them the call is bridged by the one that dialled it. */
  readonly source: TwimlSource | undefined;
  readonly fallback?: Callback | undefined;
  readonly reports?: StatusReports | undefined;
  /** How long an unanswered call rings, in ms. */
  readonly ringTimeoutMs?: number;
  /** How long a call may last, in ms. */
  readonly timeLimitMs?: number | undefined;
  readonly detection?: Detection | undefined;
  readonly recording?: RecordingOptions | undefined;
  readonly sendDigits?: string | undefined;
  readonly parentCallSid?: string;
  readonly phoneNumberSid?: string | undefined;
}
