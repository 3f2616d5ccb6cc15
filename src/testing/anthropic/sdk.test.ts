import Anthropic from "@anthropic-ai/sdk";
import type {
  Message,
  MessageCreateParamsStreaming,
  MessageParam,
  RawMessageStreamEvent,
  Tool,
} from "@anthropic-ai/sdk/resources/messages";
import type { ModelInfo } from "@anthropic-ai/sdk/resources/models";
import { Agent, fetch as undiciFetch } from "undici";
import { describe, expect, expectTypeOf, test } from "vitest";
import type { MessagesBody } from "../../llm/anthropic/wire.js";
import { AnthropicServer, type AnthropicServerOptions } from "./server.js";
import type { WireMessage, WireMessageEvent, WireModel } from "./wire.js";

type Protocol = "HTTP/1.1" | "HTTP/2" | "in-process";

interface Connected extends AsyncDisposable {
  readonly server: AnthropicServer;
  readonly client: Anthropic;
}

async function connect(protocol: Protocol, options: AnthropicServerOptions = {}): Promise<Connected> {
  const server = await AnthropicServer.start({ ...options, http2: protocol === "HTTP/2" });
  const agent = new Agent({ allowH2: true, connect: { ca: server.certificate } });
  const viaAgent = ((input: string, init: object) =>
    undiciFetch(input, { ...init, dispatcher: agent })) as unknown as typeof fetch;
  const client = new Anthropic({
    apiKey: "test",
    baseURL: server.url,
    maxRetries: 0,
    fetch: protocol === "in-process" ? server.fetch : viaAgent,
  });
  return {
    server,
    client,
    [Symbol.asyncDispose]: async () => {
      await agent.destroy();
      await server[Symbol.asyncDispose]();
    },
  };
}

const MODEL = "claude-haiku-4-5";
const HELLO: MessageParam[] = [{ role: "user", content: "Hello" }];
const WEATHER: Tool = {
  name: "get_weather",
  description: "Tells the weather.",
  input_schema: { type: "object", properties: { city: { type: "string" } } },
};

describe.each<Protocol>(["HTTP/1.1", "HTTP/2", "in-process"])("the official SDK over %s", (protocol) => {
  test("reads a streamed answer to its final message", async () => {
    await using connected = await connect(protocol, { replies: [{ text: "We open at nine.", usage: "cumulative" }] });
    const message = await connected.client.messages.stream({ model: MODEL, max_tokens: 100, messages: HELLO }).finalMessage();
    expect(message.content).toEqual([{ type: "text", text: "We open at nine.", citations: null }]);
    expect(message.stop_reason).toBe("end_turn");
    expect(message.usage).toMatchObject({ input_tokens: 2, output_tokens: 4, cache_read_input_tokens: 0 });
    expect(connected.server.requests[0]).toMatchObject({ protocol, outcome: "complete", status: 200 });
  });

  test.each(["nulls", "output_only"] as const)("counts the same when the last event has %s", async (usage) => {
    await using connected = await connect(protocol, { replies: [{ text: "We open at nine.", usage }] });
    const message = await connected.client.messages.stream({ model: MODEL, max_tokens: 100, messages: HELLO }).finalMessage();
    expect(message.usage).toMatchObject({ input_tokens: 2, output_tokens: 4 });
  });

  test("iterates over raw events", async () => {
    await using connected = await connect(protocol, { replies: ["Hi there."] });
    const events: RawMessageStreamEvent[] = [];
    const params = { model: MODEL, max_tokens: 100, messages: HELLO, stream: true } as const;
    for await (const event of await connected.client.messages.create(params)) events.push(event);
    expect(events.map(({ type }) => type)).toEqual([
      "message_start",
      "content_block_start",
      "content_block_delta",
      "content_block_delta",
      "content_block_stop",
      "message_delta",
      "message_stop",
    ]);
  });

  test("completes a round trip of parallel tool calls, with thinking sent back", async () => {
    await using connected = await connect(protocol, {
      replies: [
        {
          thinking: { thinking: "Two cities." },
          text: "One moment.",
          toolCalls: [{ name: "get_weather", arguments: { city: "Ghent", days: 2 } }, { name: "get_weather" }],
          interleave: true,
        },
        "It rains in both.",
      ],
    });
    const params = {
      model: MODEL,
      max_tokens: 2000,
      tools: [WEATHER],
      thinking: { type: "enabled" as const, budget_tokens: 1024 },
    };
    const first = await connected.client.messages.stream({ ...params, messages: HELLO }).finalMessage();
    expect(first.stop_reason).toBe("tool_use");
    const calls = first.content.filter((block) => block.type === "tool_use");
    expect(calls.map(({ input }) => input)).toEqual([{ city: "Ghent", days: 2 }, {}]);
    const messages: MessageParam[] = [
      ...HELLO,
      { role: "assistant", content: first.content },
      { role: "user", content: calls.map(({ id }) => ({ type: "tool_result", tool_use_id: id, content: "rain" })) },
    ];
    const second = await connected.client.messages.stream({ ...params, messages }).finalMessage();
    expect(second.content).toMatchObject([{ type: "text", text: "It rains in both." }]);
  });

  test("sees the cached part of a conversation grow", async () => {
    await using connected = await connect(protocol);
    const messages: MessageParam[] = [];
    const reads: (number | null)[] = [];
    for (let turn = 0; turn < 4; turn++) {
      messages.push({ role: "user", content: `Question ${turn}` });
      const message = await connected.client.messages.create({
        model: MODEL,
        max_tokens: 100,
        system: "Speak plainly. ".repeat(1200),
        cache_control: { type: "ephemeral" },
        messages,
      });
      messages.push({ role: "assistant", content: message.content });
      reads.push(message.usage.cache_read_input_tokens);
    }
    expect(reads).toEqual([0, 4503, 4509, 4515]);
  });

  test.each([
    [400, Anthropic.BadRequestError, "invalid_request_error"],
    [401, Anthropic.AuthenticationError, "authentication_error"],
    [403, Anthropic.PermissionDeniedError, "permission_error"],
    [404, Anthropic.NotFoundError, "not_found_error"],
    [429, Anthropic.RateLimitError, "rate_limit_error"],
    [500, Anthropic.InternalServerError, "api_error"],
    [529, Anthropic.InternalServerError, "overloaded_error"],
  ])("raises its own error for a %i", async (status, ErrorClass, type) => {
    await using connected = await connect(protocol, { replies: [{ status, headers: { "retry-after": "7" } }] });
    const error = await connected.client.messages
      .create({ model: MODEL, max_tokens: 9, messages: HELLO })
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ErrorClass);
    expect(error).toMatchObject({ status, type, requestID: "req_000001" });
    expect((error as InstanceType<typeof Anthropic.APIError>).headers?.get("retry-after")).toBe("7");
  });

  test("raises its own errors for refusals that were not scripted", async () => {
    await using connected = await connect(protocol, { apiKey: "test" });
    const { client, server } = connected;
    await expect(client.messages.create({ model: MODEL, max_tokens: 9, messages: [] })).rejects.toThrow(
      "messages: at least one message is required",
    );
    await expect(client.messages.create({ model: "claude-opus-4-1", max_tokens: 9, messages: HELLO })).rejects.toBeInstanceOf(
      Anthropic.NotFoundError,
    );
    const stranger = client.withOptions({ apiKey: "another" });
    await expect(stranger.messages.create({ model: MODEL, max_tokens: 9, messages: HELLO })).rejects.toBeInstanceOf(
      Anthropic.AuthenticationError,
    );
    expect(server.requests.map(({ status }) => status)).toEqual([400, 404, 401]);
  });

  test("sees an error in the middle of a stream, and a stream without its end", async () => {
    await using connected = await connect(protocol, {
      replies: [
        { text: "One two three", cut: { after: 2, with: { type: "overloaded_error" } } },
        { text: "One two three", cut: { after: 2, with: "eof" } },
        { text: "One two three", cut: { after: 2, with: "reset" } },
        { connection: "reset" },
      ],
    });
    const answer = () => connected.client.messages.stream({ model: MODEL, max_tokens: 100, messages: HELLO }).finalMessage();
    await expect(answer()).rejects.toMatchObject({ type: "overloaded_error" });
    await expect(answer()).rejects.toThrow("stream ended without producing a Message");
    await expect(answer()).rejects.toBeInstanceOf(Anthropic.AnthropicError);
    await expect(answer()).rejects.toBeInstanceOf(Anthropic.APIConnectionError);
    expect(connected.server.requests.map(({ outcome }) => outcome)).toEqual(["cut", "cut", "cut", "cut"]);
  });

  test("lists models and counts tokens", async () => {
    await using connected = await connect(protocol);
    const models: ModelInfo[] = [];
    for await (const model of connected.client.models.list({ limit: 5 })) models.push(model);
    expect(models.map(({ id }) => id)).toContain("claude-haiku-4-5-20251001");
    expect(new Set(models.map(({ id }) => id)).size).toBe(models.length);
    const one = await connected.client.models.retrieve("claude-haiku-4-5");
    expect(one).toMatchObject({ max_tokens: 64_000, max_input_tokens: 200_000, created_at: "2025-10-01T00:00:00Z" });
    const { input_tokens } = await connected.client.messages.countTokens({ model: MODEL, messages: HELLO });
    expect(input_tokens).toBe(2);
  });
});

test("the SDK's types accept every message the server sends and every body our provider sends", () => {
  expectTypeOf<WireMessageEvent>().toExtend<RawMessageStreamEvent>();
  expectTypeOf<WireMessage>().toExtend<Message>();
  expectTypeOf<WireModel>().toExtend<ModelInfo>();
  expectTypeOf<Mutable<MessagesBody>>().toExtend<MessageCreateParamsStreaming>();
});

/** Our own types are read-only; the SDK's lists are not, and it changes none of them. */
type Mutable<T> = T extends readonly (infer Item)[]
  ? Mutable<Item>[]
  : T extends object
    ? { -readonly [Key in keyof T]: Mutable<T[Key]> }
    : T;
