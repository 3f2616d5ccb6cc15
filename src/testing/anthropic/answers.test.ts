import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { eventsOf, MESSAGES_URL, post, type SeenEvent, TURN } from "../../../test/llm/anthropic-requests.js";
import { VirtualClock } from "../../core/clock.js";
import type { AnthropicReply } from "./replies.js";
import { AnthropicServer } from "./server.js";
import type { AnthropicRequestBody } from "./wire.js";

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
    const response = await clock.runUntil(server.fetch(MESSAGES_URL, post({ ...TURN, stream: false })));
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
