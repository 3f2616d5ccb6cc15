import { expect, test } from "vitest";
import type { ChatMessage, ToolSpec } from "../../core/chat.js";
import { type BodyOptions, messagesBody } from "./messages.js";
import type { MessagesBody } from "./wire.js";

const HELLO: readonly ChatMessage[] = [{ role: "user", content: "Hello" }];
const BOOK: ToolSpec = {
  type: "function",
  function: {
    name: "book_table",
    description: "Books a table.",
    parameters: { $schema: "https://json-schema.org/draft/2020-12/schema", type: "object", properties: {} },
  },
};
const HOURS: ToolSpec = { type: "function", function: { name: "hours", parameters: {} } };

const CACHED: BodyOptions = {
  parameters: { model: "claude-haiku-4-5", max_tokens: 100 },
  caching: { ttl: "5m" },
  acceptsPrefill: false,
  acceptsMidCallSystem: false,
  warn: () => {},
};
const { caching: _, ...UNCACHED } = CACHED;

function bodyFor(messages: readonly ChatMessage[], tools: readonly ToolSpec[] = [], options: BodyOptions = CACHED): MessagesBody {
  return messagesBody(messages, tools, options);
}

test("the first system message and the last tool are marked for the cache; a second system message is not", () => {
  const messages: ChatMessage[] = [
    { role: "system", content: "Be brief." },
    { role: "system", content: "For this call: name = Ann" },
    ...HELLO,
  ];
  const body = bodyFor(messages, [HOURS, BOOK]);
  expect(body.system).toEqual([
    { type: "text", text: "Be brief.", cache_control: { type: "ephemeral" } },
    { type: "text", text: "For this call: name = Ann" },
  ]);
  expect(body.tools).toEqual([
    { name: "hours", input_schema: { type: "object" } },
    {
      name: "book_table",
      description: "Books a table.",
      input_schema: { type: "object", properties: {} },
      cache_control: { type: "ephemeral" },
    },
  ]);
  const uncached = bodyFor(messages, [HOURS, BOOK], UNCACHED);
  expect(JSON.stringify(uncached)).not.toContain("cache_control");
});

test("a call that begins with the greeting gets a user turn before it, and one that ends with the agent one behind it", () => {
  const { messages } = bodyFor([{ role: "assistant", content: "Luna, good evening." }]);
  expect(messages.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
  expect(bodyFor([{ role: "system", content: "Be brief." }]).messages).toHaveLength(1);
});

test("neighbours of one role are merged, and blank texts are dropped", () => {
  const body = bodyFor(
    [
      { role: "user", content: "Hello" },
      { role: "assistant", content: " " },
      { role: "user", content: "Anyone?" },
      { role: "system", content: "The caller is a guest." },
    ],
    [],
    UNCACHED,
  );
  expect(body.messages).toEqual([
    {
      role: "user",
      content: [
        { type: "text", text: "Hello" },
        { type: "text", text: "Anyone?" },
        { type: "text", text: "[The caller is a guest.]" },
      ],
    },
  ]);
});

test("tool results stand first in the next user message, in the calls' order, with errors and missing ones flagged", () => {
  const call = (id: string, args: string) => ({
    id,
    type: "function" as const,
    function: { name: "book_table", arguments: args },
  });
  const body = bodyFor(
    [
      ...HELLO,
      {
        role: "assistant",
        content: "One moment.",
        tool_calls: [call("a", '{"n":1}'), call("b:2", '{"n":'), call("c", ""), call("d", "{}")],
      },
      { role: "user", content: "Are you there?" },
      { role: "tool", tool_call_id: "b:2", content: "no such table", isError: true },
      { role: "tool", tool_call_id: "a", content: "booked" },
      { role: "tool", tool_call_id: "c", content: "" },
    ],
    [],
    UNCACHED,
  );
  expect(body.messages.slice(1)).toEqual([
    {
      role: "assistant",
      content: [
        { type: "text", text: "One moment." },
        { type: "tool_use", id: "a", name: "book_table", input: { n: 1 } },
        { type: "tool_use", id: "b_2", name: "book_table", input: {} },
        { type: "tool_use", id: "c", name: "book_table", input: {} },
        { type: "tool_use", id: "d", name: "book_table", input: {} },
      ],
    },
    {
      role: "user",
      content: [
        { type: "tool_result", tool_use_id: "a", content: "booked" },
        { type: "tool_result", tool_use_id: "b_2", content: "no such table", is_error: true },
        { type: "tool_result", tool_use_id: "c" },
        { type: "tool_result", tool_use_id: "d", content: "There is no result: the tool was interrupted.", is_error: true },
        { type: "text", text: "Are you there?" },
      ],
    },
  ]);
});

test("a longer conversation begins with the bytes of the shorter one", () => {
  const first: ChatMessage[] = [{ role: "system", content: "Be brief." }, ...HELLO];
  const then: ChatMessage[] = [...first, { role: "assistant", content: "Hi." }, { role: "user", content: "Bye." }];
  const bytes = (body: MessagesBody) => JSON.stringify([body.tools, body.system, body.messages]).replace(/\]+$/, "");
  expect(bytes(bodyFor(then, [BOOK])).startsWith(bytes(bodyFor(first, [BOOK])).replace(/\]\}$/, ""))).toBe(true);
});
