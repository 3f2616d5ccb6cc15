import type { Dialling, DialFailure, DialOutcome } from "../../core/carrier.js";
import type { Clock } from "../../core/clock.js";
import { errorMessage } from "../../core/errors.js";
import type { Logger } from "../../core/logger.js";
import { deferred } from "../../core/signals.js";
import type { TwilioRest } from "./rest.js";

/** How long Twilio lets a call ring by itself, in seconds. */
const TWILIO_RING_S = 60;
/** How much later than its ringing may end Twilio is asked what became of a call, in ms, and how often it may not know. */
const CHECK_GRACE_MS = 20_000;
const MAX_CHECKS_WITHOUT_NEWS = 3;
/** SIP's ways of saying that a person, or their settings, declined. */
const DECLINED = new Set(["603", "607", "608"]);
const FAILURES: Readonly<Record<string, DialFailure>> = {
  busy: "busy",
  "no-answer": "no_answer",
  canceled: "canceled",
  failed: "failed",
};

export interface PlacedCallOptions {
  readonly rest: TwilioRest;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ringTimeoutS: number | undefined;
  /** It is known what became of it. */
  readonly onSettled: () => void;
}

/** A call that was placed, until it is answered or not. Reports may come twice, late, in any order, or not at all. */
export class PlacedCall implements Dialling {
  readonly #options: PlacedCallOptions;
  readonly #outcome = deferred<DialOutcome>();
  #callSid = "";
  #isSettled = false;
  #isCanceled = false;
  #check: Disposable | undefined;
  #checksWithoutNews = 0;

  constructor(options: PlacedCallOptions) {
    this.#options = options;
  }

  get callId(): string {
    return this.#callSid;
  }

  get outcome(): Promise<DialOutcome> {
    return this.#outcome.promise;
  }

  /** Whether its outcome is known. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** Whether it was given up. */
  get isCanceled(): boolean {
    return this.#isCanceled;
  }

  /** Twilio has taken the call. */
  created(callSid: string): void {
    this.#callSid = callSid;
    this.#checkLater();
  }

  /** Takes a status that Twilio reports; `sipCode` is the far end's answer, where there is one. */
  report(status: string, sipCode: string | null = null): void {
    const failure = FAILURES[status];
    if (failure === "failed" && DECLINED.has(sipCode ?? ""))
      this.#settle({ type: "rejected", message: `The call was declined (SIP ${sipCode}).` });
    else if (failure !== undefined)
      this.#fail(failure, `Twilio reports "${status}"${sipCode === null ? "" : ` (SIP ${sipCode})`}.`);
    else if (status === "completed") this.ended();
  }

  /** The agent can hear and speak. */
  connected(): void {
    this.#settle({ type: "answered" });
  }

  /** The call is over. */
  ended(): void {
    this.#fail("failed", "The call was answered and ended before the agent was connected.");
  }

  async hangUp(): Promise<void> {
    if (!this.#isSettled) this.#isCanceled = true;
    await this.#options.rest.endCall(this.#callSid);
    this.#fail("canceled", "The call was given up.");
  }

  /** Stops waiting for an outcome. */
  [Symbol.dispose](): void {
    this.#fail("canceled", "The server has closed.");
  }

  #fail(type: DialFailure, message: string): void {
    this.#settle(this.#isCanceled ? { type: "canceled", message: "The call was given up." } : { type, message });
  }

  #settle(outcome: DialOutcome): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#check?.[Symbol.dispose]();
    this.#outcome.resolve(outcome);
    this.#options.onSettled();
  }

  /** Asks Twilio itself when its reports stay away. */
  #checkLater(): void {
    if (this.#isSettled) return;
    const { clock, ringTimeoutS = TWILIO_RING_S } = this.#options;
    this.#check = clock.setTimer(ringTimeoutS * 1000 + CHECK_GRACE_MS, () => void this.#askStatus());
  }

  async #askStatus(): Promise<void> {
    const { rest, logger } = this.#options;
    try {
      const status = await rest.callStatus(this.#callSid);
      // A queued call has not rung yet, and may wait for long.
      this.#checksWithoutNews = status === "queued" ? 0 : this.#checksWithoutNews + 1;
      this.report(status);
    } catch (error) {
      this.#checksWithoutNews++;
      logger.warn({ reason: errorMessage(error) }, "no word of a call that was placed");
    }
    if (this.#checksWithoutNews >= MAX_CHECKS_WITHOUT_NEWS) this.#fail("failed", "Twilio does not say what became of the call.");
    this.#checkLater();
  }
}
