import { afterEach, expect, test } from "vitest";
import { type Answer, collect, sendJson, startVendor, textOf, toolCallsOf, type Vendor } from "../../test/llm/vendor.js";
import type { ChatMessage, ToolSpec } from "../core/chat.js";
import { VirtualClock } from "../core/clock.js";
import { ConfigError, ProtocolError } from "../core/errors.js";
import type { LlmChunk, LlmUsage } from "../core/llm.js";
import { findLocalModel, OpenAICompatibleLLM } from "./openai-compatible.js";

const cleanups: AsyncDisposable[] = [];

afterEach(async () => {
  for (const item of cleanups.splice(0)) await item[Symbol.asyncDispose]();
});

async function vendor(answer: Answer): Promise<Vendor> {
  const started = await startVendor(answer);
  cleanups.push(started);
  return started;
}

const HELLO: readonly ChatMessage[] = [{ role: "user", content: "Hello" }];
const HOURS: ToolSpec = { type: "function", function: { name: "hours", parameters: { type: "object", properties: {} } } };

function answering(...events: readonly (object | string)[]): Answer {
  return (response) => {
    response.writeHead(200, { "content-type": "text/event-stream", "x-request-id": "chatcmpl-1" });
    for (const event of events) response.write(`data: ${typeof event === "string" ? event : JSON.stringify(event)}\n\n`);
    response.end();
  };
}

const delta = (fields: object, finish: string | null = null): object => ({
  choices: [{ index: 0, delta: fields, finish_reason: finish }],
});
const USAGE = { choices: [], usage: { prompt_tokens: 100, completion_tokens: 8, prompt_tokens_details: { cached_tokens: 60 } } };

async function answerOf(...events: readonly (object | string)[]): Promise<LlmChunk[]> {
  const server = await vendor(answering(...events));
  const llm = new OpenAICompatibleLLM({ baseUrl: server.url, model: "small" });
  cleanups.unshift(llm);
  return collect(llm.stream(HELLO));
}

test("text streams piece by piece, and done tells cached tokens apart", async () => {
  expect(
    await answerOf(
      delta({ role: "assistant", content: "" }),
      delta({ content: "Hel" }),
      delta({ content: "lo." }),
      delta({}, "stop"),
      USAGE,
      "[DONE]",
    ),
  ).toEqual([
    { type: "text", content: "Hel" },
    { type: "text", content: "lo." },
    {
      type: "done",
      stopReason: "end_turn",
      usage: { inputTokens: 40, outputTokens: 8, cacheReadTokens: 60 },
      requestId: "chatcmpl-1",
      timing: { connectMs: expect.any(Number), headersMs: expect.any(Number), firstContentMs: expect.any(Number) },
    },
  ]);
});

test("parallel tool calls are joined by index", async () => {
  const piece = (index: number, json: string): object => ({ index, function: { arguments: json } });
  const start = (index: number, id: string): object => ({
    index,
    id,
    type: "function",
    function: { name: "hours", arguments: "" },
  });
  const chunks = await answerOf(
    delta({ tool_calls: [start(0, "a"), start(1, "b")] }),
    delta({ tool_calls: [piece(1, '{"day":"fri"}'), piece(0, '{"day":')] }),
    delta({ tool_calls: [piece(0, '"sat"}')] }),
    delta({}, "tool_calls"),
    "[DONE]",
  );
  expect(toolCallsOf(chunks)).toEqual([
    { id: "a", name: "hours", arguments: '{"day":"sat"}' },
    { id: "b", name: "hours", arguments: '{"day":"fri"}' },
  ]);
});

test("calls that a server sends whole under one index stay apart, and its stop means tool use", async () => {
  const whole = (id: string, json: string): object => ({ index: 0, id, function: { name: "hours", arguments: json } });
  const chunks = await answerOf(
    delta({ tool_calls: [whole("a", "{}"), whole("b", '{"day":"fri"}')] }),
    delta({}, "stop"),
    "[DONE]",
  );
  expect(toolCallsOf(chunks).map(({ id, arguments: json }) => [id, json])).toEqual([
    ["a", "{}"],
    ["b", '{"day":"fri"}'],
  ]);
  expect(chunks.at(-1)).toMatchObject({ stopReason: "tool_use" });
});

test("a stream may end behind its finish reason without [DONE], but not before", async () => {
  expect(textOf(await answerOf(delta({ content: "Hi" }), delta({}, "stop")))).toBe("Hi");
  await expect(answerOf(delta({ content: "Hi" }))).rejects.toBeInstanceOf(ProtocolError);
});

test("an error inside the stream is thrown with what the server said", async () => {
  await expect(answerOf(delta({ content: "Hi" }), { error: { message: "model ran out of memory", code: 500 } })).rejects.toThrow(
    "model ran out of memory",
  );
  await expect(answerOf(delta({ content: "Hi" }), "<html>")).rejects.toBeInstanceOf(ProtocolError);
});

test("a refused request quotes the server, whichever form its error has", async () => {
  const server = await vendor((response) => sendJson(response, 404, { error: 'model "small" not found, try pulling it first' }));
  await expect(collect(new OpenAICompatibleLLM({ baseUrl: server.url, model: "small" }).stream(HELLO))).rejects.toThrow(
    'OpenAICompatibleLLM was answered with 404 (model "small" not found, try pulling it first).',
  );
});

test("the request holds what the API knows and nothing else", async () => {
  const server = await vendor(answering(delta({ content: "ok" }, "stop"), "[DONE]"));
  const llm = new OpenAICompatibleLLM({
    baseUrl: `${server.url}/v1`,
    model: "small",
    apiKey: "k",
    temperature: 0,
    maxTokens: 200,
    headers: { "x-tenant": "a" },
  });
  cleanups.unshift(llm);
  const call = { id: "a", type: "function" as const, function: { name: "hours", arguments: "{}" } };
  await collect(
    llm.stream(
      [
        { role: "system", content: "Be brief." },
        ...HELLO,
        { role: "assistant", content: null, tool_calls: [call], providerData: { secret: 1 } },
        { role: "tool", tool_call_id: "a", content: "closed", isError: true },
        { role: "user", content: " " },
      ],
      [HOURS],
    ),
  );
  const [request] = server.requests;
  expect(request?.path).toBe("/v1/chat/completions");
  expect(request?.headers).toMatchObject({ authorization: "Bearer k", "x-tenant": "a" });
  expect(request?.body).toEqual({
    model: "small",
    messages: [
      { role: "system", content: "Be brief." },
      { role: "user", content: "Hello" },
      { role: "assistant", content: null, tool_calls: [call] },
      { role: "tool", tool_call_id: "a", content: "Error: closed" },
    ],
    tools: [HOURS],
    temperature: 0,
    max_tokens: 200,
    stream: true,
    stream_options: { include_usage: true },
  });
});

test("an abort ends the iteration without an error and reports what was written so far", async () => {
  const server = await vendor((response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(`data: ${JSON.stringify(delta({ content: "Hello, you" }))}\n\n`);
  });
  const controller = new AbortController();
  const usages: LlmUsage[] = [];
  const stream = new OpenAICompatibleLLM({ baseUrl: server.url, model: "small" }).stream(HELLO, null, {
    signal: controller.signal,
    onUsage: (usage) => usages.push(usage),
  });
  await stream.next();
  const next = stream.next();
  controller.abort();
  expect(await next).toEqual({ value: undefined, done: true });
  // Nobody has counted the prompt: a token for every four characters of the request.
  expect(usages).toEqual([{ inputTokens: 30, outputTokens: 3, isEstimated: true }]);
  await server.aborted;
});

test("a missing model and options out of range are refused", () => {
  expect(() => new OpenAICompatibleLLM({ baseUrl: "http://localhost", model: "" })).toThrow(ConfigError);
  expect(() => new OpenAICompatibleLLM({ baseUrl: "http://localhost", model: "a", temperature: 3 })).toThrow("temperature: 3");
  expect(() => new OpenAICompatibleLLM({ baseUrl: "localhost", model: "a" })).toThrow("baseUrl");
});

test("the first address that lists a model is found, past silence, errors and models for embeddings", async () => {
  const silent = await vendor(() => {});
  const broken = await vendor((response) => sendJson(response, 500, {}));
  const empty = await vendor((response) => sendJson(response, 200, { data: [{ id: "nomic-embed-text" }] }));
  const good = await vendor((response, { path }) =>
    sendJson(response, 200, { data: path === "/v1/models" ? [{ id: "nomic-embed-text" }, { id: "qwen3:4b" }] : [] }),
  );
  const late = await vendor((response) => sendJson(response, 200, { data: [{ id: "other" }] }));
  const gone = await startVendor(() => {});
  await gone[Symbol.asyncDispose]();
  const urls = [silent, broken, empty, gone, good, late].map(({ url }) => url);
  expect(await findLocalModel({ urls })).toEqual({ baseUrl: good.url, model: "qwen3:4b" });
  expect(await findLocalModel({ urls: [gone.url, empty.url] })).toBeUndefined();
});

test("the search for a local model ends when its time is up or it is aborted", async () => {
  const silent = await vendor(() => {});
  const clock = new VirtualClock();
  const search = findLocalModel({ urls: [silent.url], clock });
  await clock.advance(300);
  expect(await search).toBeUndefined();
  expect(clock.pendingTimers).toBe(0);
  const controller = new AbortController();
  const aborted = findLocalModel({ urls: [silent.url], signal: controller.signal });
  controller.abort();
  expect(await aborted).toBeUndefined();
});
