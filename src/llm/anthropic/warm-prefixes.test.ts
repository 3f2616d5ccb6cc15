import { afterEach, expect, test, vi } from "vitest";
import { collect } from "../../../test/llm/vendor.js";
import type { ChatMessage, ToolSpec } from "../../core/chat.js";
import { VirtualClock } from "../../core/clock.js";
import type { LlmUsage } from "../../core/llm.js";
import type { AnthropicReply } from "../../testing/anthropic/replies.js";
import type { AnthropicRequest } from "../../testing/anthropic/request.js";
import { AnthropicServer } from "../../testing/anthropic/server.js";
import { AnthropicLLM, type AnthropicLLMOptions } from "../anthropic.js";

const cleanups: AsyncDisposable[] = [];

afterEach(async () => {
  vi.restoreAllMocks();
  for (const item of cleanups.splice(0)) await item[Symbol.asyncDispose]();
});

const LONG: readonly ChatMessage[] = [{ role: "system", content: "You answer the telephone of a restaurant. ".repeat(600) }];
const SHORT: readonly ChatMessage[] = [{ role: "system", content: "Be brief." }];
const TOOLS: readonly ToolSpec[] = [
  {
    type: "function",
    function: { name: "hours", description: "Opening hours.", parameters: { type: "object", properties: {} } },
  },
];
const MINUTE_MS = 60_000;

interface Rig {
  readonly clock: VirtualClock;
  readonly server: AnthropicServer;
  readonly llm: AnthropicLLM;
  readonly usages: LlmUsage[];
  /** Warms up to its end. */
  warm(messages?: readonly ChatMessage[]): Promise<void>;
  /** What the warm-ups have sent: `1/models`, or the number of tokens asked for. */
  sent(): (string | number)[];
}

async function rig(options: AnthropicLLMOptions = {}): Promise<Rig> {
  const clock = new VirtualClock();
  const server = await AnthropicServer.start({ clock });
  const llm = new AnthropicLLM({ apiKey: "sk-ant-test", fetch: server.fetch, ...options });
  cleanups.push(llm, server);
  const usages: LlmUsage[] = [];
  const onUsage = (usage: LlmUsage): void => void usages.push(usage);
  return {
    clock,
    server,
    llm,
    usages,
    warm: (messages = LONG) => clock.runUntil(llm.warmup(messages, TOOLS, { clock, onUsage })),
    sent: () =>
      server.requests
        .filter(({ body }) => body.stream !== true)
        .map(({ method, path, body }) => (method === "GET" ? path : (body.max_tokens ?? -1))),
  };
}

const isWarmup = ({ body }: AnthropicRequest): boolean => body.max_tokens === 0;
const answer = (from: Rig, messages: readonly ChatMessage[]) =>
  from.clock.runUntil(collect(from.llm.stream(messages, TOOLS, { clock: from.clock })));

test("warming up has the vendor read tools and system prompt into its cache, where the first answer finds them", async () => {
  const line = await rig();
  await line.warm();
  expect(line.sent()).toEqual([0]);
  const [usage] = line.usages;
  expect(usage?.cacheWrite5mTokens).toBeGreaterThan(4096);
  expect(usage).toMatchObject({ cacheReadTokens: 0, outputTokens: 0 });
  const chunks = await answer(line, [...LONG, { role: "user", content: "Hello" }]);
  expect(chunks.at(-1)).toMatchObject({ usage: { cacheReadTokens: usage?.cacheWrite5mTokens } });
});

test("a warm-up asks as the answers will: same tools, system prompt, thinking, effort and choice", async () => {
  const line = await rig({ model: "claude-haiku-5-5", effort: "low", toolChoice: "auto", cacheTtl: "1h" });
  await line.warm();
  await answer(line, [...LONG, { role: "user", content: "Hello" }]);
  const [warmup, asked] = line.server.requests.map(({ body }) => body);
  for (const field of ["model", "tools", "system", "thinking", "output_config", "tool_choice"] as const)
    expect(warmup?.[field], field).toEqual(asked?.[field]);
  expect(line.usages[0]?.cacheWrite1hTokens).toBeGreaterThan(1000);
  expect(warmup).not.toHaveProperty("stream");
});

test("a beginning that is surely too short for the cache, or not to be cached, only opens the connection", async () => {
  const short = await rig();
  await short.warm(SHORT);
  expect(short.sent()).toEqual(["/v1/models?limit=1"]);
  const uncached = await rig({ promptCaching: false });
  await uncached.warm();
  expect(uncached.sent()).toEqual(["/v1/models?limit=1"]);
  expect(uncached.usages).toEqual([]);
});

test("a beginning that turned out not to be cached is not paid for a second time", async () => {
  const emit = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const line = await rig();
  // About 3,000 tokens: so many bytes could be 4,096 tokens, but are not.
  const middling: readonly ChatMessage[] = [
    { role: "system", content: "You answer the telephone of a restaurant. ".repeat(280) },
  ];
  await line.warm(middling);
  await line.warm(middling);
  await line.clock.advance(10 * MINUTE_MS);
  await line.warm(middling);
  expect(line.sent()).toEqual([0, "/v1/models?limit=1", "/v1/models?limit=1"]);
  expect(emit).toHaveBeenCalledOnce();
});

test("a beginning too short for the cache stays so, when its conversation has grown long enough for it", async () => {
  vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const line = await rig();
  const middling: ChatMessage = { role: "system", content: "You answer the telephone of a restaurant. ".repeat(280) };
  const talk: ChatMessage = { role: "user", content: "We talked of many things. ".repeat(400) };
  await line.warm([middling]);
  const done = (await answer(line, [middling, talk])).at(-1);
  expect(done?.type === "done" ? done.usage?.cacheWrite5mTokens : undefined).toBeGreaterThan(4096);
  await line.clock.advance(6 * MINUTE_MS);
  await line.warm([middling]);
  expect(line.sent()).toEqual([0, "/v1/models?limit=1"]);
});

test("an answer alone does not prove that its beginning is cached: the next call asks once", async () => {
  const line = await rig();
  await answer(line, [...LONG, { role: "user", content: "Hello" }]);
  await line.warm();
  await line.warm();
  expect(line.sent()).toEqual([0, "/v1/models?limit=1"]);
  expect(line.usages[0]?.cacheReadTokens).toBeGreaterThan(4096);
});

test("of an answer that took two requests, each alone says whether the prompt is long enough for the cache", async () => {
  const emit = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const line = await rig();
  const middling: ChatMessage = { role: "system", content: "You answer the telephone of a restaurant. ".repeat(280) };
  line.server.reply({ text: "" }, "Hello.");
  const done = (await answer(line, [middling, { role: "user", content: "Hello" }])).at(-1);
  expect(done).toMatchObject({ retries: ["empty_answer"] });
  expect(emit).toHaveBeenCalledOnce();
});

test("what was used less than four minutes ago is not warmed up again, by another call or by an answer", async () => {
  const line = await rig();
  await line.warm();
  await line.clock.advance(3.9 * MINUTE_MS);
  await line.warm();
  expect(line.sent()).toEqual([0, "/v1/models?limit=1"]);
  await line.clock.advance(0.2 * MINUTE_MS);
  await line.warm();
  expect(line.sent()).toEqual([0, "/v1/models?limit=1", 0]);
  await line.clock.advance(3 * MINUTE_MS);
  await answer(line, [...LONG, { role: "user", content: "Hello" }]);
  await line.clock.advance(3 * MINUTE_MS);
  await line.warm();
  expect(line.sent().slice(3)).toEqual(["/v1/models?limit=1"]);
});

test("the values of one call behind the system prompt make no other beginning", async () => {
  const line = await rig();
  await line.warm();
  const values: ChatMessage = { role: "system", content: "For this call: name = Ann" };
  await line.warm([...LONG, values]);
  expect(line.sent()).toEqual([0, "/v1/models?limit=1"]);
});

test("with a lifetime of an hour the next warm-up is due after fifty minutes", async () => {
  const line = await rig({ cacheTtl: "1h" });
  await line.warm();
  await line.clock.advance(49 * MINUTE_MS);
  await line.warm();
  await line.clock.advance(2 * MINUTE_MS);
  await line.warm();
  expect(line.sent()).toEqual([0, "/v1/models?limit=1", 0]);
});

test("calls that ring at the same time warm up once", async () => {
  const line = await rig();
  line.server.replyTo(isWarmup, { text: "", headersMs: 500 });
  await Promise.all([line.warm(), line.warm(), line.warm()]);
  expect(line.sent()).toEqual([0]);
  expect(line.usages).toHaveLength(1);
});

test("a server that refuses an answer of no tokens is asked for one token, from then on at once", async () => {
  const line = await rig();
  const refusal: AnthropicReply = { status: 400 };
  line.server.replyTo(isWarmup, refusal);
  await line.warm();
  expect(line.sent()).toEqual([0, 1]);
  await line.clock.advance(5 * MINUTE_MS);
  await line.warm();
  expect(line.sent()).toEqual([0, 1, 1]);
});

test("a demanded tool call is warmed up for with one token, a thinking budget only with a connection", async () => {
  const forced = await rig({ toolChoice: "any" });
  await forced.warm();
  expect(forced.sent()).toEqual([1]);
  const thinking = await rig({ thinking: { budgetTokens: 1024 }, maxTokens: 2048 });
  await thinking.warm();
  expect(thinking.sent()).toEqual(["/v1/models?limit=1"]);
});

test.each<[string, AnthropicReply, string | undefined]>([
  ["an overloaded vendor", { status: 529 }, "was answered with 529"],
  ["a refused credential", { status: 401 }, "was answered with 401"],
  ["a broken connection", { connection: "reset" }, "lost or could not open its connection"],
  ["a vendor that never answers", { connection: "silence" }, "heard nothing"],
  ["an answer that is no JSON", { status: 200, body: "<html>" }, undefined],
])("a warm-up tells of %s, and the next one tries again", async (_what, reply, problem) => {
  const line = await rig();
  line.server.replyTo(isWarmup, reply);
  if (problem === undefined) await line.warm();
  else await expect(line.warm()).rejects.toThrow(problem);
  expect(line.usages).toEqual([]);
  expect(line.clock.pendingTimers).toBe(0);
  await line.warm();
  expect(line.usages).toHaveLength(1);
});

test("an abort ends a warm-up quietly and at once, also one that another call has begun", async () => {
  const line = await rig();
  line.server.replyTo(isWarmup, { connection: "silence" });
  const first = new AbortController();
  const second = new AbortController();
  const warmups = [first, second].map(({ signal }) => line.llm.warmup(LONG, TOOLS, { signal, clock: line.clock }));
  second.abort();
  await warmups[1];
  first.abort(new Error("hung up"));
  await warmups[0];
  expect(line.clock.pendingTimers).toBe(0);
});

test("when the call that warms up ends first, a call that waited for it warms up itself", async () => {
  const line = await rig();
  line.server.replyTo(isWarmup, { connection: "silence" });
  const first = new AbortController();
  const ended = line.llm.warmup(LONG, TOOLS, { signal: first.signal, clock: line.clock });
  const waiting = line.warm();
  await line.clock.advance(1);
  expect(line.sent()).toEqual([0]);
  first.abort(new Error("hung up"));
  await Promise.all([ended, waiting]);
  expect(line.sent()).toEqual([0, 0]);
  expect(line.usages).toHaveLength(1);
});

test("a prompt under what the model caches is told once, with both numbers and the remedy", async () => {
  const emit = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const line = await rig();
  const history: ChatMessage[] = [...SHORT, { role: "user", content: "Hello" }];
  const chunks = await answer(line, history);
  await answer(line, history);
  const done = chunks.at(-1);
  const tokens = done?.type === "done" ? done.usage?.inputTokens : undefined;
  expect(emit.mock.calls).toEqual([
    [
      `AnthropicLLM: nothing was cached: the prompt has ${tokens} tokens, and claude-haiku-4-5-20251001 caches prompts of 4096 or more. If the prompt stays so short, choose a model with a lower minimum (512 for claude-haiku-5-5 and claude-sonnet-5-5), or pass { promptCaching: false }.`,
      { type: "GetpatterWarning", code: "prompt_below_cache_minimum" },
    ],
  ]);
});

test("a prompt that is cached, or is not to be, is not warned about", async () => {
  const emit = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  await answer(await rig(), [...LONG, { role: "user", content: "Hello" }]);
  await answer(await rig({ promptCaching: false }), [...SHORT, { role: "user", content: "Hello" }]);
  expect(emit).not.toHaveBeenCalled();
});
