import Anthropic from "@anthropic-ai/sdk";
import type { MessageCreateParamsNonStreaming, MessageCreateParamsStreaming } from "@anthropic-ai/sdk/resources/messages";
import { afterEach, expect, expectTypeOf, test, vi } from "vitest";
import { messageEnd, messageStart, streamBytes, textBlock } from "../../test/llm/anthropic-events.js";
import { collect, startVendor, textOf, toolCallsOf } from "../../test/llm/vendor.js";
import type { ChatMessage, ToolSpec } from "../core/chat.js";
import { VirtualClock } from "../core/clock.js";
import { ConfigError } from "../core/errors.js";
import type { AnthropicReply } from "../testing/anthropic/replies.js";
import { AnthropicServer } from "../testing/anthropic/server.js";
import type { WarmupBody } from "./anthropic/warm-prefixes.js";
import type { MessagesBody } from "./anthropic/wire.js";
import { AnthropicLLM, type AnthropicLLMOptions, LLM } from "./anthropic.js";

const cleanups: AsyncDisposable[] = [];

afterEach(async () => {
  vi.restoreAllMocks();
  for (const item of cleanups.splice(0)) await item[Symbol.asyncDispose]();
});

async function api(...replies: readonly AnthropicReply[]): Promise<AnthropicServer> {
  const server = await AnthropicServer.start({ replies });
  cleanups.push(server);
  return server;
}

function model(baseUrl: string, options: AnthropicLLMOptions = {}): AnthropicLLM {
  const llm = new AnthropicLLM({ apiKey: "sk-ant-test", baseUrl, promptCaching: false, ...options });
  cleanups.unshift(llm);
  return llm;
}

const HELLO: readonly ChatMessage[] = [{ role: "user", content: "Hello" }];
const HOURS: ToolSpec = { type: "function", function: { name: "opening hours", parameters: { type: "object" } } };

test("LLM is AnthropicLLM by its subpath", () => {
  expect(LLM).toBe(AnthropicLLM);
  expect(new LLM({ apiKey: "k" })).toMatchObject({ provider: "anthropic", model: "claude-haiku-4-5-20251001" });
});

test("an option that is not known, or out of its range, is refused before anything is sent", () => {
  expect(() => new AnthropicLLM({ apiKey: "k", maxTokens: 0 })).toThrow(
    new ConfigError("AnthropicLLM cannot use { maxTokens: 0 }: pass a whole number above 0."),
  );
  expect(() => new AnthropicLLM({ apiKey: "k", maxToken: 10 } as AnthropicLLMOptions)).toThrow('did you mean "maxTokens"?');
});

test("streamed text arrives piece by piece, and done carries stop reason, usage and request id", async () => {
  const server = await api({ text: ["Hel", "lo."] });
  const chunks = await collect(model(server.url).stream(HELLO));
  const noCache = { cacheReadTokens: 0, cacheWrite5mTokens: 0, cacheWrite1hTokens: 0 };
  expect(chunks).toEqual([
    { type: "text", content: "Hel" },
    { type: "text", content: "lo." },
    {
      type: "done",
      stopReason: "end_turn",
      usage: { inputTokens: server.requests[0]?.usage?.input_tokens, outputTokens: 2, thinkingTokens: 0, ...noCache },
      requestId: "req_000001",
      timing: { connectMs: expect.any(Number), headersMs: expect.any(Number), firstContentMs: expect.any(Number) },
    },
  ]);
});

test("thinking is not spoken, and goes back unchanged to the model that wrote it, and to no other", async () => {
  const server = await api(
    { thinking: { thinking: "Hmm." }, toolCalls: [{ name: "opening_hours" }] },
    "From nine.",
    "From nine.",
  );
  const thinking = { thinking: { budgetTokens: 1024 }, maxTokens: 2048 } as const;
  const chunks = await collect(model(server.url, thinking).stream(HELLO, [HOURS]));
  expect(textOf(chunks)).toBe("");
  const [call] = toolCallsOf(chunks);
  expect(call).toMatchObject({ name: "opening hours", arguments: "{}" });
  const done = chunks.at(-1);
  const history: ChatMessage[] = [
    ...HELLO,
    {
      role: "assistant",
      content: null,
      tool_calls: [{ id: call?.id ?? "", type: "function", function: { name: "opening hours", arguments: "{}" } }],
      providerData: done?.type === "done" ? done.providerData : undefined,
    },
    { role: "tool", tool_call_id: call?.id ?? "", content: "9 to 5" },
  ];
  await collect(model(server.url, thinking).stream(history, [HOURS]));
  await collect(model(server.url, { model: "claude-sonnet-4-6" }).stream(history, [HOURS]));
  const contents = server.requests.slice(1).map(({ body }) => body.messages?.[1]?.content);
  expect(contents).toMatchObject([
    [
      { type: "thinking", thinking: "Hmm." },
      { type: "tool_use", name: "opening_hours" },
    ],
    [{ type: "tool_use", name: "opening_hours" }],
  ]);
  expect(server.requests.map(({ status }) => status)).toEqual([200, 200, 200]);
});

test("the request carries the documented headers, and the caching ones only with caching", async () => {
  const server = await api();
  await collect(model(`${server.url}/v1/messages`, { promptCaching: true }).stream(HELLO));
  await collect(model(server.url, { temperature: 0.2, maxTokens: 50 }).stream(HELLO));
  const [cached, uncached] = server.requests;
  expect(cached).toMatchObject({ method: "POST", path: "/v1/messages" });
  expect(cached?.headers).toMatchObject({
    "x-api-key": "sk-ant-test",
    "anthropic-version": "2023-06-01",
    "anthropic-beta": "prompt-caching-2024-07-31",
    "content-type": "application/json",
  });
  expect(cached?.body).toMatchObject({ model: "claude-haiku-4-5-20251001", max_tokens: 1024, stream: true });
  expect(cached?.bodyText).toContain("cache_control");
  expect(uncached?.path).toBe("/v1/messages");
  expect(uncached?.headers).not.toHaveProperty("anthropic-beta");
  expect(uncached?.body).toMatchObject({ max_tokens: 50, temperature: 0.2 });
  expect(uncached?.bodyText).not.toContain("cache_control");
});

test("every option reaches the request", async () => {
  const server = await api();
  const options: AnthropicLLMOptions = {
    model: "claude-opus-4-5",
    temperature: 0.3,
    stopSequences: ["END"],
    metadata: { userId: "u1" },
    effort: "low",
    toolChoice: { name: "opening hours" },
    parallelToolCalls: false,
    betas: ["a-1"],
    headers: { "X-Trace": "t1" },
  };
  await collect(model(server.url, options).stream(HELLO, [HOURS]));
  expect(server.requests[0]).toMatchObject({
    status: 200,
    headers: { "anthropic-beta": "a-1", "x-trace": "t1" },
    body: {
      temperature: 0.3,
      stop_sequences: ["END"],
      metadata: { user_id: "u1" },
      output_config: { effort: "low" },
      tool_choice: { type: "tool", name: "opening_hours", disable_parallel_tool_use: true },
    },
  });
});

test("a version of the API that is given as a header takes no sampling either", async () => {
  const emit = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const server = await api();
  await collect(model(server.url, { temperature: 0.3, headers: { "Anthropic-Version": "2026-10-21" } }).stream(HELLO));
  expect(server.requests[0]?.status).toBe(200);
  expect(emit.mock.calls).toEqual([
    [
      "AnthropicLLM: { temperature: 0.3 } is left out: version 2026-10-21 of the API takes it for no model. Remove the option.",
      { type: "GetpatterWarning", code: "temperature_left_out" },
    ],
  ]);
});

test("a vendor that cannot be reached is named with its address", async () => {
  const server = await startVendor(() => {});
  await server[Symbol.asyncDispose]();
  await expect(collect(model(server.url).stream(HELLO))).rejects.toThrow(
    `AnthropicLLM lost or could not open its connection to ${server.url} (ECONNREFUSED).`,
  );
});

test("a reader that takes its time is no silent stream", async () => {
  const clock = new VirtualClock();
  const server = await api("Hi.");
  const stream = model(server.url).stream(HELLO, null, { clock });
  await stream.next();
  await clock.advance(60_000);
  expect(await stream.next()).toMatchObject({ value: { type: "done", stopReason: "end_turn" } });
});

test("a fetch that was passed in carries the request, its abort and its failure", async () => {
  const sent: RequestInit[] = [];
  const reply: typeof fetch = (_url, init) => {
    sent.push(init ?? {});
    const bytes = streamBytes([messageStart(), ...textBlock(0, "Hi"), ...messageEnd("end_turn", 2)]);
    return Promise.resolve(new Response(bytes, { headers: { "request-id": "req_2" } }));
  };
  const chunks = await collect(model("https://gateway.example/anthropic", { fetch: reply }).stream(HELLO));
  expect(textOf(chunks)).toBe("Hi");
  expect(chunks.at(-1)).toMatchObject({ requestId: "req_2" });
  expect(sent[0]?.signal).toBeInstanceOf(AbortSignal);
  const failing: typeof fetch = () =>
    Promise.reject(new TypeError("fetch failed", { cause: Object.assign(new Error("x"), { code: "ECONNRESET" }) }));
  await expect(collect(model("https://gateway.example", { fetch: failing }).stream(HELLO))).rejects.toThrow("(ECONNRESET)");
});

test("warming up opens the connection that the first answers use, and tells when there is none", async () => {
  const server = await api();
  const llm = model(server.url);
  await llm.warmup();
  await collect(llm.stream(HELLO));
  await collect(llm.stream(HELLO));
  expect(server.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
    "GET /v1/models?limit=1",
    "POST /v1/messages",
    "POST /v1/messages",
  ]);
  expect(server.connections).toBe(1);
  const gone = await startVendor(() => {});
  await gone[Symbol.asyncDispose]();
  await expect(model(gone.url).warmup()).rejects.toThrow("could not open its connection");
});

// The vendor's own SDK as an independent oracle: for the bodies that are sent, and for what is understood of the answers.

type Writable<T> = T extends object ? { -readonly [Key in keyof T]: Writable<T[Key]> } : T;

test("the bodies that are sent have the types that the vendor's SDK sends", () => {
  expectTypeOf<Writable<MessagesBody>>().toExtend<MessageCreateParamsStreaming>();
  expectTypeOf<Writable<WarmupBody>>().toExtend<MessageCreateParamsNonStreaming>();
});

test("the vendor's SDK reads the same answer from the same server", async () => {
  const reply: AnthropicReply = { text: "One moment.", toolCalls: [{ name: "hours", arguments: ['{"day":', '"fri"}'] }] };
  const server = await api(reply, reply);
  const client = new Anthropic({ apiKey: "sk-ant-test", baseURL: server.url, maxRetries: 0 });
  const tools = [{ name: "hours", input_schema: { type: "object" as const } }];
  const message = await client.messages
    .stream({ model: "claude-haiku-4-5", max_tokens: 1024, tools, messages: [{ role: "user", content: "Hello" }] })
    .finalMessage();
  const hours: ToolSpec = { type: "function", function: { name: "hours", parameters: {} } };
  const chunks = await collect(model(server.url).stream(HELLO, [hours]));
  expect(message.content).toMatchObject([
    { type: "text", text: textOf(chunks) },
    { type: "tool_use", name: "hours", input: JSON.parse(toolCallsOf(chunks)[0]?.arguments ?? "") as unknown },
  ]);
  expect(chunks.at(-1)).toMatchObject({
    stopReason: message.stop_reason,
    usage: { inputTokens: message.usage.input_tokens, outputTokens: message.usage.output_tokens },
  });
});
