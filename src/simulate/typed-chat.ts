import type { Agent } from "../agent/agent.js";
import { History } from "../agent/history.js";
import { toolObserver } from "../agent/tool-observer.js";
import { ToolRunner } from "../agent/tool-runner.js";
import { CallEvents } from "../call/call-events.js";
import { announceStart } from "../call/call-start.js";
import { warmUp } from "../call/warm-up.js";
import type { Call } from "../core/call.js";
import type { CallEndReason, CallEvent, CallEventBody } from "../core/call-event.js";
import type { Clock } from "../core/clock.js";
import { CallError, CarrierError, ConfigError } from "../core/errors.js";
import type { LLM } from "../core/llm.js";
import { AsyncQueue } from "../core/queue.js";
import { type Deferred, deferred, onAbort } from "../core/signals.js";
import { costLine } from "../observe/cost-text.js";
import type { Pricing } from "../observe/pricing.js";
import { type CallRecord, recordOf } from "../observe/recorder.js";
import { historyLines, showEvent } from "./chat-display.js";
import { Terminal, type TerminalStreams } from "./terminal.js";
import { type TypedReplySource, typedReply } from "./typed-reply.js";

const COMMANDS = "/hangup ends the call, /transfer NUMBER hands you over, /history shows what the model knows, /quit leaves.";

export interface TypedChatOptions extends TerminalStreams {
  readonly agent: Agent;
  readonly clock: Clock;
  /** Called before the greeting, which waits for it, a second at most. */
  readonly onStart?: (call: Call) => void | Promise<void>;
  /** Called with every event, at once. It must not throw. */
  readonly onEvent?: (event: CallEvent) => void;
  /** Ends the conversation as `shutdown`. */
  readonly signal?: AbortSignal;
  /** What models cost. Default: the built-in prices. */
  readonly pricing?: Pricing;
}

/**
 * Holds a conversation with the agent in a terminal, typed instead of spoken, with the agent's real model and tools.
 * Lines that begin with `/` are commands. What would act on a telephone call is printed. Needs no speech models.
 *
 * @throws ConfigError when the agent has no model.
 */
export async function typedChat(options: TypedChatOptions): Promise<CallRecord> {
  const { llm } = options.agent;
  if (llm === undefined) throw new ConfigError("Nothing can answer: pass llm to phone.agent({ … }).");
  return new TypedChat(options, llm).run();
}

type ChatInput = { readonly type: "line"; readonly text: string } | { readonly type: "input_ended" | "woken" };

class TypedChat implements Call {
  readonly id = crypto.randomUUID();
  readonly from = "terminal";
  readonly to = "agent";
  readonly direction = "inbound";
  readonly customParameters = {};
  readonly events: CallEvents;
  readonly #options: TypedChatOptions;
  readonly #llm: LLM;
  readonly #terminal: Terminal;
  readonly #history = new History();
  readonly #tools: ToolRunner;
  readonly #controller = new AbortController();
  /** Aborts a moment before the call's own signal, so that the tool which ended the call can still answer. */
  readonly #speaking = new AbortController();
  readonly #inbox = new AsyncQueue<ChatInput>();
  readonly #waiting: { readonly text: string; readonly heard: Deferred<string> }[] = [];
  /** Says something within the reply under way, while its tools run. */
  #interject: ((text: string) => void) | undefined;
  #hangUpWhenSilent = false;
  #ended: CallEndReason | undefined;
  #replies = 0;
  #turn = 0;

  constructor(options: TypedChatOptions, llm: LLM) {
    const { agent, clock } = options;
    this.#options = options;
    this.#llm = llm;
    this.#terminal = new Terminal(options, () => this.#end("caller_hung_up"));
    this.events = new CallEvents(this.id, clock);
    const observer = toolObserver(this.#history, (body) => this.#emit(body));
    this.#tools = new ToolRunner({ tools: agent.tools, call: this, clock, observer });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  async run(): Promise<CallRecord> {
    const { agent, clock, onEvent, signal, pricing } = this.#options;
    const { from, to, direction } = this;
    const recorded: CallEvent[] = [];
    this.events.subscribe((event) => {
      recorded.push(event);
      showEvent(this.#terminal, event);
      onEvent?.(event);
    });
    using _shutdown = signal && onAbort(signal, () => this.#end("shutdown"));
    this.#emit({ type: "call_started", carrier: "terminal", from, to, direction, startedAt: clock.epochMs() });
    const reading = this.#read();
    const warming = warmUp({ agent, clock, signal: this.signal, callId: this.id }).then((event) => {
      if (event !== undefined) this.#emit(event);
    });
    await this.#greet();
    await this.#converse();
    await clock.sleep(0);
    this.#controller.abort(new CallError(`The call ${this.id} has ended.`));
    await Promise.all([this.#tools.idle(), warming]);
    this.#emit({ type: "call_ended", reason: this.#ended ?? "error", durationMs: this.events.atMs, endedAt: clock.epochMs() });
    this.events.end();
    const record = recordOf(recorded, pricing);
    const cost = costLine(record.cost);
    if (cost !== undefined) this.#terminal.note(cost);
    this.#terminal[Symbol.dispose]();
    await reading;
    return record;
  }

  async say(text: string): Promise<string> {
    this.#throwIfEnded();
    if (this.#interject !== undefined) {
      this.#interject(text);
      return text;
    }
    const heard = deferred<string>();
    this.#waiting.push({ text, heard });
    this.#inbox.push({ type: "woken" });
    return heard.promise;
  }

  async hangUp(options: { readonly when?: "now" | "after_reply" } = {}): Promise<void> {
    if (options.when === "after_reply") this.#hangUpWhenSilent = true;
    else this.#end("agent_hung_up");
    this.#inbox.push({ type: "woken" });
  }

  async transfer(to: string): Promise<void> {
    this.#throwIfEnded();
    this.#emit({ type: "transfer_started", to });
    this.#emit({ type: "transfer_ended", to, outcome: "completed" });
    this.#end("transferred");
  }

  async sendDtmf(digits: string): Promise<void> {
    this.#throwIfEnded();
    if (!/^[0-9*#A-Dw]+$/.test(digits))
      throw new CarrierError(`"${digits}" cannot be sent as DTMF: use 0-9 * # A-D, and w for a pause.`);
    this.#emit({ type: "dtmf_sent", digits });
  }

  async #read(): Promise<void> {
    for await (const text of this.#terminal.lines) this.#inbox.push({ type: "line", text });
    this.#inbox.push({ type: "input_ended" });
  }

  async #greet(): Promise<void> {
    const { onStart, clock, agent } = this.#options;
    await announceStart({ call: this, onStart, clock, emit: (body) => this.#emit(body) });
    if (agent.firstMessage !== undefined) await this.#reply({ type: "greeting", text: agent.firstMessage });
  }

  /** Reads and answers until one side has ended the call. */
  async #converse(): Promise<void> {
    await this.#speakWaiting();
    this.#prompt();
    for await (const input of this.#ended === undefined ? this.#inbox : []) {
      if (input.type === "line") await this.#onLine(input.text.trim());
      await this.#speakWaiting();
      if (input.type === "input_ended") this.#end("caller_hung_up");
      if (this.#ended !== undefined) break;
      if (input.type === "line") this.#prompt();
    }
    for (const { heard } of this.#waiting) heard.reject(new CallError(`The call ${this.id} ended before "say" was begun.`));
  }

  async #onLine(line: string): Promise<void> {
    this.#terminal.answered(line);
    if (line.startsWith("/")) {
      await this.#command(line);
      return;
    }
    if (line === "") return;
    this.#history.addUser(line);
    this.#turn++;
    this.#emit({ type: "turn_committed", transcript: line, reason: "typed" });
    await this.#reply({ type: "llm", llm: this.#llm });
  }

  async #command(line: string): Promise<void> {
    const [name, argument] = line.split(/\s+/);
    if (name === "/quit") this.#end("shutdown");
    else if (name === "/hangup") this.#end("caller_hung_up");
    else if (name === "/history") this.#terminal.note(historyLines(this.#history.messages()));
    else if (name === "/transfer" && argument !== undefined) await this.transfer(argument);
    else this.#terminal.note(name === "/transfer" ? "Say where to: /transfer +15550100" : COMMANDS);
  }

  /** Says what waits to be said, and then hangs up if that was asked for. */
  async #speakWaiting(): Promise<void> {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      next.heard.resolve(await this.#reply({ type: "say", text: next.text }));
    }
    if (this.#hangUpWhenSilent) this.#end("agent_hung_up");
  }

  #next(): { readonly text: string; readonly heard: Deferred<string> } | undefined {
    return this.#ended === undefined ? this.#waiting.shift() : undefined;
  }

  #reply(source: TypedReplySource): Promise<string> {
    const { agent, clock } = this.#options;
    return typedReply({
      reply: this.#replies++,
      source,
      callId: this.id,
      agent,
      history: this.#history,
      tools: this.#tools,
      clock,
      signal: this.#speaking.signal,
      emit: (body) => this.#emit(body),
      onTools: (interject) => {
        this.#interject = interject;
      },
    });
  }

  #prompt(): void {
    if (this.#ended === undefined) this.#terminal.prompt();
  }

  /** The first reason counts. */
  #end(reason: CallEndReason): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.#speaking.abort(new CallError(`The call ${this.id} has ended.`));
    this.#inbox.push({ type: "woken" });
  }

  #throwIfEnded(): void {
    if (this.#ended !== undefined) throw new CallError(`The call ${this.id} has ended.`);
  }

  #emit(body: CallEventBody): void {
    this.events.emit(body, this.#turn);
  }
}
