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

test("the parameters stand first, and a tool choice only beside tools, by the name that is sent", () => {
  const warnings: string[] = [];
  const choosing = (name: string): BodyOptions => ({
    ...UNCACHED,
    toolChoice: { type: "tool", name, disable_parallel_tool_use: true },
    warn: (code) => warnings.push(code),
  });
  const renamed: ToolSpec = { type: "function", function: { name: "book table", parameters: {} } };
  const body = bodyFor(HELLO, [renamed], choosing("book table"));
  expect(Object.keys(body)).toEqual(["model", "max_tokens", "stream", "tools", "tool_choice", "messages"]);
  expect(body.tool_choice).toEqual({ type: "tool", name: "book_table", disable_parallel_tool_use: true });
  expect(bodyFor(HELLO, [], choosing("book table"))).not.toHaveProperty("tool_choice");
  expect(warnings).toEqual([]);
  expect(bodyFor(HELLO, [renamed], choosing("hours"))).not.toHaveProperty("tool_choice");
  expect(warnings).toEqual(["unknown_tool_choice"]);
});

test("a demanded tool call is demanded until it is made: behind a tool's result the model may choose", () => {
  const call = { id: "a", type: "function", function: { name: "hours", arguments: "{}" } } as const;
  const answered: ChatMessage[] = [
    ...HELLO,
    { role: "assistant", content: null, tool_calls: [call] },
    { role: "tool", tool_call_id: "a", content: "nine to five" },
  ];
  const choice = (messages: readonly ChatMessage[], toolChoice: BodyOptions["toolChoice"]): unknown =>
    bodyFor(messages, [HOURS], { ...UNCACHED, ...(toolChoice && { toolChoice }) }).tool_choice;
  expect(choice(answered, { type: "any" })).toEqual({ type: "auto" });
  expect(choice(answered, { type: "tool", name: "hours", disable_parallel_tool_use: true })).toEqual({
    type: "auto",
    disable_parallel_tool_use: true,
  });
  expect(choice([...answered, { role: "system", content: "Be kind." }], { type: "any" })).toEqual({ type: "auto" });
  expect(choice(answered, { type: "none" })).toEqual({ type: "none" });
  const goesOn: ChatMessage[] = [
    ...answered,
    { role: "assistant", content: "Nine to five." },
    { role: "user", content: "And then?" },
  ];
  for (const messages of [HELLO, goesOn]) expect(choice(messages, { type: "any" })).toEqual({ type: "any" });
});

test("the agent's last words stay the last, without the space behind them, where the model goes on from them", () => {
  const messages: ChatMessage[] = [...HELLO, { role: "assistant", content: "The table is \n" }];
  expect(bodyFor(messages, [], { ...UNCACHED, acceptsPrefill: true }).messages.at(-1)).toEqual({
    role: "assistant",
    content: [{ type: "text", text: "The table is" }],
  });
  expect(bodyFor(messages, [], UNCACHED).messages.at(-2)?.content).toEqual([{ type: "text", text: "The table is" }]);
});

const say = (role: "system" | "user" | "assistant", content: string): ChatMessage => ({ role, content });
const toolTurn = (providerData?: unknown, content: string | null = "One moment."): ChatMessage => ({
  role: "assistant",
  content,
  tool_calls: [{ id: "a", type: "function", function: { name: "hours", arguments: "{}" } }],
  ...(providerData === undefined ? {} : { providerData }),
});
const toolResult = (content: string, isError = false): ChatMessage => ({ role: "tool", tool_call_id: "a", content, isError });

test.each<[string, readonly ChatMessage[], readonly string[]]>([
  ["last behind the user's turn", [say("user", "Hi"), say("system", "S")], ["user", "system"]],
  [
    "between the user's turn and the agent's",
    [say("user", "Hi"), say("system", "S"), say("assistant", "Yes")],
    ["user", "system", "assistant", "user"],
  ],
  [
    "two in a row",
    [say("user", "Hi"), say("system", "S"), say("system", "T"), say("assistant", "Yes")],
    ["user", "system", "assistant", "user"],
  ],
  [
    "behind tool results",
    [say("user", "Hi"), toolTurn(), say("system", "S"), toolResult("5")],
    ["user", "assistant", "user", "system"],
  ],
  ["before more of the user's", [say("user", "Hi"), say("system", "S"), say("user", "and")], ["user"]],
  ["behind the agent's turn", [say("user", "Hi"), say("assistant", "Yes"), say("system", "S")], ["user", "assistant", "user"]],
])(
  "instructions in mid-call are the system's or, where that is not allowed, the user's in brackets: %s",
  (_where, messages, roles) => {
    const body = bodyFor(messages, [HOURS], { ...UNCACHED, acceptsMidCallSystem: true });
    expect(body.messages.map(({ role }) => role)).toEqual(roles);
    expect(JSON.stringify(body.messages)).toContain(roles.includes("system") ? '"S"' : '"[S]"');
    expect(bodyFor(messages, [HOURS], UNCACHED).messages.map(({ role }) => role)).not.toContain("system");
  },
);

test("a failed tool that says nothing gets words, since the API wants some", () => {
  const { messages } = bodyFor([...HELLO, toolTurn(), toolResult(" ", true)], [HOURS], UNCACHED);
  expect(messages.at(-1)?.content).toEqual([
    { type: "tool_result", tool_use_id: "a", content: "The tool failed.", is_error: true },
  ]);
});

test("ids that are used again, or differ only in what the API refuses, are told apart, and each result finds its call", () => {
  const calls = (...ids: readonly string[]): ChatMessage => ({
    role: "assistant",
    content: null,
    tool_calls: ids.map((id) => ({ id, type: "function", function: { name: "hours", arguments: "" } })),
  });
  const result = (id: string, content: string): ChatMessage => ({ role: "tool", tool_call_id: id, content });
  const { messages } = bodyFor(
    [
      ...HELLO,
      calls("a:1", "a_1", ""),
      result("a_1", "2"),
      result("a:1", "1"),
      result("", "3"),
      calls("a:1"),
      result("a:1", "4"),
    ],
    [HOURS],
    UNCACHED,
  );
  const results = messages.flatMap(({ content }) => content.flatMap((block) => (block.type === "tool_result" ? [block] : [])));
  expect(results.map((block) => [block.tool_use_id, block.content])).toEqual([
    ["a_1", "1"],
    ["a_1_2", "2"],
    ["call", "3"],
    ["a_1_3", "4"],
  ]);
});

test("half of an emoji that a cut has left is replaced", () => {
  const half = "\uD83D";
  const { messages, system } = bodyFor([
    say("system", half),
    say("user", `Hi ${half}`),
    say("assistant", "\u{1F600}"),
    say("user", "?"),
  ]);
  expect(system?.[0]?.text).toBe("\uFFFD");
  expect(messages.map(({ content }) => content[0])).toMatchObject([{ text: "Hi \uFFFD" }, { text: "\u{1F600}" }, { text: "?" }]);
});

const MODEL = UNCACHED.parameters.model;
const THOUGHT = { type: "thinking", thinking: "", signature: "c2ln" } as const;
const HIDDEN = { type: "redacted_thinking", data: "c2VjcmV0" } as const;
const assistantContent = (message: ChatMessage, options: BodyOptions = UNCACHED): readonly { readonly type: string }[] =>
  bodyFor([...HELLO, message, toolResult("5 to 10")], [HOURS], options).messages[1]?.content ?? [];

test("thinking stands where it stood, byte for byte, as long as the words around it are those of the answer", () => {
  const parts = [THOUGHT, { type: "text", text: "One moment." }, HIDDEN, { type: "tool_use" }];
  expect(assistantContent(toolTurn({ model: MODEL, parts }))).toMatchObject([
    THOUGHT,
    { type: "text", text: "One moment." },
    HIDDEN,
    { type: "tool_use", id: "a" },
  ]);
});

test("behind words that were cut thinking is left out, and before them it stays", () => {
  const parts = [THOUGHT, HIDDEN, { type: "text", text: "One moment." }, THOUGHT, { type: "tool_use" }];
  const types = (content: string | null) => assistantContent(toolTurn({ model: MODEL, parts }, content)).map(({ type }) => type);
  expect(assistantContent(toolTurn({ model: MODEL, parts }, "One"))).toMatchObject([
    THOUGHT,
    HIDDEN,
    { text: "One" },
    { id: "a" },
  ]);
  expect(types(null)).toEqual(["thinking", "redacted_thinking", "tool_use"]);
});

test("thinking of another model, or of another vendor, is left out", () => {
  const parts = [THOUGHT, { type: "text", text: "One moment." }, { type: "tool_use" }];
  for (const providerData of [{ model: "claude-opus-4-6", parts }, { parts }, "signed", { model: MODEL, thinking: [] }])
    expect(assistantContent(toolTurn(providerData)).map(({ type }) => type)).toEqual(["text", "tool_use"]);
});

test("a thinking budget goes with a tool's results only when the turn that called it begins with its thinking", () => {
  const thinking = { type: "enabled", budget_tokens: 50 } as const;
  const options: BodyOptions = { ...UNCACHED, parameters: { ...UNCACHED.parameters, thinking } };
  const parts = [THOUGHT, { type: "text", text: "One moment." }, { type: "tool_use" }];
  const after = (providerData: unknown): MessagesBody =>
    bodyFor([...HELLO, toolTurn(providerData), toolResult("5")], [HOURS], options);
  expect(after({ model: MODEL, parts }).thinking).toEqual(thinking);
  expect(after({ model: "claude-opus-4-6", parts })).not.toHaveProperty("thinking");
  expect(bodyFor(HELLO, [], options).thinking).toEqual(thinking);
});
