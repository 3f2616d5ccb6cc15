import { describe, expect, test } from "vitest";
import { VirtualClock } from "../core/clock.js";
import type { LlmChunk } from "../core/llm.js";
import { TestLLM } from "./test-llm.js";

async function read(stream: AsyncIterable<LlmChunk>): Promise<LlmChunk[]> {
  const chunks: LlmChunk[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

const question = [{ role: "user", content: "Hi" }] as const;

describe("TestLLM", () => {
  test("gives its answers in order, word by word, and remembers what it was asked", async () => {
    const llm = new TestLLM([
      "Good evening.",
      { toolCalls: [{ name: "book", arguments: { seats: 2 }, id: "t1" }, { name: "time" }] },
    ]);
    expect(await read(llm.stream(question))).toEqual([
      { type: "text", content: "Good " },
      { type: "text", content: "evening." },
      { type: "done", stopReason: "end_turn", usage: { inputTokens: 1, outputTokens: 1 } },
    ]);
    expect(await read(llm.stream([]))).toEqual([
      { type: "tool_call", index: 0, id: "t1", name: "book", arguments: '{"seats":2}' },
      { type: "tool_call", index: 1, name: "time", arguments: "{}" },
      { type: "done", stopReason: "tool_use", usage: { inputTokens: 1, outputTokens: 1 } },
    ]);
    expect(llm.requests).toEqual([question, []]);
    expect(llm.aborted).toBe(0);
    await expect(read(llm.stream([]))).rejects.toThrow("once more than it has answers");
  });

  test("answers by what it was asked, or fails", async () => {
    const llm = new TestLLM([(messages) => `You said ${messages.at(-1)?.content}.`, new Error("boom")]);
    expect(await read(llm.stream(question))).toContainEqual({ type: "text", content: "Hi." });
    await expect(read(llm.stream(question))).rejects.toThrow("boom");
  });

  test("takes the time it was told to take", async () => {
    const clock = new VirtualClock();
    const llm = new TestLLM(["one two three"], { firstTokenMs: 300, wordMs: 50 });
    await clock.runUntil(read(llm.stream([], null, { clock })));
    expect(clock.now()).toBe(450);
  });

  test("stops when its signal aborts, and when nobody reads on", async () => {
    const clock = new VirtualClock();
    const controller = new AbortController();
    const llm = new TestLLM(["one two three", "one two three"], { wordMs: 100 });
    const reading = read(llm.stream([], null, { clock, signal: controller.signal }));
    const ended = expect(reading).rejects.toBe("barge-in");
    await clock.advance(150);
    controller.abort("barge-in");
    await ended;
    for await (const _ of llm.stream([], null, { clock })) break;
    expect(llm.aborted).toBe(2);
    expect(clock.pendingTimers).toBe(0);
  });
});
