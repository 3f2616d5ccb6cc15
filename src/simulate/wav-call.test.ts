import { describe, expect, test } from "vitest";
import { type AgentOptions, createAgent } from "../agent/agent.js";
import { rmsDbfs } from "../audio/level.js";
import { readWav, writeWav } from "../audio/wav.js";
import { PCM16_16K } from "../core/audio-frame.js";
import { VirtualClock } from "../core/clock.js";
import { ConfigError } from "../core/errors.js";
import type { STT } from "../core/stt.js";
import { SpokenWords, WordReader } from "../testing/spoken-words.js";
import { TestLLM, type TestLLMOptions } from "../testing/test-llm.js";
import { TestSTT, TestTTS, TestVAD } from "../testing/test-speech.js";
import { runWavCall, type WavCallOptions, type WavCallResult } from "./wav-call.js";

interface Setup {
  readonly answers: ConstructorParameters<typeof TestLLM>[0];
  readonly llm?: TestLLMOptions;
  readonly agent?: AgentOptions;
  readonly tts?: Partial<ConstructorParameters<typeof TestTTS>[0]>;
  readonly call?: Partial<WavCallOptions>;
}

/** Ms of silence, or words. */
type Part = number | string;

async function hold(
  parts: readonly Part[],
  setup: Setup,
): Promise<WavCallResult & { heard: string; clock: VirtualClock; spoken: SpokenWords }> {
  const clock = new VirtualClock();
  const spoken = new SpokenWords();
  const caller = parts.map((part) => (typeof part === "number" ? new Uint8Array(part * 32) : spoken.encode(part)));
  const agent = createAgent({
    stt: new TestSTT({ spoken }),
    tts: new TestTTS({ spoken, ...setup.tts }),
    vad: new TestVAD({ spoken }),
    llm: new TestLLM(setup.answers, setup.llm),
    ...setup.agent,
  });
  const wav = readWav(writeWav(PCM16_16K, [Buffer.concat(caller)]));
  const result = await clock.runUntil(runWavCall({ agent, wav, clock, noiseDbfs: Number.NEGATIVE_INFINITY, ...setup.call }));
  expect(clock.pendingTimers).toBe(0);
  const recording = readWav(result.recording);
  const reader = new WordReader(spoken);
  const heard = reader.read(new Uint8Array(recording.samples(1).buffer));
  return { ...result, heard: [...heard, reader.unfinished ?? ""].join(" ").trim(), clock, spoken };
}

function deafStt(): STT {
  return {
    provider: "test",
    model: "deaf",
    inputFormats: [PCM16_16K],
    open: () => ({
      write: () => {},
      finalize: () => {},
      [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }),
      [Symbol.asyncDispose]: async () => {},
    }),
  };
}

function lines({ record }: WavCallResult): string[] {
  return record.transcript.map(({ role, text }) => `${role}: ${text}`);
}

describe("a call with a recording", () => {
  test("speaks each turn once the agent has finished, and hangs up after the last answer", async () => {
    const result = await hold(["a table for two", 1500, "tomorrow", 2000, "at seven"], {
      answers: ["Gladly. Which day would suit you best?", "And at what time?", "Done. See you then."],
      agent: { firstMessage: "Hello, how can I help you today?" },
    });
    expect(lines(result)).toEqual([
      "assistant: Hello, how can I help you today?",
      "user: a table for two",
      "assistant: Gladly. Which day would suit you best?",
      "user: tomorrow",
      "assistant: And at what time?",
      "user: at seven",
      "assistant: Done. See you then.",
    ]);
    expect(result.callerTurns).toBe(3);
    expect(result.record.endReason).toBe("caller_hung_up");
    expect(result.record.bargeIns).toBe(0);
    expect(result.heard).toContain("Done. See you then.");
  });

  test("measures in the recording how long each answer took", async () => {
    const result = await hold(["a table for two", 1500, "tomorrow"], {
      answers: ["Gladly. Which day?", "Until then."],
      llm: { firstTokenMs: 130 },
      tts: { latencyMs: 70 },
      agent: { firstMessage: "Hello!", endpointing: { silenceMs: 400 } },
    });
    // 400 ms of silence, 130 ms model, 70 ms voice, and up to two steps of 20 ms on the line.
    expect(result.replies.map(({ turn }) => turn)).toEqual([0, 1, 2]);
    expect(result.replies[0]?.latencyMs).toBeUndefined();
    for (const { latencyMs } of result.replies.slice(1)) {
      expect(latencyMs).toBeGreaterThanOrEqual(600);
      expect(latencyMs).toBeLessThanOrEqual(645);
    }
    expect(result.replies.flatMap(({ gaps }) => gaps)).toEqual([]);
  });

  test("a silence while a tool is at work is no playout gap", async () => {
    const result = await hold(["book it"], {
      answers: [{ text: "One moment.", toolCalls: [{ name: "slow" }] }, "Booked."],
      agent: { longTurnMessage: null, tools: [{ name: "slow", parameters: { type: "object" }, handler: async () => "done" }] },
      llm: { firstTokenMs: 1500 },
    });
    expect(lines(result)).toEqual(["user: book it", "assistant: One moment. Booked."]);
    expect(result.replies.flatMap(({ gaps }) => gaps)).toEqual([]);
  });

  test("a voice that cannot keep up leaves gaps, and they are counted", async () => {
    const result = await hold(["hello there"], { answers: ["One. Two. Three."], tts: { latencyMs: 900 } });
    expect(result.replies[0]?.gaps.length).toBeGreaterThan(0);
  });

  test("played as it is, the recording talks into the answer and interrupts it", async () => {
    const result = await hold(["a table for two", 1600, "no for three people"], {
      answers: ["Gladly. Which day would suit you and your guests best this week or next?", "Three people then."],
      call: { takesTurns: false },
    });
    expect(result.record.bargeIns).toBe(1);
    expect(lines(result).at(-1)).toBe("assistant: Three people then.");
  });

  test("a caller who is not understood goes on after a while", async () => {
    const result = await hold(["hello", 1500, "anyone there"], {
      answers: [],
      agent: { stt: deafStt() },
      call: { patienceMs: 3000 },
    });
    expect(result.record).toMatchObject({ endReason: "caller_hung_up", transcript: [] });
    // Both turns and twice the patience.
    expect(result.record.durationMs).toBeGreaterThan(6000);
    expect(result.record.durationMs).toBeLessThan(10_000);
  });

  test("leaves with the agent when it hangs up, and on shutdown", async () => {
    const result = await hold(["bye", 1500, "never said"], {
      answers: [{ text: "Goodbye.", toolCalls: [{ name: "leave" }] }],
      agent: {
        tools: [
          {
            name: "leave",
            parameters: { type: "object" },
            handler: async (_args: never, { call }) => {
              await call.hangUp();
            },
          },
        ],
      },
    });
    expect(result.record.endReason).toBe("agent_hung_up");
    const shutdown = new AbortController();
    shutdown.abort();
    const stopped = await hold(["hello"], { answers: [], call: { signal: shutdown.signal } });
    expect(stopped.record.endReason).toBe("shutdown");
  });

  test("puts noise behind the caller, as loud as asked", async () => {
    const levels = await Promise.all(
      [-50, -65].map(async (noiseDbfs) => {
        const deaf = { agent: { stt: deafStt(), vad: undefined as never }, answers: [], call: { noiseDbfs, patienceMs: 500 } };
        const { recording } = await hold([100, "hello", 100], deaf);
        return rmsDbfs(readWav(recording).samples(0).slice(-8000));
      }),
    );
    expect(levels[0]).toBeCloseTo(-50, 0);
    expect(levels[1]).toBeCloseTo(-65, 0);
    await expect(hold(["hello"], { answers: [], call: { noiseDbfs: 3 } })).rejects.toThrow("The noise cannot have 3 dBFS");
  });

  test("refuses an agent that cannot speak, and a recording without speech", async () => {
    await expect(hold(["hello"], { answers: [], agent: { tts: undefined as never } })).rejects.toThrow(/needs tts/);
    await expect(hold([2000], { answers: [] })).rejects.toThrow(ConfigError);
    await expect(hold([], { answers: [] })).rejects.toThrow(/no speech/);
  });
});
