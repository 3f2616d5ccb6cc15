import type { Agent } from "./agent/agent.js";
import { prepareSpeech } from "./agent/speech.js";
import type { DialFailure, Dialling, DialOutcome, DialRequest } from "./core/carrier.js";
import { CallError } from "./core/errors.js";
import { abortable } from "./core/signals.js";
import type { CallEnd } from "./options.js";
import type { RunningCalls } from "./running-calls.js";

/** What became of a call that was placed. */
export type CallResult = AnsweredCallResult | UnansweredCallResult;

/** Somebody answered, and the call is over: the record of it. */
export interface AnsweredCallResult extends CallEnd {
  readonly outcome: "answered";
}

/** Nobody spoke with the agent. */
export interface UnansweredCallResult {
  readonly outcome: DialFailure;
  /** Empty where no call was placed. */
  readonly callId: string;
  readonly to: string;
  /** What the carrier said, for people. */
  readonly message: string;
}

/** A call that is being placed, or that runs. */
export interface OutgoingCall {
  /** The carrier's id of the call; empty where the number was refused. */
  readonly callId: string;
  /** Resolves when the call is over, or has not come about. */
  readonly result: Promise<CallResult>;
  /** Gives the call up, or ends it. */
  hangUp(): Promise<void>;
}

export interface OutgoingCallsOptions {
  readonly dial: (request: DialRequest) => Promise<Dialling>;
  readonly calls: RunningCalls;
  /** Ends what is being prepared. */
  readonly signal: AbortSignal;
}

/** The calls that one `serve()` places. */
export class OutgoingCalls {
  readonly #options: OutgoingCallsOptions;
  readonly #ringing = new Set<Dialling>();
  #isClosed = false;

  constructor(options: OutgoingCallsOptions) {
    this.#options = options;
  }

  /** Places a call that `agent` holds. */
  async place(request: Omit<DialRequest, "reference">, agent: Agent): Promise<OutgoingCall> {
    const { calls, dial, signal } = this.#options;
    await abortable(prepareSpeech(agent, signal), signal);
    if (this.#isClosed) throw new CallError("The call was not placed: the server is closing.");
    const reference = crypto.randomUUID();
    // It may be answered before its request is.
    const ended = calls.expect(reference, agent);
    let dialling: Dialling;
    try {
      dialling = await dial({ ...request, reference });
    } catch (error) {
      calls.forget(reference);
      throw error;
    }
    this.#ringing.add(dialling);
    const settled = dialling.outcome.finally(() => this.#ringing.delete(dialling));
    if (this.#isClosed) await dialling.hangUp();
    const result = settled.then((outcome) => this.#resultOf({ outcome, ended, reference, dialling, to: request.to }));
    return { callId: dialling.callId, result, hangUp: () => dialling.hangUp() };
  }

  /** Gives up what was not answered yet. Resolves when the carrier was told; what it answers is thrown. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#ringing].map((dialling) => dialling.hangUp()));
  }

  async #resultOf(call: {
    readonly outcome: DialOutcome;
    readonly ended: Promise<CallEnd | undefined>;
    readonly reference: string;
    readonly dialling: Dialling;
    readonly to: string;
  }): Promise<CallResult> {
    const { outcome, ended, reference, dialling, to } = call;
    const { callId } = dialling;
    if (outcome.type === "answered") {
      const end = await ended;
      if (end !== undefined) return { ...end, outcome: "answered" };
      return { outcome: "canceled", callId, to, message: "The server was closing when the call was answered." };
    }
    this.#options.calls.forget(reference);
    return { outcome: outcome.type, callId, to, message: outcome.message };
  }
}
