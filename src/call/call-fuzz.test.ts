import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import fc from "fast-check";
import { describe, test } from "vitest";
import { createAgent } from "../agent/agent.js";
import { endCallTool } from "../agent/call-tools.js";
import { type ToolContext, tool } from "../agent/tools.js";
import type { AudioFrame } from "../core/audio-frame.js";
import type { Call } from "../core/call.js";
import type { CallEndReason, CallEvent, CallEventOf } from "../core/call-event.js";
import type { ChatMessage } from "../core/chat.js";
import { VirtualClock } from "../core/clock.js";
import { ProviderError } from "../core/errors.js";
import type { LLM, LlmChunk, LlmOptions, LlmStopReason } from "../core/llm.js";
import type { STT } from "../core/stt.js";
import type { TransportEvent } from "../core/transport.js";
import type { VAD } from "../core/vad.js";
import { SpokenWords } from "../testing/spoken-words.js";
import { TestPhone, type TestPhoneOptions } from "../testing/test-phone.js";
import { TestSTT, TestTTS, TestVAD } from "../testing/test-speech.js";
import { runCall } from "./session.js";

fc.configureGlobal({ seed: 1 });

/** What is said in every call alike; everything else is said once. */
const HOLD_LINE = "Please hold on.";
const ERROR_LINE = "Sorry about that.";
/** A sentence for which the voice has no sound. */
const SOUNDLESS = "Psst.";
const CONSTANTS = new Set(`${HOLD_LINE} ${ERROR_LINE} ${SOUNDLESS}`.split(" "));
const LATE_MS = 2000;

// What one call is made of

interface AnswerPlan {
  readonly firstTokenMs: number;
  readonly wordMs: number;
  /** Words of each sentence; 0 for one without sound. */
  readonly sentences: readonly number[];
  readonly tools: readonly ToolPlan[];
  readonly fails: boolean;
  readonly stopReason: LlmStopReason | undefined;
  /** Whether it goes on although it was told to stop. */
  readonly isDeaf: boolean;
}

interface WarmUpPlan {
  readonly durationMs: number;
  readonly fails: boolean;
  readonly isDeaf: boolean;
}

interface ToolPlan {
  readonly name: "stays" | "goes" | "end_call" | "absent";
  readonly durationMs: number;
  readonly fails: boolean;
  readonly isDeaf: boolean;
}

type Action =
  | { readonly type: "speak"; readonly words: number }
  | { readonly type: "mumble" | "press" | "restart" | "hum" | "agent_says" }
  | { readonly type: "none" };

interface Plan {
  readonly vad: boolean;
  readonly turnEndMs: number | undefined;
  readonly greets: boolean;
  readonly phone: {
    readonly playout: "marks" | "clock";
    readonly markDelayMs: number;
    readonly losesEvery: number;
    readonly echo: boolean;
  };
  readonly tts: { readonly latencyMs: number; readonly wordTimes: boolean; readonly failsEvery: number };
  readonly answers: readonly AnswerPlan[];
  readonly warmUp: WarmUpPlan;
  /** Whether the model gives the calls of every answer the same ids. */
  readonly usesIdsAgain: boolean;
  /** When voice detection and recognition fail first, in ms of the call; `undefined`: never. */
  readonly vadFailsMs: number | undefined;
  readonly sttFailsMs: number | undefined;
  readonly sttFailsBy: "throwing" | "ending";
  /** Whether the agent's transform throws at times. */
  readonly transformThrows: boolean;
  readonly script: readonly { readonly waitMs: number; readonly action: Action }[];
  /** How long the caller stays silent before the call ends. */
  readonly silenceMs: number;
  readonly ending: "caller" | "agent" | "shutdown" | "after_reply";
}

/** Any time, and often one that falls together with the phone's frames. */
const upTo = (max: number): fc.Arbitrary<number> =>
  fc.oneof(
    fc.constant(0),
    fc.integer({ min: 0, max: max / 20 }).map((frames) => frames * 20),
    fc.integer({ min: 0, max: Math.min(300, max) }),
    fc.integer({ min: 0, max }),
  );
const sometimes = (arbitrary: fc.Arbitrary<number>): fc.Arbitrary<number | undefined> =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
const rarely = fc.integer({ min: 0, max: 9 }).map((roll) => roll === 9);

const toolPlan: fc.Arbitrary<ToolPlan> = fc.record({
  name: fc.constantFrom("stays", "stays", "stays", "goes", "goes", "absent", "end_call"),
  durationMs: upTo(6000),
  fails: rarely,
  isDeaf: rarely,
});

const answerPlan: fc.Arbitrary<AnswerPlan> = fc.record({
  firstTokenMs: upTo(5000),
  wordMs: fc.constantFrom(0, 0, 10, 80),
  sentences: fc.array(
    fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 9 }) }, { weight: 1, arbitrary: fc.constant(0) }),
    {
      maxLength: 4,
      size: "max",
    },
  ),
  tools: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.array(toolPlan, { maxLength: 2 }) }),
  fails: rarely,
  stopReason: fc.constantFrom(...([undefined, undefined, undefined, undefined, "other", "refusal", "max_tokens"] as const)),
  isDeaf: rarely,
});

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ type: fc.constant("speak" as const), words: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 3, arbitrary: fc.constant({ type: "mumble" as const }) },
  {
    weight: 4,
    arbitrary: fc.constantFrom(...(["press", "restart", "hum", "agent_says", "none"] as const)).map((type) => ({ type })),
  },
);

const plans: fc.Arbitrary<Plan> = fc.record({
  vad: fc.boolean(),
  turnEndMs: fc.constantFrom(undefined, undefined, 300),
  greets: fc.boolean(),
  phone: fc.record({
    playout: fc.constantFrom("marks", "marks", "clock"),
    markDelayMs: fc.constantFrom(0, 0, 35, 150, 300),
    losesEvery: fc.constantFrom(0, 0, 0, 1, 3),
    echo: rarely,
  }),
  tts: fc.record({
    latencyMs: fc.constantFrom(0, 0, 80, 400),
    wordTimes: fc.boolean(),
    failsEvery: fc.constantFrom(0, 0, 0, 0, 4),
  }),
  answers: fc.array(answerPlan, { minLength: 1, maxLength: 6, size: "max" }),
  warmUp: fc.record({ durationMs: upTo(5000), fails: rarely, isDeaf: rarely }),
  usesIdsAgain: fc.boolean(),
  vadFailsMs: sometimes(upTo(6000)),
  sttFailsMs: sometimes(upTo(6000)),
  sttFailsBy: fc.constantFrom("throwing", "ending"),
  transformThrows: rarely,
  script: fc.array(fc.record({ waitMs: upTo(3500), action }), { maxLength: 8, size: "max" }),
  silenceMs: fc.oneof(upTo(400), fc.constant(9000)),
  ending: fc.constantFrom("caller", "caller", "agent", "shutdown", "after_reply"),
});

// The doubles

/** A voice that has no sound for one word. */
class QuietWords extends SpokenWords {
  override durationMs(word: string): number {
    return word === SOUNDLESS ? 0 : super.durationMs(word);
  }

  override encode(text: string): Uint8Array {
    return text === SOUNDLESS ? new Uint8Array(0) : super.encode(text);
  }
}

/** Words that are said once in a test: `prefix1 prefix2 …`. */
class Words {
  readonly #prefix: string;
  #count = 0;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  take(count: number): string {
    return Array.from({ length: count }, () => `${this.#prefix}${++this.#count}`).join(" ");
  }
}

interface Request {
  readonly atMs: number;
  readonly messages: readonly ChatMessage[];
  /** How many events there were when it was made. */
  readonly events: number;
}

/** One model for every call; what it says is told by the call's id. */
class FuzzLLM implements LLM {
  readonly provider = "fuzz";
  readonly model = "random-answers";
  readonly calls = new Map<string, FuzzCall>();

  async *stream(messages: readonly ChatMessage[], _tools?: unknown, options: LlmOptions = {}): AsyncGenerator<LlmChunk> {
    const call = this.calls.get(options.callId ?? "");
    assert.ok(call !== undefined);
    yield* call.answer(messages, options.signal);
  }

  async warmup(_messages: unknown, _tools?: unknown, options: LlmOptions = {}): Promise<void> {
    await this.calls.get(options.callId ?? "")?.warmUp(options);
  }
}

/** A phone that remembers when each side was sounding. */
class FuzzPhone extends TestPhone {
  readonly #clock: VirtualClock;
  /** When audio was sent to the ear. */
  readonly sentAtMs: number[] = [];
  /** When the caller's voice was heard. */
  readonly spokeAtMs: number[] = [];

  constructor(options: TestPhoneOptions & { readonly clock: VirtualClock }) {
    super(options);
    this.#clock = options.clock;
  }

  override get received(): AsyncIterable<TransportEvent> {
    return this.#hear(super.received);
  }

  override send(frame: AudioFrame): void {
    this.sentAtMs.push(this.#clock.now());
    super.send(frame);
  }

  async *#hear(events: AsyncIterable<TransportEvent>): AsyncGenerator<TransportEvent> {
    for await (const event of events) {
      if (event.type !== "audio") {
        yield event;
        continue;
      }
      const isSilent = event.frame.bytes.every((byte) => byte === 0);
      if (!isSilent) this.spokeAtMs.push(this.#clock.now());
      yield event;
    }
  }
}

/** The sound between words: a voice for the VAD, no word for recognition. */
/** The items of `source` for `ms`; then `error`, or the end. */
async function* until<T>(
  source: AsyncIterable<T>,
  ms: number,
  error: Error | undefined,
  signal: AbortSignal,
  clock: VirtualClock,
): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  const end = clock.sleep(ms, signal).then(
    () => undefined,
    () => undefined,
  );
  for (;;) {
    const next = await Promise.race([iterator.next(), end]);
    if (next === undefined) break;
    if (next.done === true) return;
    yield next.value;
  }
  if (error !== undefined) throw error;
}

/** What the calls of one test share, as the calls of one server do. */
class World {
  readonly clock = new VirtualClock();
  readonly spoken = new QuietWords();
  readonly llm = new FuzzLLM();
  readonly shutdown = new AbortController();
}

/** One random call. */
class FuzzCall {
  readonly id: string;
  readonly plan: Plan;
  readonly world: World;
  readonly phone: FuzzPhone;
  readonly stt: TestSTT;
  readonly tts: TestTTS;
  readonly events: CallEvent[] = [];
  readonly requests: Request[] = [];
  /** Starts of tools by their call's id. */
  readonly toolRuns = new Map<string, number>();
  /** How what the agent was told to say ended; `pending` until it did. */
  readonly says: ("pending" | "heard" | "rejected")[] = [];
  /** Everything the caller said, and what of it was no more than listening. */
  readonly said: string[] = [];
  readonly ended: Promise<CallEndReason>;
  readonly #agentWords: Words;
  readonly #callerWords: Words;
  #call: Call | undefined;
  #asked = 0;
  #toolCalls = 0;
  /** Calls of answers that were refused, or cut by the token limit. */
  readonly #neverRun = new Set<string>();

  constructor(id: string, plan: Plan, world: World) {
    this.id = id;
    this.plan = plan;
    this.world = world;
    const { clock, spoken, llm, shutdown } = world;
    this.#agentWords = new Words(`${id}w`);
    this.#callerWords = new Words(`${id}c`);
    const { losesEvery, ...phone } = plan.phone;
    this.phone = new FuzzPhone({
      clock,
      spoken,
      callId: id,
      ...phone,
      losesMark: (index) => losesEvery > 0 && index % losesEvery === 0,
    });
    this.stt = new TestSTT({ spoken, ...(plan.turnEndMs === undefined ? {} : { turnEndMs: plan.turnEndMs }) });
    let sentences = 0;
    const fails = (): Error | undefined => {
      sentences++;
      return plan.tts.failsEvery > 0 && sentences % plan.tts.failsEvery === 0
        ? new ProviderError("no voice", { provider: "test" })
        : undefined;
    };
    this.tts = new TestTTS({ spoken, ...plan.tts, fails });
    llm.calls.set(id, this);
    const agent = createAgent({
      stt: this.#failingStt(),
      tts: this.tts,
      llm,
      ...(plan.vad ? { vad: this.#failingVad(new TestVAD({ spoken })) } : {}),
      textTransforms: [this.#transform()],
      ...(plan.greets ? { firstMessage: this.#sentence(5) } : {}),
      longTurnMessage: HOLD_LINE,
      llmErrorMessage: ERROR_LINE,
      tools: [this.#tool("stays", false), this.#tool("goes", true), endCallTool()],
    });
    this.ended = runCall({
      agent,
      incoming: this.phone.incoming(),
      carrier: "test",
      clock,
      signal: shutdown.signal,
      onEvents: (stream) => {
        stream.subscribe((event) => this.events.push(event));
      },
      onStart: (call) => {
        this.#call = call;
      },
    });
  }

  /** Plays the caller's part to the end of the call. */
  async play(): Promise<void> {
    for (const { waitMs, action: next } of this.plan.script) {
      await this.world.clock.sleep(waitMs);
      if (this.phone.isClosed) break;
      this.#act(next);
    }
    await this.world.clock.sleep(this.plan.silenceMs);
    if (this.plan.ending === "caller") this.phone.hangUp();
    else if (this.plan.ending === "shutdown") this.world.shutdown.abort();
    else if (this.plan.ending === "agent") await this.#call?.hangUp();
    else {
      await this.#call?.hangUp({ when: "after_reply" });
      // A caller who interrupts keeps the line.
      await this.world.clock.sleep(20_000);
      this.phone.hangUp();
    }
    await this.ended;
  }

  async *answer(messages: readonly ChatMessage[], signal: AbortSignal | undefined): AsyncGenerator<LlmChunk> {
    const { clock } = this.world;
    this.requests.push({ atMs: clock.now(), messages: structuredClone(messages), events: this.events.length });
    const { answers } = this.plan;
    const { firstTokenMs, wordMs, sentences, tools, fails, stopReason, isDeaf } = answers[
      this.#asked++ % answers.length
    ] as AnswerPlan;
    const listening = isDeaf ? undefined : signal;
    if (firstTokenMs > 0) await clock.sleep(firstTokenMs, listening);
    for (const count of sentences) {
      for (const content of (count === 0 ? SOUNDLESS : this.#sentence(count)).match(/\S+\s*/g) ?? []) {
        yield { type: "text", content: `${content.trim()} ` };
        if (wordMs > 0) await clock.sleep(wordMs, listening);
      }
    }
    if (fails) throw new ProviderError("no idea", { provider: this.id });
    for (const [index, { name, durationMs, fails: toolFails, isDeaf: toolIsDeaf }] of tools.entries()) {
      const args = JSON.stringify({ durationMs, fails: toolFails, isDeaf: toolIsDeaf });
      const id = this.plan.usesIdsAgain ? `call_${index}` : `${this.id}-t${this.#toolCalls++}`;
      if (!this.plan.usesIdsAgain && (stopReason === "refusal" || stopReason === "max_tokens")) this.#neverRun.add(id);
      yield { type: "tool_call", index, id, name };
      yield { type: "tool_call", index, arguments: args };
    }
    yield { type: "done", ...(stopReason && { stopReason }) };
  }

  async warmUp({ signal, onUsage }: LlmOptions): Promise<void> {
    const { durationMs, fails, isDeaf } = this.plan.warmUp;
    try {
      await this.world.clock.sleep(durationMs, isDeaf ? undefined : signal);
    } finally {
      onUsage?.({ inputTokens: 1, outputTokens: 0 });
    }
    if (fails) throw new ProviderError("not today", { provider: this.id });
  }

  #act(next: Action): void {
    switch (next.type) {
      case "speak":
        this.#say(this.#callerWords.take(next.words));
        return;
      case "mumble":
        void this.phone.say("mm-hm");
        return;
      case "press":
        this.phone.press("5");
        return;
      case "restart":
        this.phone.restart();
        return;
      case "hum":
        void this.phone.hum(700);
        return;
      case "agent_says": {
        const index = this.says.push("pending") - 1;
        const said = this.#call?.say(this.#sentence(3)) ?? Promise.reject(new Error("not started"));
        void said.then(
          () => (this.says[index] = "heard"),
          () => (this.says[index] = "rejected"),
        );
        return;
      }
      case "none":
        return;
    }
  }

  #say(text: string): void {
    this.said.push(...text.split(" "));
    void this.phone.say(text);
  }

  #transform(): (text: string) => string {
    let sentences = 0;
    return (text) => {
      sentences++;
      if (this.plan.transformThrows && sentences % 3 === 0) throw new Error("no rule");
      return text;
    };
  }

  /** Its first stream fails when it is time. */
  #failingStt(): STT {
    const { stt, plan, world } = this;
    const { sttFailsMs, sttFailsBy } = plan;
    if (sttFailsMs === undefined) return stt;
    let opened = 0;
    return {
      provider: stt.provider,
      model: stt.model,
      inputFormats: stt.inputFormats,
      open: (options) => {
        const stream = stt.open(options);
        if (opened++ > 0) return stream;
        const error = sttFailsBy === "throwing" ? new ProviderError("no ears", { provider: "test", retryable: true }) : undefined;
        return {
          write: (frame) => stream.write(frame),
          finalize: () => stream.finalize(),
          [Symbol.asyncIterator]: () => until(stream, sttFailsMs, error, options.signal, world.clock),
          [Symbol.asyncDispose]: () => stream[Symbol.asyncDispose](),
        };
      },
    };
  }

  #failingVad(vad: TestVAD): VAD {
    const { vadFailsMs } = this.plan;
    if (vadFailsMs === undefined) return vad;
    return {
      provider: vad.provider,
      inputFormat: vad.inputFormat,
      open: (options) => {
        const stream = vad.open(options);
        const error = new ProviderError("no voice", { provider: "test" });
        return {
          write: (frame) => stream.write(frame),
          [Symbol.asyncIterator]: () => until(stream, vadFailsMs, error, options.signal, this.world.clock),
          [Symbol.asyncDispose]: () => stream[Symbol.asyncDispose](),
        };
      },
    };
  }

  #sentence(words: number): string {
    return `${this.#agentWords.take(words)}.`;
  }

  #tool(name: string, cancelOnBargeIn: boolean) {
    return tool({
      name,
      cancelOnBargeIn,
      handler: async (args: Record<string, unknown>, { signal, idempotencyKey }: ToolContext) => {
        this.toolRuns.set(idempotencyKey, (this.toolRuns.get(idempotencyKey) ?? 0) + 1);
        await this.world.clock.sleep(Number(args["durationMs"]), args["isDeaf"] === true ? undefined : signal);
        if (args["fails"] === true) throw new Error("out of order");
        return "done";
      },
    });
  }

  // What must hold when the call is over

  check(): void {
    this.#checkEvents();
    this.#checkReplies();
    this.#checkHeard();
    for (const [index, request] of this.requests.entries()) this.#checkRequest(request, this.requests[index - 1]);
    for (const [key, runs] of this.toolRuns) assert.equal(runs, 1, `${key} ran ${runs} times`);
    this.#checkDeadAir();
    this.#checkWords();
    assert.ok(!this.says.includes("pending"), "something to be said was forgotten");
    assert.equal(this.stt.openStreams, 0, "open recognition");
    assert.equal(this.tts.openConnections, 0, "open synthesis");
    assert.ok(this.phone.isClosed, "the line is still open");
  }

  #of<Type extends CallEvent["type"]>(type: Type): CallEventOf<Type>[] {
    return this.events.filter((event): event is CallEvent & CallEventOf<Type> => event.type === type);
  }

  #checkEvents(): void {
    const { events } = this;
    assert.deepEqual(
      events.map(({ sequence }) => sequence),
      events.map((_, index) => index),
    );
    for (const [index, { atMs, turn, callId }] of events.entries()) {
      assert.ok(atMs >= (events[index - 1]?.atMs ?? 0), "time went backwards");
      assert.ok((turn ?? 0) >= (events[index - 1]?.turn ?? 0), "turns went backwards");
      assert.equal(callId, this.id);
    }
    assert.equal(events[0]?.type, "call_started");
    assert.equal(events.at(-1)?.type, "call_ended");
    assert.equal(this.#of("call_ended").length, 1);
    for (const error of this.#of("call_error"))
      assert.ok(!error.fatal && error.stage !== "call", `${error.stage}: ${error.message}`);
    const started = this.#of("reply_started").map(({ reply }) => reply);
    assert.deepEqual(started, [...started.keys()], "replies are counted from 0");
    assert.deepEqual(
      this.#of("reply_ended").map(({ reply }) => reply),
      started,
      "each reply ends once, in order",
    );
    assert.deepEqual(
      this.#of("tool_started")
        .map(({ toolCallId }) => toolCallId)
        .sort(),
      this.#of("tool_ended")
        .map(({ toolCallId }) => toolCallId)
        .sort(),
      "each tool that started ended",
    );
    for (const { toolCallId } of this.#of("tool_started"))
      assert.ok(!this.#neverRun.has(toolCallId), `${toolCallId} of an answer that was refused or cut was run`);
    const { isDeaf, durationMs } = this.plan.warmUp;
    if (!isDeaf || durationMs === 0) assert.equal(this.#of("llm_warmed_up").length, 1, "what the warm-up cost is reported once");
  }

  /** A reply's events lie between its beginning and its end; pauses end; nobody is talked over. */
  #checkReplies(): void {
    const open = new Set<number>();
    let pausedAtMs: number | undefined;
    let isSpeaking = false;
    const hasTurns = this.plan.vad && this.plan.vadFailsMs === undefined && this.plan.turnEndMs === undefined;
    for (const event of this.events) {
      if (pausedAtMs !== undefined) assert.ok(event.atMs - pausedAtMs <= LATE_MS, `paused since ${pausedAtMs} ms`);
      switch (event.type) {
        case "speech_started":
        case "speech_ended":
          isSpeaking = event.type === "speech_started";
          break;
        case "reply_started":
          open.add(event.reply);
          if (hasTurns && event.source !== "llm") assert.ok(!isSpeaking, "the agent speaks into the caller's words");
          break;
        case "reply_paused":
          pausedAtMs = event.atMs;
          break;
        case "reply_resumed":
          pausedAtMs = undefined;
          break;
        case "reply_ended":
          open.delete(event.reply);
          pausedAtMs = undefined;
          break;
        case "llm_requested":
        case "llm_first_token":
        case "llm_ended":
        case "tool_started":
        case "sentence_ready":
        case "tts_first_audio":
        case "playout_started":
        case "barge_in":
          assert.ok(open.has(event.reply), `${event.type} of reply ${event.reply}, which is not under way`);
          break;
        default:
      }
    }
  }

  /** What each reply says was heard of it is what the ear heard, but for the word at hand. */
  #checkHeard(): void {
    const { markDelayMs, losesEvery, playout } = this.plan.phone;
    const ear = [...new Set(this.phone.heard.split(" ").filter(Boolean))];
    const isLossy = playout === "marks" && losesEvery > 0;
    const lateMs = playout === "marks" ? markDelayMs : 0;
    // What was on its way then is never reported.
    const isBroken = this.#of("stream_restarted").length > 0 || this.#of("reply_paused").length > 0;
    const all: string[] = [];
    for (const { reply, text, heard, reason, isEstimated } of this.#of("reply_ended")) {
      const words = ownWords(text);
      const claimed = ownWords(heard);
      const real = ear.filter((word) => words.includes(word));
      const facts = `reply ${reply}: heard "${real.join(" ")}", says "${claimed.join(" ")}"`;
      assert.deepEqual(claimed, words.slice(0, claimed.length), facts);
      assert.deepEqual(real, words.slice(0, real.length), facts);
      if (reason === "completed") assert.equal(heard, text, facts);
      if (reason === "completed" && playout === "marks" && !isLossy && !isBroken) assert.ok(!isEstimated, `estimated; ${facts}`);
      if (reason === "completed") assert.notEqual(text, HOLD_LINE, "nothing came behind the hold line");
      if (reason === "completed") assert.notEqual(text, "", "a reply without a word");
      const slack = 1 + (this.plan.tts.wordTimes ? 0 : 1);
      assert.ok(claimed.length - real.length <= slack, `more than was heard; ${facts}`);
      if (!isLossy) assert.ok(real.length - claimed.length <= slack + Math.ceil(lateMs / 120), `less than was heard; ${facts}`);
      all.push(...words);
    }
    for (const word of ear) assert.ok(CONSTANTS.has(word) || all.includes(word), `${word} was heard and is in no reply`);
  }

  #checkRequest({ messages, events }: Request, before: Request | undefined): void {
    const past = this.events.slice(0, events);
    const settled = past.flatMap((event) => (event.type === "reply_ended" ? event.heard.split(" ").filter(Boolean) : []));
    const assistant = messages.flatMap((message) =>
      message.role === "assistant" ? (message.content ?? "").split(" ").filter(Boolean) : [],
    );
    assert.deepEqual(assistant.slice(0, settled.length), settled, "the context is what was heard");
    // Text beside the tool calls of the reply that asks is there before it is heard.
    const current = past.findLast((event) => event.type === "reply_started");
    const rest = assistant.slice(settled.length);
    const hasCalled = past.some((event) => event.type === "tool_started" && event.reply === current?.reply);
    if (!hasCalled) assert.deepEqual(rest, [], "nothing unheard is in the context");
    const user = messages.flatMap((message) => (message.role === "user" ? message.content : [])).join(" ");
    const committed = past.flatMap((event) => (event.type === "turn_committed" ? event.transcript : [])).join(" ");
    assert.equal(user, committed, "the context is what the caller said");
    this.#checkCalls(messages, past);
    this.#checkUnchanged(messages, before);
  }

  /** Every tool call has one result, its own, directly behind it. */
  #checkCalls(messages: readonly ChatMessage[], past: readonly CallEvent[]): void {
    const outcomes = new Map(past.flatMap((event) => (event.type === "tool_ended" ? [[event.toolCallId, event.result]] : [])));
    const results = messages.filter((message) => message.role === "tool").length;
    let seen = 0;
    for (const [index, message] of messages.entries()) {
      if (message.role !== "assistant") continue;
      for (const [place, { id }] of (message.tool_calls ?? []).entries()) {
        const result = messages[index + 1 + place];
        assert.ok(result?.role === "tool" && result.tool_call_id === id, `the result of ${id} is missing`);
        assert.equal(result.content, outcomes.get(id), `the result of ${id}`);
        seen++;
      }
    }
    assert.equal(results, seen, "results without calls");
  }

  /** What was settled at the request before is the same still. */
  #checkUnchanged(messages: readonly ChatMessage[], before: Request | undefined): void {
    if (before === undefined) return;
    const lastUser = before.messages.findLastIndex(({ role }) => role === "user");
    const settled = before.messages.slice(0, lastUser + 1);
    assert.deepEqual(messages.slice(0, settled.length), settled, "the past was rewritten");
  }

  /** Two seconds after a turn at the latest the caller hears something, unless they speak themselves. */
  #checkDeadAir(): void {
    const endMs = this.events.at(-1)?.atMs ?? 0;
    const failures = this.#of("call_error").filter(({ stage }) => stage === "tts");
    for (const { atMs } of this.#of("turn_committed")) {
      // A sentence without sound may have been tried first.
      const untilMs = atMs + LATE_MS + 2 * this.plan.tts.latencyMs + 100;
      const isWithin = (thenMs: number): boolean => thenMs >= atMs && thenMs <= untilMs;
      if (endMs <= untilMs || this.phone.sentAtMs.some(isWithin) || this.phone.spokeAtMs.some(isWithin)) continue;
      if (failures.some((failure) => isWithin(failure.atMs))) continue;
      assert.fail(`silence from ${atMs} ms on`);
    }
  }

  /** Every word the caller said is in one turn, in order, and no other word is. */
  #checkWords(): void {
    const turns = this.#of("turn_committed").flatMap(({ transcript }) => transcript.split(" "));
    const own = turns.filter((word) => word.startsWith(`${this.id}c`));
    if (this.plan.phone.echo) {
      // What is mixed with more of the agent's own words goes with them.
      assert.deepEqual(
        own,
        this.said.filter((word) => own.includes(word)),
        "the caller's words, once and in order",
      );
      return;
    }
    if (this.plan.sttFailsMs !== undefined) return;
    assert.deepEqual(own, this.said.slice(0, own.length), "the caller's words, once and in order");
    for (const word of turns) assert.ok(word.startsWith(`${this.id}c`) || word === "mm-hm", `${word} is not the caller's`);
    const hadTime = this.plan.silenceMs >= 9000 && this.#of("call_ended")[0]?.reason === "caller_hung_up";
    if (hadTime) assert.deepEqual(own, this.said, "no word of the caller is lost");
  }
}

function ownWords(text: string): string[] {
  return text.split(" ").filter((word) => word !== "" && !CONSTANTS.has(word));
}

async function runWorld(script: readonly Plan[]): Promise<FuzzCall[]> {
  const world = new World();
  const { clock, shutdown } = world;
  const calls = script.map((plan, index) => new FuzzCall("ab"[index] as string, plan, world));
  await clock.runUntil(Promise.all(calls.map((call) => call.play())), 300_000);
  // Models and tools that do not listen end by themselves.
  await clock.advance(10_000);
  for (const call of calls) call.check();
  assert.equal(clock.pendingTimers, 0, "a timer was left");
  assert.equal(getEventListeners(shutdown.signal, "abort").length, 0, "a listener was left");
  return calls;
}

describe("a random call", () => {
  test("keeps every promise, whoever does what when", async () => {
    await fc.assert(
      fc.asyncProperty(plans, async (plan) => {
        await runWorld([plan]);
      }),
      { numRuns: 150 },
    );
  });

  test("hears nothing of another that runs beside it", async () => {
    await fc.assert(
      fc.asyncProperty(plans, plans, async (first, second) => {
        const calls = await runWorld([first, second]);
        for (const call of calls) {
          const other = call.id === "a" ? "b" : "a";
          const texts = [
            call.phone.heard,
            ...call.events.map((event) => JSON.stringify(event)),
            ...call.requests.map((request) => JSON.stringify(request.messages)),
          ];
          for (const text of texts) assert.ok(!new RegExp(`\\b${other}[wc]\\d`).test(text), `call ${call.id} knows ${text}`);
        }
      }),
      { numRuns: 30 },
    );
  });
});
