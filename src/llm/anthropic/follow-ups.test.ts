import { afterEach, expect, test } from "vitest";
import { collect, textOf, toolCallsOf } from "../../../test/llm/vendor.js";
import type { ChatMessage, ToolSpec } from "../../core/chat.js";
import { VirtualClock } from "../../core/clock.js";
import type { LlmChunk } from "../../core/llm.js";
import type { AnthropicAnswer, AnthropicReply } from "../../testing/anthropic/replies.js";
import { AnthropicServer } from "../../testing/anthropic/server.js";
import { AnthropicLLM, type AnthropicLLMOptions } from "../anthropic.js";

const cleanups: AsyncDisposable[] = [];

afterEach(async () => {
  for (const item of cleanups.splice(0)) await item[Symbol.asyncDispose]();
});

const HELLO: readonly ChatMessage[] = [
  { role: "system", content: "Be brief." },
  { role: "user", content: "Hello" },
];
const EMPTY: AnthropicReply = { text: "" };

async function ask(
  replies: readonly AnthropicReply[],
  options: AnthropicLLMOptions = {},
  messages = HELLO,
  tools: readonly ToolSpec[] = [],
): Promise<{ readonly chunks: LlmChunk[]; readonly server: AnthropicServer; readonly done: LlmChunk | undefined }> {
  const clock = new VirtualClock();
  const server = await AnthropicServer.start({ clock, replies });
  const llm = new AnthropicLLM({ apiKey: "sk-ant-test", fetch: server.fetch, promptCaching: false, ...options });
  cleanups.push(llm, server);
  const chunks = await clock.runUntil(collect(llm.stream(messages, tools, { clock })));
  return { chunks, server, done: chunks.at(-1) };
}

test("an answer without a word is asked for once more, with a new turn of the user behind the same beginning", async () => {
  const { chunks, server, done } = await ask([EMPTY, "Good evening."], { promptCaching: true });
  expect(textOf(chunks)).toBe("Good evening.");
  expect(done).toMatchObject({ type: "done", stopReason: "end_turn", retries: ["empty_answer"] });
  const [first, second] = server.requests.map(({ body }) => body.messages?.at(-1)?.content as readonly { text: string }[]);
  expect(second?.slice(0, -1)).toEqual(first);
  expect(second?.at(-1)).toEqual({ type: "text", text: "[Please answer the caller.]" });
  expect(server.requests.map(({ status }) => status)).toEqual([200, 200]);
});

test("an answer that is empty twice is given as it is", async () => {
  const { chunks, server, done } = await ask([EMPTY, EMPTY, "Too late."]);
  expect(chunks).toHaveLength(1);
  expect(done).toMatchObject({ stopReason: "end_turn", retries: ["empty_answer"] });
  expect(server.requests).toHaveLength(2);
});

test("the request to speak stands before instructions that end the conversation, and behind the model's own words", async () => {
  const instructed: readonly ChatMessage[] = [...HELLO, { role: "system", content: "The caller is a guest." }];
  const midCall = await ask([EMPTY, "Hi."], { model: "claude-opus-4-8" }, instructed);
  expect(midCall.server.requests[1]?.body.messages?.map(({ role }) => role)).toEqual(["user", "system"]);
  const prefilled: readonly ChatMessage[] = [...HELLO, { role: "assistant", content: "Good" }];
  const legacy = await ask([EMPTY, " evening."], {}, prefilled);
  expect(legacy.server.requests[1]?.body.messages?.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
  expect([...midCall.server.requests, ...legacy.server.requests].map(({ status }) => status)).toEqual([200, 200, 200, 200]);
});

/** An answer in which one of the vendor's own tools has run, and whose turn is not over. */
const PAUSED: AnthropicAnswer = {
  content: [
    { type: "thinking", thinking: "I search." },
    { type: "text", text: "Let me look." },
    {
      type: "events",
      events: (index) => [
        {
          type: "content_block_start",
          index,
          content_block: { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: {} },
        },
        { type: "content_block_delta", index, delta: { type: "input_json_delta", partial_json: '{"query":' } },
        { type: "content_block_delta", index, delta: { type: "input_json_delta", partial_json: '"hours"}' } },
        { type: "content_block_stop", index },
        {
          type: "content_block_start",
          index: index + 1,
          content_block: { type: "web_search_tool_result", tool_use_id: "srvtoolu_1", content: [] },
        },
        { type: "content_block_stop", index: index + 1 },
      ],
    },
  ],
  stopReason: "pause_turn",
};

const SEARCHED = { model: "claude-opus-4-8", thinking: "adaptive" } as const;

test("an answer that the vendor paused goes on from its unchanged content, as one answer", async () => {
  const { chunks, server, done } = await ask([PAUSED, PAUSED, "We open at nine."], SEARCHED);
  expect(textOf(chunks)).toBe("Let me look.Let me look.We open at nine.");
  expect(done).toMatchObject({ stopReason: "end_turn", retries: ["pause_turn", "pause_turn"] });
  // What it thought was about text that the history will not hold.
  expect(done).not.toHaveProperty("providerData");
  expect(server.requests.map(({ status }) => status)).toEqual([200, 200, 200]);
  const content = [
    { type: "thinking", thinking: "", signature: expect.any(String) },
    { type: "text", text: "Let me look." },
    { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: { query: "hours" } },
    { type: "web_search_tool_result", tool_use_id: "srvtoolu_1", content: [] },
  ];
  const [, second, third] = server.requests.map(({ body }) => body.messages);
  expect(second?.at(-1)).toMatchObject({ role: "assistant", content });
  expect(third?.at(-1)).toMatchObject({ role: "assistant", content: [...content, ...content] });
  expect(third).toHaveLength(2);
});

test("an answer that is paused again and again ends after the third time", async () => {
  const { server, done } = await ask(
    Array.from({ length: 5 }, () => PAUSED),
    SEARCHED,
  );
  expect(server.requests.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  expect(done).toMatchObject({ stopReason: "other", retries: ["pause_turn", "pause_turn", "pause_turn"] });
});

test("tool calls behind a pause are counted on", async () => {
  const hours: ToolSpec = { type: "function", function: { name: "hours", parameters: { type: "object" } } };
  const { chunks } = await ask([PAUSED, { text: "", toolCalls: [{ name: "hours" }] }], SEARCHED, HELLO, [hours]);
  expect(toolCallsOf(chunks)).toMatchObject([{ name: "hours", arguments: "{}" }]);
});

test("a refusal is the end of an answer, and says why", async () => {
  const { done, server } = await ask([
    { text: "Well", stopReason: "refusal", stopDetails: { type: "refusal", category: "bio", explanation: "It may harm." } },
  ]);
  expect(done).toMatchObject({ stopReason: "refusal", stopDetail: "bio: It may harm." });
  expect(server.requests).toHaveLength(1);
});
