import type { Agent } from "./agent/agent.js";
import { runCall } from "./call/session.js";
import { warmUp } from "./call/warm-up.js";
import type { CallEndReason, CallEvent, CallEventBody } from "./core/call-event.js";
import type { IncomingCall } from "./core/carrier.js";
import type { Clock } from "./core/clock.js";
import type { Logger } from "./core/logger.js";
import { ChildController, type Deferred, deferred, within } from "./core/signals.js";
import { Warnings } from "./core/warnings.js";
import { warnOfUnknownCosts } from "./observe/call-cost.js";
import { endFigures } from "./observe/cost-text.js";
import type { Pricing } from "./observe/pricing.js";
import { errorEntry, recordOf, transcriptEntry } from "./observe/recorder.js";
import type { CallCallbacks, CallEnd, CallInfo } from "./options.js";

/** How long a call's end may wait for `onCallEnd`, in ms. */
const ON_CALL_END_MS = 10_000;
/** How long the choice of a call's agent may take, in ms. */
const CHOICE_MS = 10_000;
/** How long the carrier may take to hang up, in ms. */
const HANG_UP_MS = 5000;

export interface RunningCallsOptions {
  /** The agent of a call that came in. What it throws ends the call. */
  readonly agentOf: (call: CallInfo) => Agent | Promise<Agent>;
  readonly maxDurationMs?: number;
  /** The carrier's name. */
  readonly carrier: string;
  readonly callbacks: CallCallbacks;
  readonly pricing: Pricing;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends every call as `shutdown`. */
  readonly signal: AbortSignal;
}

/** A call that was placed and is not connected yet. */
interface Expected {
  readonly agent: Agent;
  readonly ended: Deferred<CallEnd | undefined>;
  /** Makes the model ready while the phone rings. */
  readonly warmingUp: Promise<CallEventBody | undefined>;
  /** Ends the warm-up. */
  readonly ringing: ChildController;
}

/** The calls of one `serve()`. */
export class RunningCalls {
  readonly #options: RunningCallsOptions;
  readonly #running = new Set<Promise<void>>();
  /** By reference. */
  readonly #expected = new Map<string, Expected>();
  readonly #warnings = new Warnings("Pricing");
  #isDraining = false;
  #refuses = false;

  constructor(options: RunningCallsOptions) {
    this.#options = options;
  }

  /** Calls that are running or whose `onCallEnd` is. */
  get size(): number {
    return this.#running.size;
  }

  /** Whether carriers are to turn new calls away. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Has carriers turn new calls away; those that they have answered already may still come. */
  turnAway(): void {
    this.#isDraining = true;
  }

  /**
   * Has `agent` hold the call that comes with this reference, its model warmed up meanwhile. Resolves when the call is over;
   * with nothing when it was not taken.
   */
  expect(reference: string, agent: Agent): Promise<CallEnd | undefined> {
    const { clock, signal } = this.#options;
    const ended = deferred<CallEnd | undefined>();
    const ringing = new ChildController(signal);
    const warmingUp = warmUp({ agent, clock, signal: ringing.signal });
    this.#expected.set(reference, { agent, ended, warmingUp, ringing });
    return ended.promise;
  }

  /** Expects the call no longer. */
  forget(reference: string): void {
    this.#expected.get(reference)?.ringing.abort();
    this.#expected.delete(reference);
  }

  /** Runs a call to its end. */
  answer(incoming: IncomingCall): void {
    const log = this.#options.logger.child({ callId: incoming.callId });
    const { reference = "" } = incoming;
    const expected = this.#expected.get(reference);
    this.#expected.delete(reference);
    const ended = this.#refuses ? this.#cutOff(incoming, "shutdown", log) : this.#run(incoming, expected, log);
    const running = ended
      .catch((error: unknown) => log.error({ err: error }, "call failed"))
      .finally(() => {
        expected?.ringing.abort();
        expected?.ended.resolve(undefined);
      });
    this.#running.add(running);
    void running.finally(() => this.#running.delete(running));
  }

  /** Takes no more calls. Resolves when the last one has ended. */
  async drain(): Promise<void> {
    // A call may slip in while the door is closing.
    this.#isDraining = true;
    this.#refuses = true;
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  /** Runs a call with the agent that it is for. Without one there is no call to report. */
  async #run(incoming: IncomingCall, expected: Expected | undefined, log: Logger): Promise<void> {
    const agent = expected?.agent ?? (await this.#choose(incoming, log));
    if (agent === undefined) await this.#cutOff(incoming, "error", log);
    else await this.#converse(incoming, agent, expected, log);
  }

  async #choose(incoming: IncomingCall, log: Logger): Promise<Agent | undefined> {
    const { agentOf, clock } = this.#options;
    const { callId: id, from, to, direction, customParameters } = incoming;
    try {
      const choosing = (async () => agentOf({ id, from, to, direction, customParameters }))();
      const agent = await within(clock, CHOICE_MS, choosing);
      if (agent === undefined) log.error({ waitedMs: CHOICE_MS }, "no agent was chosen in time");
      return agent;
    } catch (error) {
      log.error({ err: error }, "no agent was chosen");
      return undefined;
    }
  }

  async #converse(incoming: IncomingCall, agent: Agent, expected: Expected | undefined, log: Logger): Promise<void> {
    const { carrier, callbacks, pricing, clock, signal, maxDurationMs } = this.#options;
    const { from, to, control } = incoming;
    const events: CallEvent[] = [];
    try {
      await runCall({
        agent,
        incoming,
        carrier,
        clock,
        signal,
        ...(maxDurationMs !== undefined && { maxDurationMs }),
        ...(expected !== undefined && { warmingUp: expected.warmingUp }),
        ...(callbacks.onCallStart && { onStart: callbacks.onCallStart }),
        onEvents: (stream) => {
          stream.subscribe((event) => {
            events.push(event);
            logEvent(log, event);
            reportTranscript(log, callbacks, event);
            control.notify?.(event);
          });
        },
      });
    } catch (error) {
      log.error({ err: error }, "call failed");
      await this.#cutOff(incoming, "error", log);
    }
    const record = recordOf(events, pricing);
    log.info(endFigures(record), "call ended");
    warnOfUnknownCosts(record.cost, this.#warnings);
    const end: CallEnd = { ...record, caller: from, callee: to };
    expected?.ended.resolve(end);
    await reportEnd({ log, clock, callbacks, end });
  }

  /** Ends a call that nobody holds. */
  async #cutOff({ control, transport }: IncomingCall, reason: CallEndReason, log: Logger): Promise<void> {
    const hungUp = control.hangUp(reason).catch((error: unknown) => log.warn({ err: error }, "call not hung up"));
    await within(this.#options.clock, HANG_UP_MS, hungUp);
    await transport[Symbol.asyncDispose]();
  }
}

export interface EndReport {
  readonly log: Logger;
  readonly clock: Clock;
  readonly callbacks: CallCallbacks;
  readonly end: CallEnd;
}

/** Gives `onCallEnd` the call and waits for it, ten seconds at most. */
export async function reportEnd({ log, clock, callbacks, end }: EndReport): Promise<void> {
  const run = async (): Promise<true> => {
    await runCallback(log, "onCallEnd", () => callbacks.onCallEnd?.(end));
    return true;
  };
  if ((await within(clock, ON_CALL_END_MS, run())) === undefined)
    log.warn({ waitedMs: ON_CALL_END_MS }, "onCallEnd takes too long: not waited for");
}

/** Runs a user's callback. What it throws is logged. */
async function runCallback(log: Logger, name: string, run: () => unknown): Promise<void> {
  try {
    await run();
  } catch (error) {
    log.error({ err: error, callback: name }, "callback failed");
  }
}

/** Gives `onTranscript` what an event adds to the transcript; nobody waits for it. */
export function reportTranscript(log: Logger, { onTranscript }: CallCallbacks, event: CallEvent): void {
  const entry = transcriptEntry(event);
  if (entry === undefined || onTranscript === undefined) return;
  void runCallback(log, "onTranscript", () => onTranscript({ callId: event.callId, role: entry.role, text: entry.text }));
}

function logEvent(log: Logger, event: CallEvent): void {
  if (event.type === "call_started")
    log.info({ carrier: event.carrier, direction: event.direction, pii: { from: event.from, to: event.to } }, "call began");
  else if (event.type !== "call_error") log.debug({ type: event.type }, "call event");
  else if (event.fatal) log.error(errorEntry(event), "call failed");
  else log.warn(errorEntry(event), "call degraded");
}
