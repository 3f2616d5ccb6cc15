import Anthropic from "@anthropic-ai/sdk";
import type { MessageCreateParamsStreaming } from "@anthropic-ai/sdk/resources/messages";
import { afterEach, expect, expectTypeOf, test } from "vitest";
import {
  messageEnd,
  messageStart,
  textBlock,
  toolBlock,
  toolPiece,
  toolStart,
  type WireEvent,
} from "../../test/llm/anthropic-events.js";
import {
  type Answer,
  collect,
  sendEvents,
  sendJson,
  startVendor,
  textOf,
  toolCallsOf,
  type Vendor,
} from "../../test/llm/vendor.js";
import type { ChatMessage } from "../core/chat.js";
import { VirtualClock } from "../core/clock.js";
import {
  AuthenticationError,
  ConfigError,
  ProtocolError,
  ProviderError,
  ProviderTimeoutError,
  RateLimitError,
} from "../core/errors.js";
import type { LlmChunk, LlmOptions, LlmUsage } from "../core/llm.js";
import type { MessagesBody } from "./anthropic/wire.js";
import { AnthropicLLM, type AnthropicLLMOptions, LLM } from "./anthropic.js";

const cleanups: AsyncDisposable[] = [];

afterEach(async () => {
  for (const item of cleanups.splice(0)) await item[Symbol.asyncDispose]();
});

async function vendor(answer: Answer): Promise<Vendor> {
  const started = await startVendor(answer);
  cleanups.push(started);
  return started;
}

function model(baseUrl: string, options: AnthropicLLMOptions = {}): AnthropicLLM {
  const llm = new AnthropicLLM({ apiKey: "sk-ant-test", baseUrl, ...options });
  cleanups.unshift(llm);
  return llm;
}

/** Streams `events` and ends the response. */
function answering(...events: readonly WireEvent[]): Answer {
  return (response) => {
    sendEvents(response, events);
    response.end();
  };
}

const HELLO: readonly ChatMessage[] = [{ role: "user", content: "Hello" }];
async function answerOf(events: readonly WireEvent[], options?: LlmOptions): Promise<LlmChunk[]> {
  const server = await vendor(answering(...events));
  return collect(model(server.url).stream(HELLO, null, options));
}

async function bodyFor(messages: readonly ChatMessage[], options: AnthropicLLMOptions = {}): Promise<MessagesBody> {
  const server = await vendor(answering(messageStart(), ...textBlock(0, "ok"), ...messageEnd("end_turn", 1)));
  await collect(model(server.url, options).stream(messages));
  return server.requests[0]?.body as MessagesBody;
}

test("LLM is AnthropicLLM by its subpath", () => {
  expect(LLM).toBe(AnthropicLLM);
  expect(new LLM({ apiKey: "k" })).toMatchObject({ provider: "anthropic", model: "claude-haiku-4-5-20251001" });
});

test("options out of their range are refused with the value and the remedy", () => {
  const create = (options: AnthropicLLMOptions) => () => new AnthropicLLM({ apiKey: "k", ...options });
  expect(create({ maxTokens: 0 })).toThrow(
    new ConfigError("AnthropicLLM cannot use { maxTokens: 0 }: pass a whole number above 0."),
  );
  expect(create({ temperature: 1.5 })).toThrow("temperature: 1.5");
  expect(create({ baseUrl: "api.anthropic.com" })).toThrow('AnthropicLLM cannot use { baseUrl: "api.anthropic.com" }');
});

test("streamed text arrives piece by piece, and done carries stop reason, usage and request id", async () => {
  const chunks = await answerOf([messageStart(), { type: "ping" }, ...textBlock(0, "Hel", "lo."), ...messageEnd("end_turn", 6)]);
  expect(chunks).toEqual([
    { type: "text", content: "Hel" },
    { type: "text", content: "lo." },
    {
      type: "done",
      stopReason: "end_turn",
      usage: { inputTokens: 25, outputTokens: 6 },
      requestId: "req_1",
      timing: { connectMs: expect.any(Number), headersMs: expect.any(Number), firstContentMs: expect.any(Number) },
    },
  ]);
});

test("parallel tool calls come out whole and in order, even when their blocks interleave", async () => {
  const chunks = await answerOf([
    messageStart(),
    ...textBlock(0, "One moment."),
    toolStart(1, "toolu_1", "book_table"),
    toolStart(2, "toolu_2", "hours"),
    toolPiece(1, ""),
    toolPiece(2, '{"day":'),
    toolPiece(1, '{"party'),
    toolPiece(2, '"fri"}'),
    toolPiece(1, '_size":4}'),
    { type: "content_block_stop", index: 1 },
    { type: "content_block_stop", index: 2 },
    ...toolBlock(3, "toolu_3", "hours"),
    ...messageEnd("tool_use", 40),
  ]);
  expect(textOf(chunks)).toBe("One moment.");
  expect(toolCallsOf(chunks)).toEqual([
    { id: "toolu_1", name: "book_table", arguments: '{"party_size":4}' },
    { id: "toolu_2", name: "hours", arguments: '{"day":"fri"}' },
    { id: "toolu_3", name: "hours", arguments: "{}" },
  ]);
  expect(chunks.at(-1)).toMatchObject({ type: "done", stopReason: "tool_use" });
});

test("usage is cumulative: the last count that is not null stands, and cached tokens are told apart", async () => {
  const start = messageStart({
    input_tokens: 10,
    cache_read_input_tokens: 4000,
    cache_creation_input_tokens: 300,
    cache_creation: { ephemeral_5m_input_tokens: 200, ephemeral_1h_input_tokens: 100 },
  });
  const chunks = await answerOf([
    start,
    ...textBlock(0, "Hi"),
    ...messageEnd("end_turn", 7, { input_tokens: 12, cache_read_input_tokens: null }),
  ]);
  expect(chunks.at(-1)).toMatchObject({
    usage: { inputTokens: 12, outputTokens: 7, cacheReadTokens: 4000, cacheWrite5mTokens: 200, cacheWrite1hTokens: 100 },
  });
});

test.each([
  ["max_tokens", "max_tokens"],
  ["model_context_window_exceeded", "max_tokens"],
  ["refusal", "refusal"],
  ["stop_sequence", "stop_sequence"],
  ["pause_turn", "other"],
] as const)("the stop reason %s is reported as %s", async (reason, expected) => {
  expect((await answerOf([messageStart(), ...messageEnd(reason, 1)])).at(-1)).toMatchObject({ stopReason: expected });
});

test("events, blocks and deltas that are not known are skipped", async () => {
  const unknown = [
    { type: "content_block_start", index: 5, content_block: { type: "hologram" } },
    { type: "content_block_delta", index: 5, delta: { type: "hologram_delta", text: "no" } },
    { type: "content_block_stop", index: 5 },
    { type: "weather" },
  ] as unknown as WireEvent[];
  expect(textOf(await answerOf([messageStart(), ...unknown, ...textBlock(0, "Hi"), ...messageEnd("end_turn", 2)]))).toBe("Hi");
});

test("thinking is not spoken, and goes back unchanged to the model that wrote it, and to no other", async () => {
  const thinking: WireEvent[] = [
    { type: "content_block_start", index: 0, content_block: { type: "thinking", thinking: "", signature: "" } },
    { type: "content_block_delta", index: 0, delta: { type: "thinking_delta", thinking: "Hmm." } },
    { type: "content_block_delta", index: 0, delta: { type: "signature_delta", signature: "c2ln" } },
    { type: "content_block_stop", index: 0 },
  ];
  const chunks = await answerOf([
    messageStart(),
    ...thinking,
    ...toolBlock(1, "toolu_1", "hours"),
    ...messageEnd("tool_use", 20),
  ]);
  expect(textOf(chunks)).toBe("");
  const done = chunks.at(-1);
  const providerData = done?.type === "done" ? done.providerData : undefined;
  const history: ChatMessage[] = [
    ...HELLO,
    {
      role: "assistant",
      content: null,
      tool_calls: [{ id: "toolu_1", type: "function", function: { name: "hours", arguments: "{}" } }],
      providerData,
    },
    { role: "tool", tool_call_id: "toolu_1", content: "5 to 10" },
  ];
  expect((await bodyFor(history)).messages[1]?.content[0]).toEqual({ type: "thinking", thinking: "Hmm.", signature: "c2ln" });
  expect((await bodyFor(history, { model: "claude-sonnet-4-6" })).messages[1]?.content[0]).toMatchObject({
    type: "tool_use",
  });
});

test("the request carries the documented headers, and the caching ones only with caching", async () => {
  const server = await vendor(answering(messageStart(), ...textBlock(0, "Hi"), ...messageEnd("end_turn", 1)));
  await collect(model(`${server.url}/v1/messages`).stream(HELLO));
  await collect(model(server.url, { promptCaching: false, temperature: 0.2, maxTokens: 50 }).stream(HELLO));
  const [cached, uncached] = server.requests;
  expect(cached).toMatchObject({ method: "POST", path: "/v1/messages" });
  expect(cached?.headers).toMatchObject({
    "x-api-key": "sk-ant-test",
    "anthropic-version": "2023-06-01",
    "anthropic-beta": "prompt-caching-2024-07-31",
    "content-type": "application/json",
  });
  expect(cached?.body).toMatchObject({ model: "claude-haiku-4-5-20251001", max_tokens: 1024, stream: true });
  expect(uncached?.path).toBe("/v1/messages");
  expect(uncached?.headers).not.toHaveProperty("anthropic-beta");
  expect(uncached?.body).toMatchObject({ max_tokens: 50, temperature: 0.2 });
});

test.each([
  [401, "authentication_error", AuthenticationError, false],
  [400, "invalid_request_error", ProviderError, false],
  [404, "not_found_error", ProviderError, false],
] as const)("status %i (%s) fails at once with what the vendor said", async (status, type, ErrorClass, retryable) => {
  const server = await vendor((response) =>
    sendJson(response, status, { type: "error", error: { type, message: "no way" } }, { "request-id": "req_9" }),
  );
  const error = await collect(model(server.url).stream(HELLO)).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ErrorClass);
  expect(error).toMatchObject({ provider: "anthropic", status, requestId: "req_9", retryable });
  expect((error as Error).message).toContain(`AnthropicLLM was answered with ${status} (${type}: no way).`);
  expect(server.requests).toHaveLength(1);
});

test("an overloaded model is asked once more, and the caller notices nothing", async () => {
  const server = await vendor((response, _request, attempt) =>
    attempt === 1
      ? sendJson(response, 529, { type: "error", error: { type: "overloaded_error", message: "Overloaded" } })
      : answering(messageStart(), ...textBlock(0, "Hi"), ...messageEnd("end_turn", 2))(response, _request, attempt),
  );
  expect(textOf(await collect(model(server.url).stream(HELLO)))).toBe("Hi");
  expect(server.requests).toHaveLength(2);
});

test("a model that stays overloaded is asked twice and no more", async () => {
  const server = await vendor((response) =>
    sendJson(response, 529, { type: "error", error: { type: "overloaded_error", message: "Overloaded" } }),
  );
  await expect(collect(model(server.url).stream(HELLO))).rejects.toMatchObject({ status: 529, retryable: true });
  expect(server.requests).toHaveLength(2);
});

test("a limit that asks for long patience is reported instead of waited for, and the vendor's word on retrying is obeyed", async () => {
  const server = await vendor((response) =>
    sendJson(response, 429, { type: "error", error: { type: "rate_limit_error", message: "slow" } }, { "retry-after": "20" }),
  );
  const error = await collect(model(server.url).stream(HELLO)).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(RateLimitError);
  expect(error).toMatchObject({ retryAfterMs: 20_000, retryable: true });
  const never = await vendor((response) =>
    sendJson(response, 500, { type: "error", error: { type: "api_error", message: "broken" } }, { "x-should-retry": "false" }),
  );
  await expect(collect(model(never.url).stream(HELLO))).rejects.toMatchObject({ retryable: false });
  expect([server.requests.length, never.requests.length]).toEqual([1, 1]);
});

test("an error inside the stream before any content is tried again", async () => {
  const overloaded: WireEvent = { type: "error", error: { type: "overloaded_error", message: "Overloaded" } };
  const server = await vendor((response, request, attempt) =>
    answering(messageStart(), ...(attempt === 1 ? [overloaded] : [...textBlock(0, "Hi"), ...messageEnd("end_turn", 2)]))(
      response,
      request,
      attempt,
    ),
  );
  const usages: LlmUsage[] = [];
  const chunks = await collect(model(server.url).stream(HELLO, null, { onUsage: (usage) => usages.push(usage) }));
  expect(textOf(chunks)).toBe("Hi");
  // The vendor bills the tokens it read for the failed answer too.
  const usage = { inputTokens: 50, outputTokens: expect.any(Number), isEstimated: true };
  expect(usages).toEqual([usage]);
  expect(chunks.at(-1)).toMatchObject({ type: "done", usage });
});

test("an error inside the stream behind content is thrown, never replayed", async () => {
  const server = await vendor(
    answering(messageStart(), ...textBlock(0, "Hi"), {
      type: "error",
      error: { type: "overloaded_error", message: "Overloaded" },
    }),
  );
  const seen: LlmChunk[] = [];
  const reading = async (): Promise<void> => {
    for await (const chunk of model(server.url).stream(HELLO)) seen.push(chunk);
  };
  await expect(reading()).rejects.toMatchObject({ status: 529, retryable: true });
  expect(textOf(seen)).toBe("Hi");
  expect(server.requests).toHaveLength(1);
});

test("a stream that ends without message_stop is an error, not an answer", async () => {
  const server = await vendor(answering(messageStart(), ...textBlock(0, "Hi, I")));
  await expect(collect(model(server.url).stream(HELLO))).rejects.toBeInstanceOf(ProtocolError);
});

test("a connection that breaks within the answer is an error that may pass", async () => {
  const server = await vendor((response) => {
    sendEvents(response, [messageStart(), ...textBlock(0, "Hi, I")]);
    setImmediate(() => response.destroy());
  });
  await expect(collect(model(server.url).stream(HELLO))).rejects.toMatchObject({ code: "provider", retryable: true });
});

test("a vendor that cannot be reached is named with its address", async () => {
  const server = await startVendor(() => {});
  await server[Symbol.asyncDispose]();
  await expect(collect(model(server.url).stream(HELLO))).rejects.toThrow(
    `AnthropicLLM lost or could not open its connection to ${server.url} (ECONNREFUSED).`,
  );
});

test("a stream that only pings fails when the time is up", async () => {
  const clock = new VirtualClock();
  const server = await vendor((response) => sendEvents(response, [messageStart(), ...textBlock(0, "Hi"), { type: "ping" }]));
  const stream = model(server.url).stream(HELLO, null, { clock });
  expect(await stream.next()).toEqual({ value: { type: "text", content: "Hi" }, done: false });
  const next = stream.next();
  next.catch(() => {});
  await clock.advance(8000);
  await expect(next).rejects.toBeInstanceOf(ProviderTimeoutError);
  expect(clock.pendingTimers).toBe(0);
});

test("a reader that takes its time is no silent stream", async () => {
  const clock = new VirtualClock();
  const server = await vendor(answering(messageStart(), ...textBlock(0, "Hi"), ...messageEnd("end_turn", 2)));
  const stream = model(server.url).stream(HELLO, null, { clock });
  await stream.next();
  await clock.advance(60_000);
  expect(await stream.next()).toMatchObject({ value: { type: "done", stopReason: "end_turn" } });
});

test("an abort ends the iteration at once and without an error, and still reports what was used", async () => {
  const server = await vendor((response) => sendEvents(response, [messageStart(), ...textBlock(0, "Hello, how are you?")]));
  const controller = new AbortController();
  const usages: LlmUsage[] = [];
  const stream = model(server.url).stream(HELLO, null, { signal: controller.signal, onUsage: (usage) => usages.push(usage) });
  await stream.next();
  const next = stream.next();
  controller.abort(new Error("barge-in"));
  expect(await next).toEqual({ value: undefined, done: true });
  expect(usages).toEqual([{ inputTokens: 25, outputTokens: 5, isEstimated: true }]);
  await server.aborted;
});

test("an abort before the headers, or before the start, ends the iteration without an error", async () => {
  const server = await vendor(() => {});
  const controller = new AbortController();
  const next = model(server.url).stream(HELLO, null, { signal: controller.signal }).next();
  controller.abort();
  expect(await next).toEqual({ value: undefined, done: true });
  expect(await model(server.url).stream(HELLO, null, { signal: controller.signal }).next()).toEqual({
    value: undefined,
    done: true,
  });
});

test("breaking off the iteration aborts the request and reports usage once", async () => {
  const server = await vendor((response) => sendEvents(response, [messageStart(), ...textBlock(0, "Hello")]));
  const usages: LlmUsage[] = [];
  for await (const _chunk of model(server.url).stream(HELLO, null, { onUsage: (usage) => usages.push(usage) })) break;
  await server.aborted;
  expect(usages).toHaveLength(1);
});

test("answers leave no listener behind on a signal that outlives them", async () => {
  const server = await vendor(answering(messageStart(), ...textBlock(0, "Hi"), ...messageEnd("end_turn", 2)));
  const llm = model(server.url);
  const controller = new AbortController();
  let listeners = 0;
  const { signal } = controller;
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
  for (let turn = 0; turn < 50; turn++) await collect(llm.stream(HELLO, null, { signal }));
  await llm[Symbol.asyncDispose]();
  expect(listeners).toBe(0);
});

test("a fetch that was passed in carries the request, its abort and its failure", async () => {
  const sent: RequestInit[] = [];
  const reply: typeof fetch = async (_url, init) => {
    sent.push(init ?? {});
    const events = [messageStart(), ...textBlock(0, "Hi"), ...messageEnd("end_turn", 2)];
    return new Response(events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(""), {
      headers: { "request-id": "req_2" },
    });
  };
  const chunks = await collect(model("https://gateway.example/anthropic", { fetch: reply }).stream(HELLO));
  expect(textOf(chunks)).toBe("Hi");
  expect(chunks.at(-1)).toMatchObject({ requestId: "req_2" });
  expect(sent[0]?.signal).toBeInstanceOf(AbortSignal);
  const failing: typeof fetch = () =>
    Promise.reject(new TypeError("fetch failed", { cause: Object.assign(new Error("x"), { code: "ECONNRESET" }) }));
  await expect(collect(model("https://gateway.example", { fetch: failing }).stream(HELLO))).rejects.toThrow("(ECONNRESET)");
});

test("warming up opens the connection that the first answer uses, and never fails the call", async () => {
  const server = await vendor((response, request, attempt) =>
    request.method === "GET"
      ? sendJson(response, 200, { data: [] })
      : answering(messageStart(), ...textBlock(0, "Hi"), ...messageEnd("end_turn", 1))(response, request, attempt),
  );
  const llm = model(server.url);
  await llm.warmup();
  await collect(llm.stream(HELLO));
  expect(server.requests.map(({ method, path }) => `${method} ${path}`)).toEqual(["GET /v1/models?limit=1", "POST /v1/messages"]);
  expect(server.connections).toBe(1);
  const gone = await startVendor(() => {});
  await gone[Symbol.asyncDispose]();
  await expect(model(gone.url).warmup()).resolves.toBeUndefined();
});

// The vendor's own SDK as an independent oracle: for the bodies that are sent, and for the fake that answers.

type Writable<T> = T extends object ? { -readonly [Key in keyof T]: Writable<T[Key]> } : T;

test("the body that is sent has the type that the vendor's SDK sends", () => {
  expectTypeOf<Writable<MessagesBody>>().toExtend<MessageCreateParamsStreaming>();
});

test("the vendor's SDK reads the same answer from the same server", async () => {
  const events = [
    messageStart(),
    ...textBlock(0, "One moment."),
    ...toolBlock(1, "toolu_1", "hours", '{"day":', '"fri"}'),
    ...messageEnd("tool_use", 9),
  ];
  const server = await vendor(answering(...events));
  const client = new Anthropic({ apiKey: "sk-ant-test", baseURL: server.url, maxRetries: 0 });
  const message = await client.messages
    .stream({ model: "claude-haiku-4-5", max_tokens: 100, messages: [{ role: "user", content: "Hello" }] })
    .finalMessage();
  const chunks = await collect(model(server.url).stream(HELLO));
  expect(message.content).toMatchObject([
    { type: "text", text: textOf(chunks) },
    { type: "tool_use", id: "toolu_1", name: "hours", input: JSON.parse(toolCallsOf(chunks)[0]?.arguments ?? "") as unknown },
  ]);
  expect(chunks.at(-1)).toMatchObject({
    usage: { inputTokens: message.usage.input_tokens, outputTokens: message.usage.output_tokens },
  });
});
