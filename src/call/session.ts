import type { Agent } from "../agent/agent.js";
import { History } from "../agent/history.js";
import { toolObserver } from "../agent/tool-observer.js";
import { ToolRunner } from "../agent/tool-runner.js";
import { rmsDbfs } from "../audio/level.js";
import { decodeFrame } from "../audio/pcm.js";
import type { AudioFrame } from "../core/audio-frame.js";
import type { Call } from "../core/call.js";
import type { CallEndReason, CallEventBody } from "../core/call-event.js";
import type { IncomingCall } from "../core/carrier.js";
import type { Clock } from "../core/clock.js";
import { CallError, ConfigError, errorMessage } from "../core/errors.js";
import { AsyncQueue } from "../core/queue.js";
import { Scope } from "../core/scope.js";
import { abortable, deferred, onAbort, within } from "../core/signals.js";
import { CallEvents } from "./call-events.js";
import { announceStart } from "./call-start.js";
import { EchoMeter } from "./echo.js";
import { errorEvent } from "./error-event.js";
import { Listener } from "./listen.js";
import { Pipeline } from "./pipeline.js";
import { Playout } from "./playout.js";
import { SpeechOutput } from "./speech-output.js";
import type { TurnInput } from "./turn-input.js";
import { warmUp } from "./warm-up.js";

/** How long the carrier may take to hang up, in ms. */
const HANG_UP_MS = 5000;

export interface CallOptions {
  readonly agent: Agent;
  readonly incoming: IncomingCall;
  readonly carrier: string;
  readonly clock: Clock;
  /** Ends the call as `shutdown`. */
  readonly signal: AbortSignal;
  /** How long the call may last, in ms; it ends as `max_duration`. Default: as long as it likes. */
  readonly maxDurationMs?: number;
  /** A warm-up of the agent's model that began while the phone rang; what it resolves with is an event of the call. Never rejects. */
  readonly warmingUp?: Promise<CallEventBody | undefined>;
  /** Subscribes to the events before the first. */
  readonly onEvents: (events: CallEvents) => void;
  /** Called when the call is connected; the greeting waits for it, a second at most. */
  readonly onStart?: (call: Call) => void | Promise<void>;
}

/** One call, from the connected transport to its clean end. */
export async function runCall(options: CallOptions): Promise<CallEndReason> {
  const session = new Session(options);
  return session.run();
}

class Session implements Call {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly direction: "inbound" | "outbound";
  readonly customParameters: Readonly<Record<string, string>>;
  readonly events: CallEvents;
  readonly #options: CallOptions;
  readonly #controller = new AbortController();
  readonly #inbox = new AsyncQueue<TurnInput>();
  #turn = 0;

  constructor(options: CallOptions) {
    this.#options = options;
    const { incoming, clock } = options;
    this.id = incoming.callId;
    this.from = incoming.from;
    this.to = incoming.to;
    this.direction = incoming.direction;
    this.customParameters = incoming.customParameters;
    this.events = new CallEvents(incoming.callId, clock);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  async run(): Promise<CallEndReason> {
    const { clock, carrier, onEvents } = this.#options;
    onEvents(this.events);
    const { from, to, direction } = this;
    this.#emit({ type: "call_started", carrier, from, to, direction, startedAt: clock.epochMs() });
    const reason = await this.#converse().catch((error: unknown): CallEndReason => {
      this.#emit(errorEvent("call", error, { fatal: true }));
      return "error";
    });
    // What could not even begin has not hung up.
    if (!this.signal.aborted) await this.#disconnect(reason);
    this.#emit({ type: "call_ended", reason, durationMs: this.events.atMs, endedAt: clock.epochMs() });
    this.events.end();
    return reason;
  }

  async say(text: string): Promise<string> {
    this.#throwIfEnded();
    const said = deferred<string>();
    this.#inbox.push({
      type: "say",
      source: { type: "say", text },
      onHeard: (heard) => {
        if (heard === undefined) said.reject(new CallError(`The call ${this.id} ended before "say" was begun.`));
        else said.resolve(heard);
      },
    });
    return said.promise;
  }

  async hangUp(options: { readonly when?: "now" | "after_reply" } = {}): Promise<void> {
    this.#inbox.push({ type: "hang_up", when: options.when ?? "now", reason: "agent_hung_up" });
  }

  async transfer(to: string): Promise<void> {
    this.#throwIfEnded();
    this.#emit({ type: "transfer_started", to });
    try {
      await this.#options.incoming.control.transfer(to);
    } catch (error) {
      this.#emit({ type: "transfer_ended", to, outcome: "failed", message: errorMessage(error) });
      throw error;
    }
    this.#emit({ type: "transfer_ended", to, outcome: "completed" });
    this.#hangUpNow("transferred");
  }

  async sendDtmf(digits: string): Promise<void> {
    this.#throwIfEnded();
    await this.#options.incoming.control.sendDtmf(digits);
    this.#emit({ type: "dtmf_sent", digits });
  }

  /** Opens the streams, runs the turn loop until the call ends, and closes everything. */
  async #converse(): Promise<CallEndReason> {
    const { agent, incoming, clock, signal: shutdown, maxDurationMs = Number.POSITIVE_INFINITY } = this.#options;
    const { transport } = incoming;
    const { stt, tts, vad, language } = agent;
    if (stt === undefined || tts === undefined)
      throw new ConfigError("A spoken call needs stt and tts: pass both to phone.agent({ … }).");
    const scope = new Scope(this.signal, (error) => this.#fail(error));
    const { format } = transport;
    using playout = new Playout({
      transport,
      clock,
      onStarted: (reply) => this.#inbox.push({ type: "playout_started", reply }),
      onFinished: (reply) => this.#inbox.push({ type: "playout_finished", reply }),
    });
    await using speech = new SpeechOutput({ tts, format, language, clock, signal: scope.signal });
    const history = new History();
    const emit = (body: CallEventBody): void => this.#emit(body);
    const tools = new ToolRunner({ tools: agent.tools, call: this, clock, observer: toolObserver(history, emit) });
    const echo = new EchoMeter();
    const onFrame = (frame: AudioFrame): void => {
      // Only beside a VAD is the loudness of any use; without one nothing is decoded.
      if (vad !== undefined) echo.add(rmsDbfs(decodeFrame(frame)), playout.levelDbfs);
    };
    const listener = new Listener({ onFrame, transport, stt, vad, language, clock, scope, inbox: this.#inbox });
    const pipeline = new Pipeline({
      inbox: this.#inbox,
      listener,
      echo,
      services: { callId: this.id, agent, history, tools, speech, playout, format, clock, signal: scope.signal, emit },
      llm: agent.llm,
      scope,
      toAtMs: (clockMs) => this.events.toAtMs(clockMs),
      emit,
      onTurn: () => {
        this.#turn++;
      },
    });
    using _shutdown = onAbort(shutdown, () => this.#hangUpNow("shutdown"));
    using _limit = clock.setTimer(maxDurationMs, () => this.#hangUpNow("max_duration"));
    listener.start();
    scope.run(() => this.#greet(emit));
    scope.run((signal) => this.#warmUp(signal));
    let reason: CallEndReason = "error";
    try {
      reason = await pipeline.run();
    } finally {
      await this.#disconnect(reason);
      await scope.close();
      await tools.idle();
    }
    return reason;
  }

  async #greet(emit: (body: CallEventBody) => void): Promise<void> {
    const { onStart, clock, agent } = this.#options;
    await announceStart({ call: this, onStart, clock, emit });
    const { firstMessage } = agent;
    if (firstMessage === undefined || firstMessage.trim() === "") return;
    this.#inbox.push({ type: "say", source: { type: "greeting", text: firstMessage }, onHeard: () => {} });
  }

  async #warmUp(signal: AbortSignal): Promise<void> {
    const { agent, clock, warmingUp } = this.#options;
    // What began while the phone rang rejects only when the call has ended.
    const warming = warmingUp && abortable(warmingUp, signal).catch(() => undefined);
    const event = await (warming ?? warmUp({ agent, clock, signal, callId: this.id }));
    if (event !== undefined) this.#emit(event);
  }

  /** Ends everything that goes on in the call, and the line. */
  async #disconnect(reason: CallEndReason): Promise<void> {
    this.#controller.abort(new CallError(`The call ${this.id} has ended.`));
    await this.#release(reason);
    await this.#options.incoming.transport[Symbol.asyncDispose]();
  }

  /** Hangs up where the other side has not done so. */
  async #release(reason: CallEndReason): Promise<void> {
    if (reason === "caller_hung_up" || reason === "connection_lost" || reason === "transferred") return;
    const { incoming, clock } = this.#options;
    const hungUp = incoming.control.hangUp(reason).catch((error: unknown) => this.#emit(errorEvent("carrier", error)));
    await within(clock, HANG_UP_MS, hungUp);
  }

  #fail(error: unknown): void {
    this.#emit(errorEvent("call", error, { fatal: true }));
    this.#hangUpNow("error");
  }

  #hangUpNow(reason: CallEndReason): void {
    this.#inbox.push({ type: "hang_up", when: "now", reason });
  }

  #throwIfEnded(): void {
    if (this.signal.aborted || this.#inbox.ended) throw new CallError(`The call ${this.id} has ended.`);
  }

  #emit(body: CallEventBody): void {
    this.events.emit(body, this.#turn);
  }
}
