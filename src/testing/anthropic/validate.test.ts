import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { validateMessagesRequest } from "./validate.js";
import type { AnthropicRequestBlock, AnthropicRequestBody, AnthropicRequestMessage } from "./wire.js";

const USER = { role: "user", content: "Hello" } as const;
const MARKED = { cache_control: { type: "ephemeral" } } as const;
const MARKED_1H = { cache_control: { type: "ephemeral", ttl: "1h" } } as const;
const TOOL = { name: "look_up", description: "Looks up.", input_schema: { type: "object" } } as const;
const CALL = { type: "tool_use", id: "toolu_1", name: "look_up", input: {} };
const RESULT = { type: "tool_result", tool_use_id: "toolu_1", content: "found" };

function request(change: Partial<AnthropicRequestBody> = {}): AnthropicRequestBody {
  return { model: "claude-haiku-4-5", max_tokens: 100, messages: [USER], ...change };
}

function text(content: string, marker: object = {}): AnthropicRequestBlock {
  return { type: "text", text: content, ...marker };
}

function talk(...messages: (readonly [AnthropicRequestMessage["role"], AnthropicRequestMessage["content"]])[]) {
  return { messages: messages.map(([role, content]) => ({ role, content })) };
}

function without(field: string): unknown {
  return { ...request(), [field]: undefined };
}

function strict(count: number, schema: object = {}): Partial<AnthropicRequestBody> {
  const input_schema = { type: "object", additionalProperties: false, ...schema };
  return { tools: Array.from({ length: count }, (_, index) => ({ name: `tool_${index}`, input_schema, strict: true })) };
}

/** One strict tool with one required property of this schema. */
function strictProperty(property: object, definitions?: object): AnthropicRequestBody {
  return request(strict(1, { required: ["a"], properties: { a: property }, ...(definitions && { $defs: definitions }) }));
}

/** A conversation whose tool answers with these fields. */
function answered(fields: object): AnthropicRequestBody {
  const result = { type: "tool_result", tool_use_id: "toolu_1", ...fields };
  return request(talk(["user", "a"], ["assistant", [CALL]], ["user", [result]]));
}

const thinking = { type: "enabled", budget_tokens: 1024 } as const;
const THOUGHT = { type: "thinking", thinking: "", signature: "s" };
const SEARCH = { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: { query: "hours" } };
const FOUND = { type: "web_search_tool_result", tool_use_id: "srvtoolu_1", content: [] };

describe("is refused, with the API's message", () => {
  test.each<[string, unknown, string]>([
    ["no object", [], "valid JSON"],
    ["no model", without("model"), "model: Field required"],
    ["no max_tokens", without("max_tokens"), "max_tokens: Field required"],
    ["no messages", without("messages"), "messages: Field required"],
    ["a field that the API does not have", request({ user: "x" }), "user: Extra inputs are not permitted"],
    ["a max_tokens that is no integer", request({ max_tokens: 1.5 }), "max_tokens: Input should be a valid integer"],
    ["a model that is no text", { ...request(), model: 3 }, "model: Input should be a valid string"],
    ["no message", request({ messages: [] }), "at least one message is required"],
    [
      "a conversation begun by the assistant",
      request(talk(["assistant", "Hi"], ["user", "Hello"])),
      'first message must use the "user" role',
    ],
    ["a role that does not exist", { ...request(), messages: [{ role: "tool", content: "x" }] }, "messages.0.role"],
    [
      "a message without content",
      request(talk(["user", ""], ["user", "Hello"])),
      "messages.0: all messages must have non-empty content",
    ],
    ["empty text", request(talk(["user", [text("")]])), "text content blocks must be non-empty"],
    ["blank text", request(talk(["user", [text(" \n")]])), "text content blocks must contain non-whitespace text"],
    ["blank text in a string", request(talk(["user", "  "])), "text content blocks must contain non-whitespace text"],
    [
      "blank text anywhere in the history",
      request(talk(["user", "Hi"], ["assistant", " "], ["user", "Hello"])),
      "non-whitespace",
    ],
    ["an empty system text", request({ system: [text("")] }), "system: text content blocks must be non-empty"],
    [
      "a marker on empty text",
      request(talk(["user", [text("", MARKED)]])),
      "messages.0.content.0.text: cache_control cannot be set for empty text blocks",
    ],
    [
      "a field that a block does not have",
      request(talk(["user", [{ ...text("a"), id: "1" }]])),
      "messages.0.content.0.text.id: Extra inputs",
    ],
    ["an unknown block", request(talk(["user", [{ type: "audio" }]])), "Input tag 'audio'"],
    ["a tool call of the user's", request(talk(["user", [CALL]])), "`tool_use` blocks cannot be provided"],
    [
      "tool input that is no object",
      request(talk(["user", "a"], ["assistant", [{ ...CALL, input: "{}" }]], ["user", [RESULT]])),
      "messages.1.content.0.tool_use.input",
    ],
    [
      "five markers",
      request({ ...talk(["user", [1, 2, 3, 4, 5].map((n) => text(`${n}`, MARKED))]) }),
      "A maximum of 4 blocks with cache_control may be provided. Found 5.",
    ],
    [
      "four markers and the automatic one",
      request({ ...talk(["user", [...[1, 2, 3, 4].map((n) => text(`${n}`, MARKED)), text("5")]]), ...MARKED }),
      "Found 5.",
    ],
    [
      "an automatic marker of another lifetime",
      request({ ...talk(["user", [text("a", MARKED_1H)]]), ...MARKED }),
      "Top-level cache_control has ttl='5m'",
    ],
    [
      "an hour behind five minutes",
      request({ system: [text("a", MARKED)], ...talk(["user", [text("b", MARKED_1H)]]) }),
      "messages.0.content.0.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m'",
    ],
    [
      "a lifetime that does not exist",
      { ...request(), system: [text("a", { cache_control: { type: "ephemeral", ttl: "2h" } })] },
      "system.0.cache_control.ttl",
    ],
    [
      "a marker on thinking",
      request(
        talk(
          ["user", "a"],
          ["assistant", [{ type: "thinking", thinking: "", signature: "s", ...MARKED }, text("b")]],
          ["user", "c"],
        ),
      ),
      "messages.1.content.0.thinking.cache_control",
    ],
    [
      "a tool call without its result",
      request(talk(["user", "a"], ["assistant", [CALL]], ["user", "b"])),
      "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1.",
    ],
    ["a tool call at the end", request(talk(["user", "a"], ["assistant", [CALL]])), "tool_use"],
    [
      "a result behind other content",
      request(talk(["user", "a"], ["assistant", [CALL]], ["user", [text("b"), RESULT]])),
      "immediately after: toolu_1",
    ],
    [
      "a result without its call",
      request(talk(["user", [RESULT]])),
      "messages.0.content.0: unexpected `tool_use_id` found in `tool_result` blocks: toolu_1.",
    ],
    [
      "two results for one call",
      request(talk(["user", "a"], ["assistant", [CALL]], ["user", [RESULT, RESULT]])),
      "each tool_use must have a single result",
    ],
    [
      "a tool call's id twice",
      request(talk(["user", "a"], ["assistant", [CALL, CALL]], ["user", [RESULT]])),
      "`tool_use` ids must be unique",
    ],
    [
      "an empty text in a result",
      request(talk(["user", "a"], ["assistant", [CALL]], ["user", [{ ...RESULT, content: [text("")] }]])),
      "non-empty",
    ],
    ["a failed result without content", answered({ is_error: true }), "content cannot be empty if `is_error` is true"],
    ["a failed result with an empty text", answered({ is_error: true, content: "" }), "content cannot be empty"],
    ["a failure that is no boolean", answered({ is_error: "yes", content: "x" }), "is_error: Input should be a valid boolean"],
    ["half of an emoji", request(talk(["user", "cut \uD83D"])), "not valid JSON: no low surrogate in string"],
    ["half of an emoji in a name", request({ tools: [{ ...TOOL, input_schema: { type: "object", "\uDE00": 1 } }] }), "surrogate"],
    [
      "thinking at the end of a turn",
      request(talk(["user", "a"], ["assistant", [text("b"), THOUGHT]], ["user", "c"])),
      "messages.1: The final block in an assistant message cannot be `thinking`.",
    ],
    [
      "a vendor's tool of the user's",
      request(talk(["user", [SEARCH]])),
      "`server_tool_use` blocks cannot be provided in a message with the role 'user'",
    ],
    [
      "a vendor's tool with a foreign id",
      request(talk(["user", "a"], ["assistant", [{ ...SEARCH, id: "toolu_1" }]])),
      "server_tool_use.id: String should match",
    ],
    ["an empty system prompt", request({ system: "" }), "system: text content blocks must be non-empty"],
    ["a blank system prompt", request({ system: " " }), "system: text content blocks must contain non-whitespace text"],
    [
      "a field that a system block does not have",
      request({ system: [{ ...text("a"), name: "x" }] }),
      "system.0.name: Extra inputs are not permitted",
    ],
    ["two tools of one name", request({ tools: [TOOL, TOOL] }), "Tool names must be unique"],
    [
      "a tool's name with a dot",
      request({ tools: [{ ...TOOL, name: "look.up" }] }),
      "tools.0.custom.name: String should match pattern",
    ],
    ["a tool without a schema", request({ tools: [{ name: "a" }] }), "tools.0.custom.input_schema: Field required"],
    [
      "a schema that is no object",
      request({ tools: [{ name: "a", input_schema: { type: "string" } }] }),
      "input_schema.type: Input should be 'object'",
    ],
    ["a schema without a type", request({ tools: [{ name: "a", input_schema: {} }] }), "input_schema.type: Field required"],
    [
      "a field that a tool does not have",
      request({ tools: [{ ...TOOL, parameters: {} }] }),
      "tools.0.custom.parameters: Extra inputs",
    ],
    ...["oneOf", "anyOf", "allOf"].map((keyword): [string, unknown, string] => [
      `a schema with ${keyword} at its root`,
      request({ tools: [{ name: "a", input_schema: { type: "object", [keyword]: [{}] } }] }),
      "input_schema does not support oneOf, allOf, or anyOf at the top level",
    ]),
    [
      "a strict that is no boolean",
      { ...request(), tools: [{ ...TOOL, strict: "yes" }] },
      "strict: Input should be a valid boolean",
    ],
    [
      "a strict tool that is open in a definition",
      strictProperty({ $ref: "#/$defs/a" }, { a: { type: "object" } }),
      "properties.a.$ref: For 'object' type, 'additionalProperties' must be explicitly set to false",
    ],
    [
      "a strict tool with a bound in a definition",
      strictProperty({ $ref: "#/$defs/a" }, { a: { type: "string", minLength: 1 } }),
      "property 'minLength' is not supported",
    ],
    [
      "a strict tool whose definition contains itself",
      strictProperty({ $ref: "#/$defs/a" }, { a: { type: "array", items: { $ref: "#/$defs/a" } } }),
      "Recursive schemas are not supported",
    ],
    ["a strict tool that contains itself", strictProperty({ $ref: "#" }), "Recursive schemas are not supported"],
    [
      "a strict tool with a reference elsewhere",
      strictProperty({ $ref: "https://example.com/a.json" }),
      "'$ref' must point to a definition within the schema",
    ],
    [
      "a strict tool with named patterns",
      strictProperty({ type: "object", additionalProperties: false, patternProperties: {} }),
      "property 'patternProperties' is not supported",
    ],
    [
      "a strict tool that looks ahead",
      strictProperty({ type: "string", pattern: "^(?=a)" }),
      "the pattern '^(?=a)' is not supported",
    ],
    ["a strict tool with many items", strictProperty({ type: "array", minItems: 2 }), "'minItems' values other than 0 or 1"],
    ["a strict tool with a format of its own", strictProperty({ type: "string", format: "phone" }), 'the format "phone" is not'],
    ["a strict tool that chooses among objects", strictProperty({ enum: [{ a: 1 }] }), "Complex types within enums"],
    ["twenty-one strict tools", request(strict(21)), "at most 20 strict tools"],
    [
      "a strict tool that is open",
      request(strict(1, { additionalProperties: true })),
      "'additionalProperties' must be explicitly set to false",
    ],
    [
      "a strict tool with a bound",
      request(strict(1, { properties: { n: { type: "number", minimum: 1 } } })),
      "property 'minimum' is not supported",
    ],
    [
      "strict tools with too many optional parameters",
      request(strict(5, { properties: { a: {}, b: {}, c: {}, d: {}, e: {} } })),
      "at most 24 optional parameters. Found 25.",
    ],
    [
      "strict tools with too many unions",
      request(strict(17, { required: ["a"], properties: { a: { type: ["string", "null"] } } })),
      "at most 16 parameters with union types",
    ],
    [
      "a tool choice without tools",
      request({ tool_choice: { type: "auto" } }),
      "tool_choice may only be specified while providing tools",
    ],
    [
      "a choice of a tool that is not there",
      request({ tools: [TOOL], tool_choice: { type: "tool", name: "x" } }),
      "Tool 'x' not found in provided tools",
    ],
    [
      "a parallel flag beside no tool",
      request({ tools: [TOOL], tool_choice: { type: "none", disable_parallel_tool_use: true } }),
      "tool_choice.none.disable_parallel_tool_use",
    ],
    [
      "a parallel flag that is no boolean",
      { ...request(), tools: [TOOL], tool_choice: { type: "auto", disable_parallel_tool_use: "yes" } },
      "tool_choice.auto.disable_parallel_tool_use: Input should be a valid boolean",
    ],
    [
      "a forced tool with manual thinking",
      request({ max_tokens: 2000, tools: [TOOL], tool_choice: { type: "any" }, thinking }),
      "Thinking may not be enabled when tool_choice forces tool use.",
    ],
    [
      "a forced tool on Sonnet 5.5",
      request({ model: "claude-sonnet-5-5", tools: [TOOL], tool_choice: { type: "any" } }),
      "not supported on this model",
    ],
    [
      "trailing whitespace in a prefill",
      request(talk(["user", "a"], ["assistant", "Well, "])),
      "final assistant content cannot end with trailing whitespace",
    ],
    [
      "a prefill on 4.6",
      request({ model: "claude-sonnet-4-6", ...talk(["user", "a"], ["assistant", "Well"]) }),
      "The conversation must end with a user message.",
    ],
    [
      "a prefill while thinking",
      request({ max_tokens: 2000, thinking, ...talk(["user", "a"], ["assistant", "Well"]) }),
      "must end with a user message",
    ],
    ["instructions in mid-call on 4.5", request(talk(["user", "a"], ["system", "b"])), "role 'system' is not supported"],
    [
      "instructions first",
      request({ model: "claude-opus-5", ...talk(["system", "a"], ["user", "b"]) }),
      'first message must use the "user" role',
    ],
    [
      "instructions behind the assistant",
      request({ model: "claude-opus-5", ...talk(["user", "a"], ["assistant", "b"], ["system", "c"]) }),
      "messages.2: role 'system' must follow a user message",
    ],
    [
      "instructions between two turns of the user's",
      request({ model: "claude-opus-5", ...talk(["user", "a"], ["system", "b"], ["user", "c"]) }),
      "precede an assistant message",
    ],
    ["a temperature above 1", request({ temperature: 1.5 }), "temperature: range: 0..1"],
    ["temperature and top_p", request({ temperature: 1, top_p: 0.5 }), "`temperature` and `top_p` cannot both be specified"],
    [
      "a temperature on Opus 4.7",
      request({ model: "claude-opus-4-7", temperature: 0.5 }),
      "`temperature` is deprecated for this model.",
    ],
    ["top_k on Haiku 5.5", request({ model: "claude-haiku-5-5", top_k: 4 }), "`top_k` is deprecated for this model."],
    [
      "a temperature while thinking",
      request({ max_tokens: 2000, thinking, temperature: 0.5 }),
      "`temperature` may only be set to 1 when thinking is enabled.",
    ],
    [
      "adaptive thinking on Haiku 4.5",
      request({ thinking: { type: "adaptive" } }),
      "adaptive thinking is not supported on this model",
    ],
    [
      "manual thinking on Opus 4.7",
      request({ model: "claude-opus-4-7", max_tokens: 2000, thinking }),
      '"thinking.type.enabled" is not supported for this model.',
    ],
    [
      "no thinking on Opus 5.5",
      request({ model: "claude-opus-5-5", thinking: { type: "disabled" } }),
      '"thinking.type.disabled" is not supported',
    ],
    [
      "no thinking on Sonnet 5.5",
      request({ model: "claude-sonnet-5-5", thinking: { type: "disabled" } }),
      '"thinking.type.disabled" is not supported',
    ],
    [
      "thinking between tools on Haiku 5.5",
      request({ model: "claude-haiku-5-5", thinking: { type: "between_tools" } }),
      "Input tag 'between_tools'",
    ],
    [
      "thinking between tools with a display",
      { ...request({ model: "claude-sonnet-5-5" }), thinking: { type: "between_tools", display: "omitted" } },
      "thinking.between_tools.display",
    ],
    [
      "thinking between tools at great effort",
      request({ model: "claude-sonnet-5-5", thinking: { type: "between_tools" }, output_config: { effort: "max" } }),
      "not supported with effort 'max'",
    ],
    [
      "no thinking at great effort",
      request({ model: "claude-haiku-5-5", thinking: { type: "disabled" }, output_config: { effort: "xhigh" } }),
      "not supported with effort 'xhigh'",
    ],
    [
      "a small budget",
      request({ max_tokens: 2000, thinking: { type: "enabled", budget_tokens: 100 } }),
      "greater than or equal to 1024",
    ],
    [
      "a budget that leaves no answer",
      request({ max_tokens: 1024, thinking }),
      "`max_tokens` must be greater than `thinking.budget_tokens`",
    ],
    ["effort on Haiku 4.5", request({ output_config: { effort: "low" } }), "does not support the effort parameter"],
    [
      "an effort that does not exist",
      request({ model: "claude-opus-5", output_config: { effort: "none" } }),
      "output_config.effort: Input should be",
    ],
    [
      "a tool loop of manual thinking without it",
      request({ max_tokens: 2000, thinking, ...talk(["user", "a"], ["assistant", [CALL]], ["user", [RESULT]]) }),
      "Expected `thinking` or `redacted_thinking`, but found `tool_use`",
    ],
    ["a warm-up that streams", request({ max_tokens: 0, stream: true }), "max_tokens: 0"],
    ["a warm-up with manual thinking", request({ max_tokens: 0, thinking }), "max_tokens: 0"],
    [
      "a warm-up with a format",
      request({ model: "claude-opus-5", max_tokens: 0, output_config: { format: {} } }),
      "max_tokens: 0",
    ],
    ["a warm-up with a forced tool", request({ max_tokens: 0, tools: [TOOL], tool_choice: { type: "any" } }), "max_tokens: 0"],
    ["a negative max_tokens", request({ max_tokens: -1 }), "greater than or equal to 0"],
    ["more tokens than the model writes", request({ max_tokens: 64_001 }), "max_tokens: 64001 > 64000"],
    ["a blank stop sequence", request({ stop_sequences: [" "] }), "must contain non-whitespace"],
    [
      "a user's id that is no text",
      { ...request(), metadata: { user_id: 5 } },
      "metadata.user_id: Input should be a valid string",
    ],
    ["metadata with a name", { ...request(), metadata: { name: "x" } }, "metadata.name: Extra inputs"],
    [
      "a prompt longer than the context",
      request(talk(["user", "word ".repeat(161_000)])),
      "prompt is too long: 201250 tokens > 200000 maximum",
    ],
  ])("%s", (_, body, message) => {
    expect(validateMessagesRequest(body)).toMatchObject({ status: 400, type: "invalid_request_error" });
    expect(validateMessagesRequest(body)?.message).toContain(message);
  });

  test("every sampling parameter, of any value and on any model, in version 2026-10-21", () => {
    const headers = { "anthropic-version": "2026-10-21" };
    for (const change of [{ temperature: 1 }, { top_p: 0.99 }, { top_k: 1 }]) {
      expect(validateMessagesRequest(request(change), headers)?.message).toContain("Extra inputs are not permitted");
      expect(validateMessagesRequest(request(change))).toBeUndefined();
    }
  });
});

test.each(["claude-opus-4-1", "claude-mythos-preview", "claude-3-5-haiku-20241022", "claude-3-5-sonnet-latest", "gpt-5"])(
  "%s is not found",
  (model) => {
    expect(validateMessagesRequest(request({ model }))).toEqual({
      status: 404,
      type: "not_found_error",
      message: `model: ${model}`,
    });
  },
);

test.each<[string, Partial<AnthropicRequestBody>]>([
  ["a short question", {}],
  ["text as blocks", talk(["user", [text("Hello")]])],
  ["neighbouring turns of the user's", talk(["user", "a"], ["user", "b"])],
  [
    "results in two neighbouring messages",
    talk(
      ["user", "a"],
      ["assistant", [CALL, { ...CALL, id: "toolu_2" }]],
      ["user", [RESULT]],
      ["user", [{ ...RESULT, tool_use_id: "toolu_2" }]],
    ),
  ],
  [
    "a result without content, then text",
    talk(["user", "a"], ["assistant", [text("b"), CALL]], ["user", [{ type: "tool_result", tool_use_id: "toolu_1" }, text("c")]]),
  ],
  ["a prefill on 4.5", talk(["user", "a"], ["assistant", "Well"])],
  [
    "four markers, hours before minutes",
    {
      tools: [{ ...TOOL, ...MARKED_1H }],
      system: [text("a", MARKED_1H)],
      ...talk(["user", [text("b", MARKED)]], ["user", [text("c", MARKED)]]),
    },
  ],
  ["an automatic marker where there is one", { ...MARKED, ...talk(["user", [text("a", MARKED)]]) }],
  ["a warm-up", { max_tokens: 0, system: [text("a", MARKED)], tools: [TOOL] }],
  ["no tool of those there are", { tools: [TOOL], tool_choice: { type: "none" } }],
  [
    "a forced tool on Haiku 5.5",
    { model: "claude-haiku-5-5", tools: [TOOL], tool_choice: { type: "any", disable_parallel_tool_use: true } },
  ],
  [
    "thinking between tools on Sonnet 5.5",
    { model: "claude-sonnet-5-5", thinking: { type: "between_tools" }, output_config: { effort: "low" } },
  ],
  ["no thinking on Haiku 5.5", { model: "claude-haiku-5-5", thinking: { type: "disabled" } }],
  ["the only temperature of Haiku 5.5", { model: "claude-haiku-5-5", temperature: 1 }],
  ["instructions at the end", { model: "claude-opus-4-8", ...talk(["user", "a"], ["system", "b"]) }],
  [
    "instructions behind results",
    {
      model: "claude-haiku-5-5",
      ...talk(["user", "a"], ["assistant", [CALL]], ["user", [RESULT]], ["system", "b"], ["assistant", "c"], ["user", "d"]),
    },
  ],
  ["manual thinking", { max_tokens: 2000, thinking }],
  ["strict tools", strict(20, { required: ["a"], properties: { a: { type: "string" } } })],
  [
    "strict tools with a definition, used twice",
    strictProperty(
      { type: "object", additionalProperties: false, properties: { b: { $ref: "#/$defs/c" }, d: { $ref: "#/$defs/c" } } },
      { c: { type: "string", pattern: "^[a-z]+$" } },
    ),
  ],
  ["a failed result with its reason", answered({ is_error: true, content: "no" })],
  [
    "a paused turn, sent back as it was, where no prefill is accepted",
    { model: "claude-opus-4-8", ...talk(["user", "a"], ["assistant", [THOUGHT, text("b"), SEARCH, FOUND]]) },
  ],
  [
    "a turn of the past in which a vendor's tool ran",
    talk(["user", "a"], ["assistant", [SEARCH, FOUND, text("b")]], ["user", "c"]),
  ],
  ["a user's id", { metadata: { user_id: "caller-1" } }],
])("%s is accepted", (_, change) => {
  expect(validateMessagesRequest(request(change))).toBeUndefined();
});

test("whatever the body is, there is an answer and no exception", () => {
  const names = [
    "model",
    "max_tokens",
    "messages",
    "system",
    "tools",
    "tool_choice",
    "thinking",
    "output_config",
    "cache_control",
  ];
  const block = fc.record(
    {
      type: fc.constantFrom("text", "tool_use", "tool_result", "thinking", "image", "toString"),
      text: fc.anything(),
      id: fc.anything(),
      content: fc.anything(),
      input: fc.anything(),
      cache_control: fc.anything(),
    },
    { requiredKeys: [] },
  );
  const message = fc.record({
    role: fc.constantFrom("user", "assistant", "system", "x"),
    content: fc.oneof(fc.array(block), fc.anything()),
  });
  const body = fc
    .record({
      messages: fc.oneof(fc.array(message), fc.anything()),
      extra: fc.dictionary(
        fc.constantFrom(...names),
        fc.oneof(fc.anything(), fc.record({ type: fc.constantFrom("toString", "auto", "enabled") })),
      ),
    })
    .map(({ messages, extra }) => ({ model: "claude-opus-5", max_tokens: 5, messages, ...extra }));
  fc.assert(
    fc.property(body, (value) => {
      const found = validateMessagesRequest(value);
      if (found !== undefined) expect(found.message).not.toBe("");
    }),
    { numRuns: 500 },
  );
});
