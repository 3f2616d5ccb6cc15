import { describe, expect, test } from "vitest";
import { type AgentOptions, createAgent } from "../agent/agent.js";
import { tool } from "../agent/tools.js";
import type { ChatMessage, ToolSpec } from "../core/chat.js";
import type { CallEndReason, CallEvent, CallEventOf } from "../core/call-event.js";
import { VirtualClock } from "../core/clock.js";
import type { LLM, LlmOptions, LlmUsage } from "../core/llm.js";
import { SpokenWords } from "../testing/spoken-words.js";
import { TestLLM } from "../testing/test-llm.js";
import { TestPhone } from "../testing/test-phone.js";
import { TestSTT, TestTTS } from "../testing/test-speech.js";
import { runCall } from "./session.js";

const USAGE: LlmUsage = { inputTokens: 12, outputTokens: 0, cacheWrite5mTokens: 5000 };

interface Asked {
  readonly messages: readonly ChatMessage[];
  readonly tools: readonly ToolSpec[] | null | undefined;
}

type WarmUpBehaviour = (clock: VirtualClock, options: LlmOptions) => Promise<void>;

/** A model that is warmed up in the given way, and remembers what it was asked. */
class WarmLLM extends TestLLM {
  readonly warmups: (Asked & { readonly options: LlmOptions | undefined })[] = [];
  readonly streams: Asked[] = [];
  readonly #behave: WarmUpBehaviour;
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock, behave: WarmUpBehaviour) {
    super(["Sure.", "Fine."]);
    this.#clock = clock;
    this.#behave = behave;
  }

  warmup(...[messages, tools, options = {}]: Parameters<NonNullable<LLM["warmup"]>>): Promise<void> {
    this.warmups.push({ messages, tools, options });
    return this.#behave(this.#clock, options);
  }

  override stream(...[messages, tools, options]: Parameters<TestLLM["stream"]>): ReturnType<TestLLM["stream"]> {
    this.streams.push({ messages, tools });
    return super.stream(messages, tools, options);
  }
}

interface Rig {
  readonly clock: VirtualClock;
  readonly phone: TestPhone;
  readonly llm: WarmLLM;
  readonly events: CallEvent[];
  readonly ended: Promise<CallEndReason>;
  warmed(): CallEventOf<"llm_warmed_up">[];
}

function rig(behave: WarmUpBehaviour, agent: AgentOptions = {}): Rig {
  const clock = new VirtualClock();
  const spoken = new SpokenWords();
  const phone = new TestPhone({ clock, spoken });
  const llm = new WarmLLM(clock, behave);
  const events: CallEvent[] = [];
  const ended = runCall({
    agent: createAgent({ stt: new TestSTT({ spoken }), tts: new TestTTS({ spoken }), llm, firstMessage: "Hello.", ...agent }),
    incoming: phone.incoming(),
    carrier: "test",
    clock,
    signal: new AbortController().signal,
    onEvents: (stream) => {
      stream.subscribe((event) => events.push(event));
    },
  });
  return { clock, phone, llm, events, ended, warmed: () => events.filter((event) => event.type === "llm_warmed_up") };
}

async function hangUp({ clock, phone, ended, events }: Rig): Promise<void> {
  phone.hangUp();
  expect(await clock.runUntil(ended)).toBe("caller_hung_up");
  expect(events.at(-1)?.type).toBe("call_ended");
  expect(clock.pendingTimers).toBe(0);
}

describe("a call's model", () => {
  test("is warmed up while the greeting is spoken, with exactly what the first request begins with", async () => {
    const book = tool({ name: "book", handler: () => "booked" });
    const agent = { systemPrompt: "Help {name}.", variables: { name: "Ann" }, tools: [book] };
    const call = rig(async (clock, { onUsage }) => {
      await clock.sleep(300);
      onUsage?.(USAGE);
    }, agent);
    await call.clock.advance(1000);
    expect(call.phone.heard).toBe("Hello.");
    expect(call.warmed()).toEqual([expect.objectContaining({ provider: "test", durationMs: 300, usage: USAGE, turn: 0 })]);
    await call.clock.runUntil(call.phone.say("are you open"));
    await call.clock.advance(2000);
    const { warmups, streams } = call.llm;
    expect(warmups).toHaveLength(1);
    expect(warmups[0]?.options).toMatchObject({ callId: "call-1", clock: call.clock });
    expect(warmups[0]?.messages).toHaveLength(2);
    expect(streams[0]?.messages.slice(0, 2)).toEqual(warmups[0]?.messages);
    expect(streams[0]?.tools).toEqual(warmups[0]?.tools);
    await hangUp(call);
  });

  test("greets and answers on time though its warm-up never ends, and leaves it behind with the call", async () => {
    let aborted = 0;
    const call = rig(async (clock, { signal }) => {
      signal?.addEventListener("abort", () => aborted++);
      await clock.sleep(600_000, signal);
    });
    await call.clock.advance(1000);
    await call.clock.runUntil(call.phone.say("are you open"));
    await call.clock.advance(2000);
    expect(call.phone.heard).toBe("Hello. Sure.");
    await hangUp(call);
    expect([aborted, call.warmed()]).toEqual([1, []]);
  });

  test("has its tokens reported when the call ends before it was warm", async () => {
    const call = rig(async (clock, { signal, onUsage }) => {
      try {
        await clock.sleep(5000, signal);
      } finally {
        onUsage?.(USAGE);
      }
    });
    await call.clock.advance(1000);
    await hangUp(call);
    expect(call.warmed()).toEqual([expect.objectContaining({ usage: USAGE })]);
  });

  test("cannot hold up the end of a call by a warm-up that heeds no abort", async () => {
    const call = rig(() => new Promise(() => {}));
    await call.clock.advance(1000);
    await hangUp(call);
    expect(call.warmed()).toEqual([]);
  });

  test.each<[string, WarmUpBehaviour]>([
    ["rejects", () => Promise.reject(new Error("overloaded"))],
    [
      "throws",
      () => {
        throw new Error("no such model");
      },
    ],
  ])("does the call no harm when its warm-up %s", async (_, behave) => {
    const call = rig(behave);
    await call.clock.advance(1000);
    await call.clock.runUntil(call.phone.say("are you open"));
    await call.clock.advance(2000);
    expect(call.phone.heard).toBe("Hello. Sure.");
    expect(call.events.filter(({ type }) => type === "call_error" || type === "llm_warmed_up")).toEqual([]);
    await hangUp(call);
  });

  test("has both requests of one warm-up counted", async () => {
    const call = rig(async (_clock, { onUsage }) => {
      onUsage?.({ inputTokens: 1, outputTokens: 0 });
      onUsage?.({ inputTokens: 2, outputTokens: 1 });
    });
    await call.clock.advance(100);
    expect(call.warmed()[0]?.usage).toEqual({ inputTokens: 3, outputTokens: 1 });
    await hangUp(call);
  });
});
