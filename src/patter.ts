import { type Agent, type AgentOptions, createAgent, functionLlm } from "./agent/agent.js";
import { runCall } from "./call/session.js";
import type { CallEvent } from "./core/call-event.js";
import type { AgentInfo, IncomingCall } from "./core/carrier.js";
import { type Clock, systemClock } from "./core/clock.js";
import { ConfigError } from "./core/errors.js";
import type { Logger } from "./core/logger.js";
import { deferred, within } from "./core/signals.js";
import { pinoLogger } from "./observe/pino-logger.js";
import { recordOf, transcriptEntry } from "./observe/recorder.js";
import {
  type CallCallbacks,
  checkPatterOptions,
  checkServeOptions,
  checkTestOptions,
  type DisconnectOptions,
  type Message,
  type PatterOptions,
  publicUrl,
  type ServeOptions,
  SIGNAL_DRAIN_MS,
  type TestOptions,
} from "./options.js";
import type { Server } from "./server/server.js";

interface Serving {
  readonly server: Server;
  readonly ignoreSignals: () => void;
}

/** Connects a carrier's calls to an agent. */
export class Patter implements AsyncDisposable {
  readonly #options: PatterOptions;
  readonly #clock: Clock;
  readonly #ready = deferred<string>();
  readonly #calls = new Set<Promise<unknown>>();
  readonly #shutdown = new AbortController();
  #serving: Serving | undefined;
  #draining = false;

  /** @throws ConfigError when an option is missing or not supported. */
  constructor(options: PatterOptions) {
    checkPatterOptions(options);
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    // Nobody has to wait for it.
    this.#ready.promise.catch(() => {});
  }

  /** Resolves with the server's address once it listens; rejects when `serve` fails. */
  get ready(): Promise<string> {
    return this.#ready.promise;
  }

  /** Calls that are running. */
  get activeCalls(): number {
    return this.#calls.size;
  }

  /** Checks an agent's options. @throws ConfigError that says what to change. */
  agent(options: AgentOptions): Agent {
    return createAgent(options);
  }

  /**
   * Answers calls until `disconnect()`, or until the process is told to end: SIGTERM and SIGINT let
   * running calls finish for 30 s. Resolves once it listens; models are loaded by then.
   *
   * @throws ConfigError when the agent is incomplete, a model is missing or the port is taken.
   */
  async serve(options: ServeOptions): Promise<void> {
    try {
      await this.#serve(options);
    } catch (error) {
      this.#ready.reject(error);
      throw error;
    }
  }

  /** Holds one call with the agent in the terminal, typed instead of spoken. Resolves when it has ended. */
  async test(options: TestOptions): Promise<void> {
    checkTestOptions(options);
    const agent = answeringAgent("test()", options);
    const { typedChat } = await import("./simulate/typed-chat.js");
    const logger = this.#options.logger ?? (await pinoLogger());
    const { input = process.stdin, output = process.stdout, onCallStart } = options;
    const record = await typedChat({
      agent,
      clock: this.#clock,
      input,
      output,
      signal: this.#shutdown.signal,
      ...(onCallStart && { onStart: onCallStart }),
      onEvent: (event) => {
        const entry = transcriptEntry(event);
        if (entry !== undefined)
          notify(logger, "onTranscript", () =>
            options.onTranscript?.({ callId: event.callId, role: entry.role, text: entry.text }),
          );
      },
    });
    notify(logger, "onCallEnd", () => options.onCallEnd?.({ ...record, caller: record.from, callee: record.to }));
  }

  /** Takes no more calls, lets running ones go on for `drainMs`, ends the rest and closes everything. */
  async disconnect(options: DisconnectOptions = {}): Promise<void> {
    this.#draining = true;
    const serving = this.#serving;
    this.#serving = undefined;
    serving?.ignoreSignals();
    const drainMs = options.drainMs ?? 0;
    if (drainMs > 0) await within(this.#clock, drainMs, this.#idle());
    this.#shutdown.abort();
    await this.#idle();
    await serving?.server.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.disconnect();
  }

  async #serve(options: ServeOptions): Promise<void> {
    checkServeOptions(options);
    if (this.#serving !== undefined)
      throw new ConfigError("This Patter is serving already: call disconnect() first, or use another.");
    const agent = completeAgent(options);
    const address = options.webhookUrl === undefined ? {} : { publicUrl: publicUrl(options.webhookUrl) };
    const [{ startServer }, logger] = await Promise.all([import("./server/server.js"), this.#options.logger ?? pinoLogger()]);
    await prepare(agent, this.#shutdown.signal);
    const server = await startServer({
      carriers: [this.#options.carrier],
      ...(options.port !== undefined && { port: options.port }),
      ...(options.host !== undefined && { host: options.host }),
      clock: this.#clock,
      logger,
      agent: agentInfo(agent),
      ...address,
      onCall: (incoming) => this.#answer(agent, incoming, options, logger),
    });
    this.#serving = { server, ignoreSignals: this.#drainOnSignals() };
    this.#ready.resolve(server.url);
  }

  #answer(agent: Agent, incoming: IncomingCall, callbacks: CallCallbacks, logger: Logger): void {
    // A call may slip in while the door is closing.
    const running = this.#draining ? refuse(incoming, logger) : this.#run(agent, incoming, callbacks, logger);
    this.#calls.add(running);
    void running.finally(() => this.#calls.delete(running));
  }

  async #run(agent: Agent, incoming: IncomingCall, callbacks: CallCallbacks, logger: Logger): Promise<void> {
    const { callId, from, to, control } = incoming;
    const log = logger.child({ callId });
    const events: CallEvent[] = [];
    const reason = await runCall({
      agent,
      incoming,
      carrier: this.#options.carrier.name,
      clock: this.#clock,
      signal: this.#shutdown.signal,
      ...(callbacks.onCallStart && { onStart: callbacks.onCallStart }),
      onEvents: (stream) => {
        stream.subscribe((event) => {
          events.push(event);
          control.notify?.(event);
          logEvent(log, event);
          const entry = transcriptEntry(event);
          if (entry !== undefined)
            notify(log, "onTranscript", () => callbacks.onTranscript?.({ callId, role: entry.role, text: entry.text }));
        });
      },
    });
    log.info({ reason }, "call ended");
    notify(log, "onCallEnd", () => callbacks.onCallEnd?.({ ...recordOf(events), caller: from, callee: to }));
  }

  async #idle(): Promise<void> {
    while (this.#calls.size > 0) await Promise.all(this.#calls);
  }

  /** Drains on the first signal; afterwards the process ends as it would have without us. */
  #drainOnSignals(): () => void {
    const signals = ["SIGTERM", "SIGINT"] as const;
    const drain = (signal: NodeJS.Signals): void => {
      void this.disconnect({ drainMs: SIGNAL_DRAIN_MS }).then(() => {
        if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
      });
    };
    for (const signal of signals) process.once(signal, drain);
    return () => {
      for (const signal of signals) process.off(signal, drain);
    };
  }
}

async function refuse(incoming: IncomingCall, logger: Logger): Promise<void> {
  await incoming.control.hangUp("shutdown").catch((error: unknown) => logger.warn({ err: error }, "late call not hung up"));
  await incoming.transport[Symbol.asyncDispose]();
}

/** Runs a callback that nobody waits for. */
function notify(log: Logger, name: string, run: () => unknown): void {
  void (async () => run())().catch((error: unknown) => log.error({ err: error, callback: name }, "callback failed"));
}

/** The agent with `onMessage` as its model, checked for what a spoken call needs. */
function completeAgent(options: Partial<ServeOptions>): Agent {
  const { agent } = options;
  const missing = agent === undefined ? [] : (["stt", "tts"] as const).filter((name) => agent[name] === undefined);
  if (missing.length > 0) throw new ConfigError(`A spoken call needs ${missing.join(" and ")}: pass it to phone.agent({ … }).`);
  return answeringAgent("serve()", options);
}

/** The agent with `onMessage` as its model. @throws ConfigError that names `where` when there is no agent, or not one model. */
export function answeringAgent(where: string, { agent, onMessage }: Partial<ServeOptions>): Agent {
  if (agent === undefined) throw new ConfigError(`${where} needs an agent: pass { agent: phone.agent({ … }) }.`);
  if (onMessage !== undefined && agent.llm !== undefined) {
    throw new ConfigError(`${where} has onMessage and the agent has an llm: only one of them can answer.`);
  }
  if (onMessage !== undefined) return { ...agent, llm: messageLlm(onMessage) };
  if (agent.llm === undefined)
    throw new ConfigError(`Nothing can answer: pass llm to phone.agent({ … }) or onMessage to ${where}.`);
  return agent;
}

function messageLlm(onMessage: NonNullable<ServeOptions["onMessage"]>): NonNullable<Agent["llm"]> {
  return functionLlm(async function* onMessageLlm(messages, _tools, options) {
    const turns = messages.flatMap((message): Message["history"] =>
      (message.role === "user" || message.role === "assistant") && message.content !== null
        ? [{ role: message.role, text: message.content }]
        : [],
    );
    const answer = await onMessage({
      callId: options?.callId ?? "",
      text: turns.at(-1)?.text ?? "",
      history: turns.slice(0, -1),
    });
    if (typeof answer === "string") yield answer;
    else yield* answer;
  });
}

async function prepare(agent: Agent, signal: AbortSignal): Promise<void> {
  await Promise.all([agent.stt, agent.tts, agent.vad].map(async (provider) => provider?.prepare?.({ signal })));
}

function agentInfo({ stt, llm, tts }: Agent): AgentInfo {
  return {
    ...(stt && { stt: `${stt.provider} ${stt.model}` }),
    ...(llm && { llm: `${llm.provider} ${llm.model}` }),
    ...(tts && { tts: `${tts.provider} ${tts.model}` }),
  };
}

function logEvent(log: Logger, event: CallEvent): void {
  if (event.type === "call_started")
    log.info({ carrier: event.carrier, direction: event.direction, pii: { from: event.from, to: event.to } }, "call began");
  else if (event.type !== "call_error") log.debug({ type: event.type }, "call event");
  else if (event.fatal) log.error({ stage: event.stage, code: event.code, message: event.message }, "call failed");
  else log.warn({ stage: event.stage, code: event.code, message: event.message }, "call degraded");
}
