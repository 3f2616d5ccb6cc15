import { channel } from "node:diagnostics_channel";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type Agent, type AgentOptions, createAgent } from "./agent/agent.js";
import { prepareSpeech } from "./agent/speech.js";
import { agentOfCall, answeringAgent, whoAnswers } from "./answering.js";
import { warmUp } from "./call/warm-up.js";
import type { AgentInfo, CarrierSetup } from "./core/carrier.js";
import { type Clock, systemClock } from "./core/clock.js";
import { ConfigError } from "./core/errors.js";
import type { Logger } from "./core/logger.js";
import { abortable, ChildController, type Deferred, deferred, onAbort, within } from "./core/signals.js";
import { Warnings } from "./core/warnings.js";
import { warnOfUnknownCosts } from "./observe/call-cost.js";
import { listener, type Reached } from "./listening.js";
import { pinoLogger } from "./observe/pino-logger.js";
import { Pricing } from "./observe/pricing.js";
import {
  checkCallOptions,
  checkPatterOptions,
  checkServeOptions,
  checkTestOptions,
  type DisconnectOptions,
  type OutgoingCallOptions,
  type PatterOptions,
  publicUrl,
  type ServeOptions,
  SIGNAL_DRAIN_MS,
  type TestOptions,
} from "./options.js";
import { type CallResult, type OutgoingCall, OutgoingCalls } from "./outgoing-calls.js";
import { reportEnd, reportTranscript, RunningCalls } from "./running-calls.js";
import type { Endpoint } from "./server/endpoint.js";

/** How long a call rings unless its options say otherwise, in seconds: about five rings. */
const RING_TIMEOUT_S = 25;
/** How long `serve()` waits for the model's connection, in ms. */
const WARMUP_MS = 3000;

/** What listens, and the calls that came. */
interface Serving extends Reached {
  readonly calls: RunningCalls;
  readonly outgoing: OutgoingCalls;
  readonly options: ServeOptions;
}

/** What every state has. */
interface Life {
  readonly ready: Deferred<string>;
  /** Ends what runs until the next `disconnect()`. */
  readonly stop: AbortController;
}

interface Starting extends Life {
  readonly type: "starting";
  readonly started: Promise<Serving>;
}

interface Closing extends Life {
  readonly type: "closing";
  readonly calls: RunningCalls | undefined;
  readonly endpoint: Endpoint | undefined;
  readonly closed: Promise<void>;
}

type State =
  | (Life & { readonly type: "idle" })
  /** `ready` is rejected. */
  | (Life & { readonly type: "failed" })
  | Starting
  | (Life & Serving & { readonly type: "serving"; readonly ignoreSignals: () => void })
  | Closing;

/** Connects a carrier's calls to an agent. */
export class Patter implements AsyncDisposable {
  readonly #options: PatterOptions;
  readonly #clock: Clock;
  #state: State = { type: "idle", ready: unwatched(), stop: new AbortController() };

  /** @throws ConfigError when an option is missing, unknown or not supported. */
  constructor(options: PatterOptions) {
    checkPatterOptions(options);
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * Resolves with the server's address once it listens; rejects when `serve` fails.
   * After that or a `disconnect()` the next `serve()` has a new one.
   */
  get ready(): Promise<string> {
    return this.#state.ready.promise;
  }

  /** Calls that are running. */
  get activeCalls(): number {
    return "calls" in this.#state ? (this.#state.calls?.size ?? 0) : 0;
  }

  /** Checks an agent's options. @throws ConfigError that says what to change. */
  agent(options: AgentOptions): Agent {
    return createAgent(options);
  }

  /**
   * Answers calls until `disconnect()`, or until the process is told to end: SIGTERM and SIGINT let
   * running calls finish for 30 s, a second signal ends them. Resolves once it listens; models are loaded by then.
   *
   * @throws ConfigError when the agent is incomplete, a model is missing or the port is taken.
   */
  async serve(options: ServeOptions): Promise<void> {
    const { type, stop } = this.#state;
    if (type === "starting" || type === "serving")
      throw new ConfigError("This Patter is serving already: call disconnect() first, or use another.");
    if (type === "closing") throw new ConfigError("This Patter is disconnecting: await disconnect() before serve().");
    const ready = type === "failed" ? unwatched() : this.#state.ready;
    const starting: Starting = { type: "starting", ready, stop, started: this.#start(options, stop.signal) };
    this.#state = starting;
    // The command line asks so whether a user's file serves by itself.
    channel("getpatter.serve").publish({ phone: this });
    try {
      const serving = await starting.started;
      if (this.#state !== starting) throw endedEarly();
      this.#state = { type: "serving", ready, stop, ...serving, ignoreSignals: this.#drainOnSignals() };
      ready.resolve(serving.url);
    } catch (cause) {
      const error = stop.signal.aborted ? endedEarly(cause) : cause;
      if (this.#state === starting) this.#state = { type: "failed", ready, stop };
      ready.reject(error);
      throw error;
    }
  }

  /**
   * Answers a request of the program's own server, while `serve()` runs: carriers' webhooks and pages, `GET /health`, and
   * 404 for the rest. Its body must not have been read. @throws ConfigError when nothing is served.
   */
  readonly fetch = async (request: Request): Promise<Response> => this.#endpoint("fetch()").fetch(request);

  /**
   * Takes a WebSocket of the program's own server: the listener of its `upgrade` event. `false`: the path is none of a
   * carrier's, and nothing was done. @throws ConfigError when nothing is served.
   */
  readonly handleUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): boolean =>
    this.#endpoint("handleUpgrade()").handleUpgrade(request, socket, head);

  /**
   * Calls a number; while `serve()` runs, which the call's audio comes to. Resolves when the carrier has taken the call, and
   * with `wait: true` with its result when it is over.
   *
   * @throws ConfigError when an option is wrong or nothing is served, and CarrierError when the carrier takes no call.
   */
  call(options: OutgoingCallOptions & { readonly wait: true }): Promise<CallResult>;
  call(options: OutgoingCallOptions): Promise<OutgoingCall>;
  async call(options: OutgoingCallOptions): Promise<CallResult | OutgoingCall> {
    checkCallOptions(options);
    const state = this.#state;
    if (state.type !== "serving") throw new ConfigError("Nothing answers the call's audio: await serve() before call().");
    const { phoneNumber: from } = this.#options;
    if (from === undefined)
      throw new ConfigError('A call needs a number to come from: pass { phoneNumber: "+15550001234" } to Patter.');
    const { to, ringTimeout = RING_TIMEOUT_S, wait = false } = options;
    const request = { to, from, ...(ringTimeout !== null && { ringTimeoutS: ringTimeout }) };
    const call = await state.outgoing.place(request, agentOfCall(options, state.options));
    return wait ? call.result : call;
  }

  /** Holds one call with the agent in the terminal, typed instead of spoken. Resolves when it has ended. */
  async test(options: TestOptions): Promise<void> {
    checkTestOptions(options);
    const pricing = new Pricing(options.pricing);
    const agent = answeringAgent("test()", options);
    const { signal } = this.#state.stop;
    const { typedChat } = await import("./simulate/typed-chat.js");
    const log = await this.#logger();
    const { input = process.stdin, output = process.stdout, onCallStart } = options;
    const record = await typedChat({
      agent,
      clock: this.#clock,
      input,
      output,
      signal,
      pricing,
      ...(onCallStart && { onStart: onCallStart }),
      onEvent: (event) => reportTranscript(log, options, event),
    });
    warnOfUnknownCosts(record.cost, new Warnings("Pricing"));
    const end = { ...record, caller: record.from, callee: record.to };
    await reportEnd({ log, clock: this.#clock, callbacks: options, end });
  }

  /**
   * Takes no more calls, lets running ones go on for `drainMs`, ends the rest and closes everything; resolves then.
   * Called again meanwhile, the shorter `drainMs` counts. Afterwards `serve()` may be called anew.
   */
  async disconnect(options: DisconnectOptions = {}): Promise<void> {
    const { drainMs = 0 } = options;
    const closing = this.#state.type === "closing" ? this.#state : this.#beginClosing(this.#state);
    if (drainMs > 0) await within(this.#clock, drainMs, closing.closed);
    closing.stop.abort();
    await closing.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.disconnect();
  }

  async #start(options: ServeOptions, signal: AbortSignal): Promise<Serving> {
    checkServeOptions(options);
    const pricing = new Pricing(options.pricing);
    const { fixed, agentOf } = whoAnswers(options, signal);
    const { carrier } = this.#options;
    const setup = this.#setup(options);
    carrier.check?.(setup);
    const clock = this.#clock;
    const [listen, logger] = await Promise.all([listener(options), this.#logger()]);
    if (fixed !== undefined) await abortable(prepare({ agent: fixed, clock, signal, logger }), signal);
    const { maxDurationMs } = options;
    const calls = new RunningCalls({
      agentOf,
      ...(maxDurationMs !== undefined && { maxDurationMs }),
      carrier: carrier.name,
      callbacks: options,
      pricing,
      clock,
      logger,
      signal,
    });
    const served = await listen({
      carriers: [carrier],
      clock,
      logger,
      ...(fixed !== undefined && { agent: agentInfo(fixed) }),
      ...setup,
      isDraining: () => calls.isDraining,
      signal,
      onCall: (incoming) => calls.answer(incoming),
    });
    const outgoing = new OutgoingCalls({ calls, signal, dial: (request) => served.endpoint.dial(request) });
    return { ...served, calls, outgoing, options };
  }

  /** What is reached; also while it drains, when calls go on. */
  #endpoint(name: string): Endpoint {
    const state = this.#state;
    const endpoint = "endpoint" in state ? state.endpoint : undefined;
    if (endpoint === undefined) throw new ConfigError(`Nothing is served: await serve() before ${name}.`);
    return endpoint;
  }

  #setup({ webhookUrl = this.#options.webhookUrl, manageWebhook = true }: ServeOptions): CarrierSetup {
    const { phoneNumber } = this.#options;
    return {
      managesWebhook: manageWebhook,
      ...(phoneNumber !== undefined && { phoneNumber }),
      ...(webhookUrl !== undefined && { publicUrl: publicUrl(webhookUrl) }),
    };
  }

  async #logger(): Promise<Logger> {
    return this.#options.logger ?? (await pinoLogger());
  }

  #beginClosing(state: Exclude<State, Closing>): Closing {
    const ready = state.type === "idle" ? state.ready : unwatched();
    const closed = this.#close(state).finally(() => {
      this.#state = { type: "idle", ready, stop: new AbortController() };
    });
    const { calls, endpoint } = state.type === "serving" ? state : { calls: undefined, endpoint: undefined };
    return (this.#state = { type: "closing", ready, stop: state.stop, calls, endpoint, closed });
  }

  async #close(state: Exclude<State, Closing>): Promise<void> {
    if (state.type === "starting") {
      state.stop.abort();
      // What failed has nothing to close; serve() throws it.
      const serving = await state.started.catch(() => undefined);
      await serving?.calls.drain();
      await serving?.close();
      return;
    }
    if (state.type !== "serving") return;
    try {
      state.calls.turnAway();
      await this.#giveUpRinging(state.outgoing);
      // Nobody is dropped between the carrier's answer and the first word.
      await Promise.race([state.endpoint.settled(), aborted(state.stop.signal)]);
      await state.calls.drain();
      await state.close();
    } finally {
      state.ignoreSignals();
    }
  }

  async #giveUpRinging(outgoing: OutgoingCalls): Promise<void> {
    try {
      await outgoing.close();
    } catch (error) {
      (await this.#logger()).warn({ err: error }, "a call that rings was not given up");
    }
  }

  /** Drains on a signal, and at once on a second one; afterwards the process ends as it would have without us. */
  #drainOnSignals(): () => void {
    const signals = ["SIGTERM", "SIGINT"] as const;
    let drainMs = SIGNAL_DRAIN_MS;
    const drain = (signal: NodeJS.Signals): void => {
      void this.#disconnectAndLog(drainMs).then(() => {
        // Another listener, such as another phone's, has work to finish.
        if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
      });
      drainMs = 0;
    };
    for (const signal of signals) process.on(signal, drain);
    return () => {
      for (const signal of signals) process.off(signal, drain);
    };
  }

  async #disconnectAndLog(drainMs: number): Promise<void> {
    try {
      await this.disconnect({ drainMs });
    } catch (error) {
      (await this.#logger()).error({ err: error }, "not closed well");
    }
  }
}

/** A deferred that nobody has to wait for. */
function unwatched(): Deferred<string> {
  const ready = deferred<string>();
  ready.promise.catch(() => {});
  return ready;
}

/** Resolves when the signal aborts. */
function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    onAbort(signal, resolve);
  });
}

function endedEarly(cause?: unknown): ConfigError {
  return new ConfigError("disconnect() ended serve() before it listened.", { cause });
}

interface Preparation {
  readonly agent: Agent;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/** Loads the models of speech, and warms the language model up. */
async function prepare({ agent, clock, signal, logger }: Preparation): Promise<void> {
  using limit = new ChildController(signal);
  const warming = warmUp({
    agent,
    clock,
    signal: limit.signal,
    onFailure: (error) => logger.warn({ err: error }, "model not warmed up"),
  }).then((event) => {
    if (event !== undefined) logger.debug({ event }, "model warmed up");
  });
  await Promise.all([prepareSpeech(agent, signal), within(clock, WARMUP_MS, warming).finally(() => limit.abort())]);
}

function agentInfo({ stt, llm, tts }: Agent): AgentInfo {
  return {
    ...(stt && { stt: `${stt.provider} ${stt.model}` }),
    ...(llm && { llm: `${llm.provider} ${llm.model}` }),
    ...(tts && { tts: `${tts.provider} ${tts.model}` }),
  };
}
