import { afterEach, describe, expect, test } from "vitest";
import { collect, textOf } from "../../../test/llm/vendor.js";
import type { ChatMessage } from "../../core/chat.js";
import { VirtualClock } from "../../core/clock.js";
import { AuthenticationError, ProtocolError, ProviderError, ProviderTimeoutError, RateLimitError } from "../../core/errors.js";
import type { LlmChunk, LlmUsage } from "../../core/llm.js";
import type { AnthropicCut, AnthropicReply } from "../../testing/anthropic/replies.js";
import { AnthropicServer } from "../../testing/anthropic/server.js";
import { AnthropicLLM, type AnthropicLLMOptions } from "../anthropic.js";

const cleanups: AsyncDisposable[] = [];

afterEach(async () => {
  for (const item of cleanups.splice(0)) await item[Symbol.asyncDispose]();
});

const HELLO: readonly ChatMessage[] = [{ role: "user", content: "Hello" }];
const OVERLOADED = { type: "overloaded_error", message: "Overloaded" };

interface Answered {
  /** What came, up to the end or the failure. */
  readonly chunks: readonly LlmChunk[];
  readonly error: unknown;
  readonly usages: readonly LlmUsage[];
  readonly server: AnthropicServer;
  /** How long it took, in ms of virtual time. */
  readonly tookMs: number;
}

/** Asks for one answer on virtual time; a failure is a result. */
async function ask(replies: readonly AnthropicReply[], options: AnthropicLLMOptions = {}): Promise<Answered> {
  const clock = new VirtualClock();
  const server = await AnthropicServer.start({ clock, replies });
  const llm = new AnthropicLLM({ apiKey: "sk-ant-test", fetch: server.fetch, promptCaching: false, ...options });
  cleanups.push(llm, server);
  const chunks: LlmChunk[] = [];
  const usages: LlmUsage[] = [];
  const reading = async (): Promise<unknown> => {
    try {
      for await (const chunk of llm.stream(HELLO, null, { clock, onUsage: (usage) => usages.push(usage) })) chunks.push(chunk);
      return undefined;
    } catch (error) {
      return error;
    }
  };
  const error = await clock.runUntil(reading());
  expect(clock.pendingTimers).toBe(0);
  return { chunks, error, usages, server, tookMs: clock.now() };
}

const cutOff = (cut: AnthropicCut): AnthropicReply => ({ text: ["Hi, ", "I am here."], cut });

test.each([
  [400, "invalid_request_error", ProviderError],
  [401, "authentication_error", AuthenticationError],
  [402, "billing_error", ProviderError],
  [403, "permission_error", AuthenticationError],
  [413, "request_too_large", ProviderError],
  [429, "rate_limit_error", RateLimitError],
] as const)("status %i (%s) fails at once with what the vendor said", async (status, type, ErrorClass) => {
  const { error, server } = await ask([{ status, message: "no way" }, "Too late."]);
  expect(error).toBeInstanceOf(ErrorClass);
  expect(error).toMatchObject({ provider: "anthropic", status, vendorCode: type, requestId: "req_000001", retryable: false });
  expect((error as Error).message).toContain(`AnthropicLLM was answered with ${status} (${type}: no way).`);
  expect(server.requests).toHaveLength(1);
});

test.each([409, 500, 504, 529])("status %i is tried once more, and the caller notices nothing but 200 ms", async (status) => {
  const { chunks, server, tookMs } = await ask([{ status }, "Hi."]);
  expect(textOf(chunks)).toBe("Hi.");
  expect(chunks.at(-1)).toMatchObject({ type: "done", retries: [expect.stringContaining("_error")] });
  expect(server.requests).toHaveLength(2);
  expect(tookMs).toBe(200);
});

test("a model that stays overloaded is asked twice and no more", async () => {
  const { error, server } = await ask([{ status: 529 }, { status: 529 }, "Too late."]);
  expect(error).toMatchObject({ status: 529, retryable: true });
  expect(server.requests).toHaveLength(2);
});

test("a retired model is named with its successor", async () => {
  const { error } = await ask([], { model: "claude-3-5-sonnet-latest" });
  expect(error).toMatchObject({ status: 404, retryable: false });
  expect((error as Error).message).toContain('retired on 2025-10-28. Pass { model: "claude-sonnet-4-6" }.');
});

test("a limit that asks for long patience is reported instead of waited for, a short one is waited for", async () => {
  const long = await ask([{ status: 429, headers: { "retry-after": "20" } }]);
  expect(long.error).toMatchObject({ retryAfterMs: 20_000, retryable: true });
  expect(long.tookMs).toBe(0);
  const short = await ask([{ status: 429, headers: { "retry-after": "1" } }, "Hi."]);
  expect([textOf(short.chunks), short.tookMs]).toEqual(["Hi.", 1000]);
});

test("the vendor's word on trying again is obeyed", async () => {
  const never = await ask([{ status: 500, headers: { "x-should-retry": "false" } }, "Too late."]);
  expect(never.error).toMatchObject({ status: 500, retryable: false });
  const again = await ask([{ status: 400, headers: { "x-should-retry": "true" } }, "Hi."]);
  expect(textOf(again.chunks)).toBe("Hi.");
});

test("an error inside the stream before any content is tried again, and both are paid for", async () => {
  const { chunks, usages, server } = await ask([cutOff({ with: OVERLOADED }), "Hi."]);
  expect(textOf(chunks)).toBe("Hi.");
  expect(server.requests).toHaveLength(2);
  const inputTokens = server.requests.reduce((sum, { usage }) => sum + (usage?.input_tokens ?? 0), 0);
  expect(usages).toMatchObject([{ inputTokens, isEstimated: true }]);
  expect(chunks.at(-1)).toMatchObject({ usage: usages[0], retries: ["overloaded_error"] });
});

test("an error inside the stream behind content is thrown, never replayed", async () => {
  const { chunks, error, server, usages } = await ask([cutOff({ after: 1, with: OVERLOADED }), "Again."]);
  expect(textOf(chunks)).toBe("Hi, ");
  expect(error).toMatchObject({ status: 529, vendorCode: "overloaded_error", retryable: true });
  expect(server.requests).toHaveLength(1);
  expect(usages).toMatchObject([{ isEstimated: true }]);
});

test("a stream that ends without message_stop is an error, not an answer", async () => {
  const { chunks, error } = await ask([cutOff({ after: 1, with: "eof" })]);
  expect(error).toBeInstanceOf(ProtocolError);
  expect(chunks.map(({ type }) => type)).toEqual(["text"]);
});

test("a connection that breaks within the answer is an error that may pass", async () => {
  const { error } = await ask([{ text: ["Hi, ", "I am here."], tokenMs: 10, cut: { after: 2, with: "reset" } }]);
  expect(error).toMatchObject({ code: "provider", retryable: true });
});

test.each<[string, AnthropicCut["with"]]>([
  ["falls silent", "silence"],
  ["only pings", "pings"],
])("a stream that %s behind content fails 8 s after it", async (_what, how) => {
  const { error, tookMs } = await ask([cutOff({ after: 1, with: how })]);
  expect(error).toBeInstanceOf(ProviderTimeoutError);
  expect(tookMs).toBe(8000);
});

test.each<[string, AnthropicReply]>([
  ["never answers", { connection: "silence" }],
  ["falls silent behind the headers", cutOff({ after: "headers", with: "silence" })],
  ["falls silent behind its start", cutOff({ with: "silence" })],
  ["only pings", cutOff({ with: "pings" })],
])("a model that %s, and does so again, is given up within 14 s", async (_what, reply) => {
  const { error, tookMs, server } = await ask([reply, reply, "Too late."]);
  expect(error).toBeInstanceOf(ProviderTimeoutError);
  expect(tookMs).toBeLessThanOrEqual(14_000);
  expect(server.requests).toHaveLength(2);
});

test("a second request is sent when no content comes in time; the first content wins, both are paid for", async () => {
  const slow: AnthropicReply = { text: "Slow.", firstTokenMs: 5000 };
  const { chunks, server, tookMs, usages } = await ask([slow, "Fast."], { hedgeAfterMs: 800 });
  expect([textOf(chunks), tookMs]).toEqual(["Fast.", 800]);
  expect(chunks.at(-1)).toMatchObject({ retries: ["hedge"] });
  const inputTokens = server.requests.reduce((sum, { usage }) => sum + (usage?.input_tokens ?? 0), 0);
  expect(usages).toMatchObject([{ inputTokens }]);
  await expect(server.requests[0]?.ended).resolves.toBe("aborted");
});

describe("an abort", () => {
  interface Call {
    readonly clock: VirtualClock;
    readonly server: AnthropicServer;
    readonly controller: AbortController;
    readonly usages: LlmUsage[];
    readonly stream: AsyncGenerator<LlmChunk, void, undefined>;
  }

  async function start(reply: AnthropicReply): Promise<Call> {
    const clock = new VirtualClock();
    const server = await AnthropicServer.start({ clock, replies: [reply] });
    const llm = new AnthropicLLM({ apiKey: "sk-ant-test", fetch: server.fetch, promptCaching: false });
    cleanups.push(llm, server);
    const controller = new AbortController();
    const usages: LlmUsage[] = [];
    const { signal } = controller;
    const stream = llm.stream(HELLO, null, { clock, signal, onUsage: (usage) => usages.push(usage) });
    return { clock, server, controller, usages, stream };
  }

  test("within the text ends the iteration at once and without an error, cancels the request and reports usage", async () => {
    const call = await start({ text: ["Hello, how are you?", " Well?"], tokenMs: 1000 });
    await call.stream.next();
    const next = call.stream.next();
    call.controller.abort(new Error("barge-in"));
    expect(await next).toEqual({ value: undefined, done: true });
    const [asked] = call.server.requests;
    expect(await asked?.ended).toBe("aborted");
    expect(call.usages).toEqual([{ inputTokens: asked?.usage?.input_tokens, outputTokens: 5, isEstimated: true, ...noCache }]);
    expect(call.clock.pendingTimers).toBe(0);
  });

  test("within a tool call ends the iteration", async () => {
    const call = await start({ toolCalls: [{ name: "hours", arguments: ['{"day":', '"fri"}'] }], tokenMs: 1000 });
    expect(await call.stream.next()).toMatchObject({ value: { type: "tool_call", name: "hours" } });
    call.controller.abort();
    expect(await call.stream.next()).toEqual({ value: undefined, done: true });
  });

  test("before the headers, before the start and after the end changes nothing else", async () => {
    const waiting = await start({ connection: "silence" });
    const next = waiting.stream.next();
    waiting.controller.abort();
    expect(await next).toEqual({ value: undefined, done: true });
    const unread = await start("Hi.");
    unread.controller.abort();
    expect(await unread.stream.next()).toEqual({ value: undefined, done: true });
    expect(unread.server.requests).toEqual([]);
    const over = await start("Hi.");
    await collect(over.stream);
    over.controller.abort();
    expect(over.usages).toHaveLength(1);
  });

  test("by breaking off the iteration cancels the request and reports usage once", async () => {
    const call = await start({ text: ["Hello", " again"], tokenMs: 1000 });
    for await (const _chunk of call.stream) break;
    expect(await call.server.requests[0]?.ended).toBe("aborted");
    expect(call.usages).toHaveLength(1);
  });
});

/** What the test server says of a cache that was not asked for. */
const noCache = { cacheReadTokens: 0, cacheWrite5mTokens: 0, cacheWrite1hTokens: 0 };

test("hundreds of answers leave no listener behind on a signal that outlives them", async () => {
  const clock = new VirtualClock();
  const server = await AnthropicServer.start({ clock });
  const llm = new AnthropicLLM({ apiKey: "sk-ant-test", fetch: server.fetch, promptCaching: false });
  cleanups.push(llm, server);
  const { signal } = new AbortController();
  let listeners = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners++;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners--;
    remove(...args);
  };
  for (let turn = 0; turn < 300; turn++) await clock.runUntil(collect(llm.stream(HELLO, null, { signal, clock })));
  expect(listeners).toBe(0);
  expect(clock.pendingTimers).toBe(0);
});
