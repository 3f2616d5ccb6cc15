import { getEventListeners } from "node:events";
import fc from "fast-check";
import { Agent, fetch as undiciFetch, request as undiciRequest } from "undici";
import { describe, expect, test } from "vitest";
import { systemClock, VirtualClock } from "../../core/clock.js";
import type { AnthropicReply } from "./replies.js";
import { AnthropicServer } from "./server.js";
import type { AnthropicRequestBody, WireContentBlock } from "./wire.js";

const HEADERS = { "x-api-key": "test", "anthropic-version": "2023-06-01", "content-type": "application/json" };
const URL = "https://api.anthropic.com/v1/messages";
const TURN: AnthropicRequestBody = {
  model: "claude-haiku-4-5",
  max_tokens: 100,
  messages: [{ role: "user", content: "Hello" }],
  stream: true,
};

function post(body: unknown = TURN, signal?: AbortSignal): RequestInit {
  return { method: "POST", headers: HEADERS, body: JSON.stringify(body), ...(signal === undefined ? {} : { signal }) };
}

interface SeenEvent {
  readonly atMs: number;
  readonly type: string;
  readonly [field: string]: unknown;
}

/** The events of a stream in process, each with its time. */
async function eventsOf(server: AnthropicServer, clock: VirtualClock, body: AnthropicRequestBody = TURN): Promise<SeenEvent[]> {
  const events: SeenEvent[] = [];
  const reading = async (): Promise<void> => {
    const response = await server.fetch(URL, post(body));
    const decoder = new TextDecoder();
    for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>) {
      for (const [, data = ""] of decoder.decode(piece).matchAll(/data: (.*)\n/g)) {
        events.push({ atMs: clock.now(), ...(JSON.parse(data) as { type: string }) });
      }
    }
  };
  await clock.runUntil(reading());
  return events;
}

async function answerOf(reply: AnthropicReply, change: Partial<AnthropicRequestBody> = {}): Promise<SeenEvent[]> {
  const clock = new VirtualClock();
  await using server = await AnthropicServer.start({ clock, replies: [reply] });
  return await eventsOf(server, clock, { ...TURN, ...change });
}

function deltasOf(events: readonly SeenEvent[], field: string, index?: number): string[] {
  return events
    .filter((event) => event.type === "content_block_delta" && (index === undefined || event["index"] === index))
    .map((event) => (event["delta"] as Record<string, string>)[field])
    .filter((piece) => piece !== undefined);
}

test("an answer in process and over a socket is the same stream", async () => {
  await using server = await AnthropicServer.start({ replies: ["We open at nine.", "We open at nine."] });
  const inProcess = await (await server.fetch(URL, post())).text();
  const overSocket = await (await fetch(`${server.url}/v1/messages`, post())).text();
  expect(overSocket.replaceAll("msg_000002", "msg_000001")).toBe(inProcess);
  expect(inProcess).toContain('"text":" at"');
  expect(server.connections).toBe(1);
  expect(server.requests.map(({ status, outcome, protocol }) => ({ status, outcome, protocol }))).toEqual([
    { status: 200, outcome: "complete", protocol: "in-process" },
    { status: 200, outcome: "complete", protocol: "HTTP/1.1" },
  ]);
});

describe("time", () => {
  test("headers, the first token and every further one come when they are told to", async () => {
    const events = await answerOf({ text: "We open at nine.", headersMs: 100, firstTokenMs: 300, tokenMs: 20 });
    expect(events.map(({ type, atMs }) => [type, atMs])).toEqual([
      ["message_start", 100],
      ["ping", 100],
      ["content_block_start", 400],
      ["content_block_delta", 400],
      ["content_block_delta", 420],
      ["content_block_delta", 440],
      ["content_block_delta", 460],
      ["content_block_stop", 460],
      ["message_delta", 460],
      ["message_stop", 460],
    ]);
  });

  test("pings come during a wait when they are asked for", async () => {
    const events = await answerOf({ text: "Yes.", firstTokenMs: 250, pingEveryMs: 100 });
    expect(events.filter(({ type }) => type === "ping").map(({ atMs }) => atMs)).toEqual([0, 100, 200]);
    expect(events.find(({ type }) => type === "content_block_start")?.atMs).toBe(250);
  });

  test("a whole answer takes as long as a streamed one", async () => {
    const clock = new VirtualClock();
    await using server = await AnthropicServer.start({ clock, latency: { headersMs: 50, firstTokenMs: 100, tokenMs: 10 } });
    server.reply("One two three");
    const response = await clock.runUntil(server.fetch(URL, post({ ...TURN, stream: false })));
    expect(await response.json()).toMatchObject({ content: [{ type: "text", text: "One two three" }], stop_reason: "end_turn" });
    expect(clock.now()).toBe(170);
  });

  test("a thinking block stays open as long as the thought takes", async () => {
    const events = await answerOf({ thinking: { openMs: 4000 }, text: "Yes.", tokenMs: 5 }, { model: "claude-haiku-5-5" });
    expect(events.filter(({ type }) => type === "content_block_start").map(({ atMs }) => atMs)).toEqual([0, 4000]);
    expect(deltasOf(events, "thinking")).toEqual([]);
    expect(deltasOf(events, "signature")).toHaveLength(1);
  });
});

describe("content", () => {
  test("however a text is cut, its deltas are as they were given", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ minLength: 1, maxLength: 5 }), { maxLength: 8 }), async (pieces) => {
        expect(deltasOf(await answerOf({ text: pieces }), "text")).toEqual(pieces);
        const events = await answerOf({ text: pieces.join("") });
        expect(deltasOf(events, "text").join("")).toBe(pieces.join(""));
      }),
      { numRuns: 50 },
    );
  });

  test("a tool's arguments begin with an empty delta and come a property at a time", async () => {
    const events = await answerOf({ toolCalls: [{ name: "book", arguments: { day: "Monday", seats: 2 } }, { name: "hang_up" }] });
    expect(deltasOf(events, "partial_json", 0)).toEqual(["", '{"day":"Monday"', ',"seats":2', "}"]);
    expect(deltasOf(events, "partial_json", 1)).toEqual([""]);
    expect(events.at(-2)).toMatchObject({ delta: { stop_reason: "tool_use" } });
  });

  test("a tool's arguments can be cut anywhere, be broken, or be missing", async () => {
    const toolCalls = [
      { name: "a", arguments: ['{"x', '":"\\u00', 'e9"}'] },
      { name: "b", arguments: [] },
      { name: "c", arguments: ["{"], id: "toolu_mine" },
    ];
    const events = await answerOf({ toolCalls });
    expect(deltasOf(events, "partial_json", 0).join("")).toBe('{"x":"\\u00e9"}');
    expect(deltasOf(events, "partial_json", 1)).toEqual([]);
    expect(events).toContainEqual(
      expect.objectContaining({
        index: 2,
        content_block: { type: "tool_use", id: "toolu_mine", name: "c", input: {}, caller: { type: "direct" } },
      }),
    );
  });

  test("interleaved blocks are all open before the first delta, and take turns", async () => {
    const toolCalls = [
      { name: "a", arguments: ["{", "}"] },
      { name: "b", arguments: ["{", "}"] },
    ];
    const events = await answerOf({ toolCalls, interleave: true });
    const seen = events
      .filter(({ type }) => type.startsWith("content_block"))
      .map(({ type, index }) => `${type.slice(14)} ${String(index)}`);
    expect(seen).toEqual(["start 0", "start 1", "delta 0", "delta 1", "delta 0", "delta 1", "stop 0", "stop 1"]);
  });

  test("events of unknown types are sent as they are", async () => {
    const events = await answerOf({
      content: [
        { type: "text", text: "Hello." },
        {
          type: "events",
          events: (index) => [
            { type: "content_block_start", index, content_block: { type: "hologram" } },
            { type: "content_block_delta", index, delta: { type: "photon_delta" } },
            { type: "content_block_stop", index },
            { type: "applause" },
          ],
        },
        { type: "text", text: "Bye." },
      ],
    });
    expect(events.map(({ type }) => type)).toContain("applause");
    expect(deltasOf(events, "text", 2)).toEqual(["Bye."]);
  });

  test("an empty end of turn has no block and two tokens at most", async () => {
    const events = await answerOf({ content: [], outputTokens: 2 });
    expect(events.map(({ type }) => type)).toEqual(["message_start", "ping", "message_delta", "message_stop"]);
    expect(events.at(-2)).toMatchObject({ delta: { stop_reason: "end_turn" }, usage: { output_tokens: 2 } });
  });

  test.each(["pause_turn", "model_context_window_exceeded", "a_reason_of_2030"])(
    "stops for %s when told to",
    async (stopReason) => {
      expect((await answerOf({ text: "Well", stopReason })).at(-2)).toMatchObject({ delta: { stop_reason: stopReason } });
    },
  );

  test("a refusal says why", async () => {
    const stopDetails = { type: "refusal", category: "bio", explanation: null } as const;
    const events = await answerOf({ text: "I", stopReason: "refusal", stopDetails });
    expect(events.at(-2)).toMatchObject({ delta: { stop_reason: "refusal", stop_details: stopDetails } });
  });

  test("an answer is cut at max_tokens, also within a tool's JSON", async () => {
    const text = await answerOf({ text: "One two three four" }, { max_tokens: 2 });
    expect(deltasOf(text, "text").join("")).toBe("One two ");
    expect(text.at(-2)).toMatchObject({ delta: { stop_reason: "max_tokens" }, usage: { output_tokens: 2 } });
    const tool = await answerOf({ toolCalls: [{ name: "book", arguments: { day: "Monday" } }] }, { max_tokens: 3 });
    expect(deltasOf(tool, "partial_json").join("")).toBe('{"day":"Mond');
    expect(tool.at(-2)).toMatchObject({ delta: { stop_reason: "max_tokens" } });
  });

  test("an answer ends at a stop sequence, without it", async () => {
    const events = await answerOf({ text: "One two three" }, { stop_sequences: ["three", "wo"] });
    expect(deltasOf(events, "text").join("")).toBe("One t");
    expect(events.at(-2)).toMatchObject({ delta: { stop_reason: "stop_sequence", stop_sequence: "wo" } });
  });

  test("usage can be cumulative, with nulls, or the output alone", async () => {
    const usage = async (form: "cumulative" | "nulls" | "output_only"): Promise<unknown> =>
      (await answerOf({ text: "Yes.", usage: form })).at(-2)?.["usage"];
    expect(await usage("cumulative")).toMatchObject({ input_tokens: 2, output_tokens: 1, cache_read_input_tokens: 0 });
    expect(await usage("nulls")).toMatchObject({ input_tokens: null, output_tokens: 1, cache_read_input_tokens: null });
    expect(await usage("output_only")).toEqual({ output_tokens: 1 });
  });
});

describe("thinking that comes back", () => {
  const model = "claude-haiku-5-5";

  async function think(server: AnthropicServer, body: Partial<AnthropicRequestBody> = {}): Promise<WireContentBlock[]> {
    server.reply({ thinking: { thinking: "Hm." }, text: "Yes." });
    const response = await server.fetch(URL, post({ ...TURN, model, stream: false, ...body }));
    return ((await response.json()) as { content: WireContentBlock[] }).content;
  }

  async function replay(server: AnthropicServer, content: unknown, body: Partial<AnthropicRequestBody> = {}): Promise<string> {
    const messages = [...(TURN.messages ?? []), { role: "assistant", content }, { role: "user", content: "And?" }];
    const response = await server.fetch(URL, post({ ...TURN, model, messages, ...body }));
    return response.status === 200 ? "accepted" : ((await response.json()) as { error: { message: string } }).error.message;
  }

  test("is accepted as it was, by another server too", async () => {
    await using server = await AnthropicServer.start();
    await using other = await AnthropicServer.start();
    const content = await think(server);
    expect(content[0]).toMatchObject({ type: "thinking", thinking: "" });
    expect(await replay(other, content)).toBe("accepted");
  });

  test("is refused with a changed signature or changed thoughts", async () => {
    await using server = await AnthropicServer.start();
    const [first, ...rest] = await think(server, { thinking: { type: "adaptive", display: "summarized" } });
    expect(first).toMatchObject({ thinking: "Hm." });
    const changed = { ...first, signature: `${(first as { signature: string }).signature}x` };
    expect(await replay(server, [changed, ...rest])).toBe("messages.1.content.0: Invalid `signature` in `thinking` block");
    expect(await replay(server, [{ ...first, thinking: "Ha." }, ...rest])).toContain("cannot be modified");
    expect(await replay(server, [{ type: "redacted_thinking", data: "AAAA" }, ...rest])).toContain("Invalid `data`");
  });

  test("is bound to its conversation on the models that sign it so, and forgotten by other models", async () => {
    await using server = await AnthropicServer.start();
    const content = await think(server);
    expect(await replay(server, content, { system: "Be brief." })).toContain("bound to a different conversation");
    expect(await replay(server, content, { system: "Be brief.", model: "claude-sonnet-4-6" })).toBe("accepted");
    const loose = await think(server, { model: "claude-sonnet-4-6" });
    expect(await replay(server, loose, { system: "Be brief.", model: "claude-sonnet-4-6" })).toBe("accepted");
  });

  test("is accepted behind an answer that was cut before the next request", async () => {
    await using server = await AnthropicServer.start();
    const messages = [
      { role: "user", content: "Hello" },
      { role: "assistant", content: [{ type: "text", text: "Ye" }] },
      { role: "user", content: "What?" },
    ] as const;
    const content = await think(server, { messages });
    const response = await server.fetch(
      URL,
      post({ ...TURN, model, messages: [...messages, { role: "assistant", content }, { role: "user", content: "And?" }] }),
    );
    expect(response.status).toBe(200);
  });
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
        const response = await server.fetch(URL, post(TURN, controller.signal));
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
    const overloaded = await server.fetch(URL, post());
    expect(overloaded.headers.get("request-id")).toBe("req_000001");
    expect(overloaded.headers.get("x-should-retry")).toBe("true");
    expect(await overloaded.json()).toEqual({
      type: "error",
      error: { type: "overloaded_error", message: "Overloaded" },
      request_id: "req_000001",
    });
    expect(await (await server.fetch(URL, post())).text()).toBe("<html>");
    expect(await (await server.fetch(URL, post())).json()).toMatchObject({
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
    const response = await server.fetch(URL, post());
    expect(response.status).toBe(500);
    expect(await response.text()).toContain("no such caller");
  });
});

describe("replies", () => {
  test("a warm-up takes none, writes the cache and answers nothing", async () => {
    await using server = await AnthropicServer.start({ replies: ["Hello there."] });
    const system = [{ type: "text", text: "Speak. ".repeat(3000), cache_control: { type: "ephemeral" } }] as const;
    const { stream: _, ...body } = TURN;
    const warmed = await (await server.fetch(URL, post({ ...body, system, max_tokens: 0 }))).json();
    expect(warmed).toMatchObject({
      content: [],
      stop_reason: "max_tokens",
      usage: { output_tokens: 0, cache_creation_input_tokens: 5250 },
    });
    const answer = await (await server.fetch(URL, post({ ...TURN, system }))).text();
    expect(answer).toContain("Hello");
    expect(server.requests[1]?.usage).toMatchObject({ cache_read_input_tokens: 5250, output_tokens: 3 });
  });

  test("a request that is refused writes nothing and takes none", async () => {
    await using server = await AnthropicServer.start({ replies: ["Hello there."] });
    await server.fetch(URL, post({ ...TURN, temperature: 3 }));
    expect(await (await server.fetch(URL, post())).text()).toContain("Hello");
  });

  test("can depend on the request, and be kept for some", async () => {
    await using server = await AnthropicServer.start({
      defaultReply: ({ body }) => `You said ${JSON.stringify(body.messages?.[0]?.content)}`,
    });
    server.replyTo(({ path }) => path.startsWith("/v1/models"), { status: 503 });
    expect(await (await server.fetch(URL, post({ ...TURN, stream: false }))).json()).toMatchObject({
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
    const reading = server.fetch(URL, post(TURN, controller.signal)).then((response) => response.text());
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
  const inProcess = server.fetch(URL, post());
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
