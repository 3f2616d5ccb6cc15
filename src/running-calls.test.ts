import { pino } from "pino";
import { expect, test } from "vitest";
import { createAgent } from "./agent/agent.js";
import { VirtualClock } from "./core/clock.js";
import type { LlmOptions, LlmUsage } from "./core/llm.js";
import { Pricing } from "./observe/pricing.js";
import { RunningCalls } from "./running-calls.js";
import { SpokenWords } from "./testing/spoken-words.js";
import { TestLLM } from "./testing/test-llm.js";
import { TestPhone } from "./testing/test-phone.js";
import { TestSTT, TestTTS } from "./testing/test-speech.js";

const USAGE: LlmUsage = { inputTokens: 9, outputTokens: 0, cacheWrite5mTokens: 5000 };

/** A model whose warm-ups take two seconds each. */
class SlowToWarmLLM extends TestLLM {
  readonly #clock: VirtualClock;
  warmups = 0;
  aborts = 0;

  constructor(clock: VirtualClock) {
    super([]);
    this.#clock = clock;
  }

  async warmup(_messages: unknown, _tools: unknown, { signal, onUsage }: LlmOptions = {}): Promise<void> {
    this.warmups++;
    try {
      await this.#clock.sleep(2000, signal);
    } catch (error) {
      this.aborts++;
      throw error;
    }
    onUsage?.(USAGE);
  }
}

function rig() {
  const clock = new VirtualClock();
  const spoken = new SpokenWords();
  const phone = new TestPhone({ clock, spoken });
  const llm = new SlowToWarmLLM(clock);
  const agent = createAgent({ stt: new TestSTT({ spoken }), tts: new TestTTS({ spoken }), llm });
  const calls = new RunningCalls({
    agentOf: () => agent,
    carrier: "test",
    callbacks: {},
    pricing: new Pricing(),
    clock,
    logger: pino({ level: "silent" }),
    signal: new AbortController().signal,
  });
  return { clock, phone, llm, agent, calls };
}

test("the model of a placed call is warmed up once, while the phone rings, on the call's bill", async () => {
  const { clock, phone, llm, agent, calls } = rig();
  const ended = calls.expect("reference", agent);
  expect(llm.warmups).toBe(1);
  await clock.advance(1500);
  calls.answer({ ...phone.incoming(), reference: "reference" });
  await clock.advance(1000);
  phone.hangUp();
  const end = await clock.runUntil(ended);
  expect(llm.warmups).toBe(1);
  expect(end?.usage).toEqual([expect.objectContaining({ stage: "llm", tokens: USAGE })]);
});

test("a placed call that nobody takes ends its warm-up", async () => {
  const { clock, llm, agent, calls } = rig();
  const timersBefore = clock.pendingTimers;
  void calls.expect("reference", agent);
  await clock.advance(500);
  calls.forget("reference");
  await clock.advance(1);
  expect(llm.aborts).toBe(1);
  expect(clock.pendingTimers).toBe(timersBefore);
});
