import { getEventListeners } from "node:events";
import { Agent, fetch as undiciFetch, request as undiciRequest } from "undici";
import { describe, expect, test } from "vitest";
import { HEADERS, MESSAGES_URL, post, TURN } from "../../../test/llm/anthropic-requests.js";
import { systemClock, VirtualClock } from "../../core/clock.js";
import type { AnthropicReply } from "./replies.js";
import { AnthropicServer } from "./server.js";

test("an answer in process and over a socket is the same stream", async () => {
  await using server = await AnthropicServer.start({ replies: ["We open at nine.", "We open at nine."] });
  const inProcess = await (await server.fetch(MESSAGES_URL, post())).text();
  const overSocket = await (await fetch(`${server.url}/v1/messages`, post())).text();
  expect(overSocket.replaceAll("msg_000002", "msg_000001")).toBe(inProcess);
  expect(inProcess).toContain('"text":" at"');
  expect(server.connections).toBe(1);
  expect(server.requests.map(({ status, outcome, protocol }) => ({ status, outcome, protocol }))).toEqual([
    { status: 200, outcome: "complete", protocol: "in-process" },
    { status: 200, outcome: "complete", protocol: "HTTP/1.1" },
  ]);
});

describe("failures", () => {
  async function outcome(reply: AnthropicReply): Promise<{ events: string[]; error: unknown }> {
    const clock = new VirtualClock();
    await using server = await AnthropicServer.start({ clock, replies: [reply] });
    const events: string[] = [];
    const controller = new AbortController();
    clock.setTimer(10_000, () => controller.abort(new Error("waited long enough")));
    const reading = async (): Promise<unknown> => {
      try {
        const response = await server.fetch(MESSAGES_URL, post(TURN, controller.signal));
        for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>) {
          events.push(/event: (\w+)/.exec(new TextDecoder().decode(piece))?.[1] ?? "");
        }
        return undefined;
      } catch (error) {
        return error;
      }
    };
    const error = await clock.runUntil(reading());
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
    await server.requests[0]?.ended;
    return { events, error };
  }
  const cut = (after: "headers" | "message_start" | number, how: "eof" | "reset" | "silence" | "pings"): AnthropicReply => ({
    text: "One two three",
    cut: { after, with: how },
  });

  test.each<[string, AnthropicReply, string[], string | undefined]>([
    ["no headers", { connection: "silence" }, [], "waited long enough"],
    ["a broken connection before the headers", { connection: "reset" }, [], "fetch failed"],
    ["silence behind the headers", cut("headers", "silence"), [], "waited long enough"],
    ["an end behind the headers", cut("headers", "eof"), [], undefined],
    ["silence before content", cut("message_start", "silence"), ["message_start"], "waited long enough"],
    [
      "silence in the middle",
      cut(1, "silence"),
      ["message_start", "ping", "content_block_start", "content_block_delta"],
      "waited long enough",
    ],
    ["an end in the middle", cut(1, "eof"), ["message_start", "ping", "content_block_start", "content_block_delta"], undefined],
    [
      "a broken connection in the middle",
      cut(1, "reset"),
      ["message_start", "ping", "content_block_start", "content_block_delta"],
      "fetch failed",
    ],
    [
      "pings and nothing else",
      cut("message_start", "pings"),
      ["message_start", ...Array.from({ length: 9 }, () => "ping")],
      "waited long enough",
    ],
    [
      "an error as the first event",
      { text: "One", cut: { after: "headers", with: { type: "overloaded_error" } } },
      ["error"],
      undefined,
    ],
  ])("%s", async (_, reply, events, error) => {
    const seen = await outcome(reply);
    // A break in the connection may overtake what was sent before it.
    if (error !== "fetch failed") expect(seen.events).toEqual(events);
    expect(seen.error).toEqual(error === undefined ? undefined : expect.objectContaining({ message: error }));
  });

  test("an HTTP error has the documented body, and a request's id", async () => {
    await using server = await AnthropicServer.start();
    server.reply({ status: 529, headers: { "x-should-retry": "true" } }, { status: 502, body: "<html>" });
    server.reply({ status: 429, details: { error_code: "ramp_limit_exceeded" }, headers: { "retry-after-ms": "200" } });
    const overloaded = await server.fetch(MESSAGES_URL, post());
    expect(overloaded.headers.get("request-id")).toBe("req_000001");
    expect(overloaded.headers.get("x-should-retry")).toBe("true");
    expect(await overloaded.json()).toEqual({
      type: "error",
      error: { type: "overloaded_error", message: "Overloaded" },
      request_id: "req_000001",
    });
    expect(await (await server.fetch(MESSAGES_URL, post())).text()).toBe("<html>");
    expect(await (await server.fetch(MESSAGES_URL, post())).json()).toMatchObject({
      error: { details: { error_code: "ramp_limit_exceeded" } },
    });
  });

  test("a request without a key, with a wrong one, without a version, too large or to nowhere is refused", async () => {
    await using server = await AnthropicServer.start({ apiKey: "right" });
    const status = async (headers: Record<string, string>, path = "/v1/messages", body = JSON.stringify(TURN)): Promise<number> =>
      (await server.fetch(`https://api.anthropic.com${path}`, { method: "POST", headers, body })).status;
    const version = { "anthropic-version": "2023-06-01" };
    expect(await status(version)).toBe(401);
    expect(await status({ ...version, "x-api-key": "wrong" })).toBe(401);
    expect(await status({ "x-api-key": "right" })).toBe(400);
    expect(await status({ ...version, authorization: "Bearer right" })).toBe(200);
    expect(await status({ ...version, "x-api-key": "right" }, "/v1/complete")).toBe(404);
    expect(await status({ ...version, "x-api-key": "right" }, "/v1/models")).toBe(405);
    expect(await status({ ...version, "x-api-key": "right" }, "/v1/messages", "{")).toBe(400);
    expect(await status({ ...version, "x-api-key": "right" }, "/v1/messages", "x".repeat(32 * 1024 * 1024 + 1))).toBe(413);
  });

  test("a reply function that throws is a 500 that says so", async () => {
    await using server = await AnthropicServer.start();
    server.reply(() => {
      throw new Error("no such caller");
    });
    const response = await server.fetch(MESSAGES_URL, post());
    expect(response.status).toBe(500);
    expect(await response.text()).toContain("no such caller");
  });
});

describe("replies", () => {
  test("a warm-up takes none, writes the cache and answers nothing", async () => {
    await using server = await AnthropicServer.start({ replies: ["Hello there."] });
    const system = [{ type: "text", text: "Speak. ".repeat(3000), cache_control: { type: "ephemeral" } }] as const;
    const { stream: _, ...body } = TURN;
    const warmed = await (await server.fetch(MESSAGES_URL, post({ ...body, system, max_tokens: 0 }))).json();
    expect(warmed).toMatchObject({
      content: [],
      stop_reason: "max_tokens",
      usage: { output_tokens: 0, cache_creation_input_tokens: 5250 },
    });
    const answer = await (await server.fetch(MESSAGES_URL, post({ ...TURN, system }))).text();
    expect(answer).toContain("Hello");
    expect(server.requests[1]?.usage).toMatchObject({ cache_read_input_tokens: 5250, output_tokens: 3 });
  });

  test("a request that is refused writes nothing and takes none", async () => {
    await using server = await AnthropicServer.start({ replies: ["Hello there."] });
    await server.fetch(MESSAGES_URL, post({ ...TURN, temperature: 3 }));
    expect(await (await server.fetch(MESSAGES_URL, post())).text()).toContain("Hello");
  });

  test("can depend on the request, and be kept for some", async () => {
    await using server = await AnthropicServer.start({
      defaultReply: ({ body }) => `You said ${JSON.stringify(body.messages?.[0]?.content)}`,
    });
    server.replyTo(({ path }) => path.startsWith("/v1/models"), { status: 503 });
    expect(await (await server.fetch(MESSAGES_URL, post({ ...TURN, stream: false }))).json()).toMatchObject({
      content: [{ text: 'You said "Hello"' }],
    });
    expect((await server.fetch(`${server.url}/v1/models`, { headers: HEADERS })).status).toBe(503);
    expect((await server.fetch(`${server.url}/v1/models`, { headers: HEADERS })).status).toBe(200);
  });

  test("an option or a field that does not exist is refused", async () => {
    await using server = await AnthropicServer.start();
    expect(() => server.reply({ texts: "Hello" } as object)).toThrow('There is no reply option "texts": did you mean "text"?');
    await expect(AnthropicServer.start({ reply: [] } as object)).rejects.toThrow(
      'There is no AnthropicServer.start() option "reply"',
    );
  });
});

describe("an abort", () => {
  test("in the middle of an answer is seen by the server, with what had been used", async () => {
    const clock = new VirtualClock();
    await using server = await AnthropicServer.start({ clock, replies: [{ text: "One two three four", tokenMs: 100 }] });
    const controller = new AbortController();
    clock.setTimer(150, () => controller.abort(new Error("barge-in")));
    const reading = server.fetch(MESSAGES_URL, post(TURN, controller.signal)).then((response) => response.text());
    await expect(clock.runUntil(reading)).rejects.toThrow("barge-in");
    expect(await server.requests[0]?.ended).toBe("aborted");
    expect(server.requests[0]?.usage).toMatchObject({ input_tokens: 2, output_tokens: 3 });
    expect(clock.pendingTimers).toBe(0);
  });

  test.each([
    ["HTTP/1.1", false],
    ["HTTP/2", true],
  ])("over %s is seen too, and costs a connection over HTTP/1.1 only", async (_, http2) => {
    await using server = await AnthropicServer.start({ http2, replies: [{ text: "One", cut: { with: "silence" } }, "Two"] });
    const agent = new Agent({ allowH2: true, connections: 1, connect: { ca: server.certificate } });
    const controller = new AbortController();
    const options = { method: "POST", headers: HEADERS, body: JSON.stringify(TURN), dispatcher: agent } as const;
    const { body } = await undiciRequest(`${server.url}/v1/messages`, { ...options, signal: controller.signal });
    await body[Symbol.asyncIterator]().next();
    controller.abort();
    await expect(body.text()).rejects.toThrow();
    expect(await server.requests[0]?.ended).toBe("aborted");
    expect(await (await undiciFetch(`${server.url}/v1/messages`, options)).text()).toContain("Two");
    expect(server.connections > 1).toBe(!http2);
    await agent.destroy();
  });
});

test("a client that knows no HTTP/2 is served HTTP/1.1 over TLS", async () => {
  await using server = await AnthropicServer.start({ http2: true });
  const agent = new Agent({ allowH2: false, connect: { ca: server.certificate } });
  const options = { method: "POST", headers: HEADERS, body: JSON.stringify(TURN), dispatcher: agent } as const;
  expect((await undiciFetch(`${server.url}/v1/messages`, options)).status).toBe(200);
  expect(server.requests[0]?.protocol).toBe("HTTP/1.1");
  await agent.destroy();
});

test("thirty answers at once share one HTTP/2 connection", async () => {
  await using server = await AnthropicServer.start({ http2: true, latency: { firstTokenMs: 20, tokenMs: 1 } });
  const agent = new Agent({ allowH2: true, connections: 1, connect: { ca: server.certificate } });
  const options = { method: "POST", headers: HEADERS, body: JSON.stringify(TURN), dispatcher: agent } as const;
  const ask = async (): Promise<string> => await (await undiciFetch(`${server.url}/v1/messages`, options)).text();
  const answers = await Promise.all(Array.from({ length: 30 }, ask));
  expect(answers.every((answer) => answer.includes("message_stop"))).toBe(true);
  expect(server.connections).toBe(1);
  await agent.destroy();
});

test("closing the server ends every exchange, silent ones too", async () => {
  const server = await AnthropicServer.start({ clock: systemClock, defaultReply: { connection: "silence" } });
  const overSocket = fetch(`${server.url}/v1/messages`, post());
  const inProcess = server.fetch(MESSAGES_URL, post());
  const both = Promise.allSettled([overSocket, inProcess]);
  while (server.requests.length < 2) await new Promise((resolve) => setImmediate(resolve));
  await server[Symbol.asyncDispose]();
  expect((await both).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
});

test("dropped connections are gone, and new ones are welcome", async () => {
  await using server = await AnthropicServer.start({ replies: [{ connection: "silence" }, "Back."] });
  const lost = fetch(`${server.url}/v1/messages`, post());
  const outcome = expect(lost).rejects.toThrow("fetch failed");
  while (server.requests.length < 1) await new Promise((resolve) => setImmediate(resolve));
  server.dropConnections();
  await outcome;
  expect(await (await fetch(`${server.url}/v1/messages`, post())).text()).toContain("Back.");
});
