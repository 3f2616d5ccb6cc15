import fc from "fast-check";
import { expect, test } from "vitest";
import {
  messageEnd,
  messageStart,
  refusalEnd,
  streamBytes,
  textBlock,
  thinkingBlock,
  toolBlock,
  toolPiece,
  toolStart,
  type WireEvent,
} from "../../../test/llm/anthropic-events.js";
import { textOf, toolCallsOf } from "../../../test/llm/vendor.js";
import { AuthenticationError, ProtocolError, ProviderError, RateLimitError } from "../../core/errors.js";
import type { LlmChunk } from "../../core/llm.js";
import { AnthropicLLM } from "../anthropic.js";
import { type AnswerContext, AnthropicDecoder } from "./events.js";

const CONTEXT: AnswerContext = {
  identity: { provider: "anthropic", className: "AnthropicLLM" },
  model: "claude-haiku-4-5",
  toolName: (wireName) => wireName.replace("_", " "),
  firstToolCall: 0,
  keepsThinking: true,
};

function decoderAfter(events: readonly unknown[], context: Partial<AnswerContext> = {}): [AnthropicDecoder, LlmChunk[]] {
  const decoder = new AnthropicDecoder({ ...CONTEXT, ...context });
  const chunks = events.flatMap((event) => decoder.decode({ event: "message", data: JSON.stringify(event) }));
  return [decoder, chunks];
}

/** The chunks of a whole answer, `done` included. */
function chunksOf(events: readonly unknown[], context?: Partial<AnswerContext>): LlmChunk[] {
  const [decoder, chunks] = decoderAfter(events, context);
  return [...chunks, decoder.done("req_1")];
}

function doneOf(events: readonly unknown[], context?: Partial<AnswerContext>): Extract<LlmChunk, { type: "done" }> {
  const [decoder] = decoderAfter(events, context);
  return decoder.done("req_1") as Extract<LlmChunk, { type: "done" }>;
}

const PARALLEL: readonly WireEvent[] = [
  messageStart(),
  ...textBlock(0, "One moment."),
  toolStart(1, "toolu_1", "book_table"),
  toolStart(2, "toolu_2", "hours"),
  toolPiece(1, ""),
  toolPiece(2, '{"day":'),
  toolPiece(1, '{"name":"Zo\\u00eb \\"Z'),
  toolPiece(2, '"fri"}'),
  toolPiece(1, '\\"","size":4}'),
  { type: "content_block_stop", index: 1 },
  { type: "content_block_stop", index: 2 },
  ...toolBlock(3, "toolu_3", "hours"),
  ...messageEnd("tool_use", 40),
];
const RECORDED: Readonly<Record<string, readonly WireEvent[]>> = {
  text: [messageStart(), { type: "ping" }, ...textBlock(0, "Grüß Gott, ", "Zoë 🙂", "."), ...messageEnd("end_turn", 9)],
  "parallel tool calls": PARALLEL,
  thinking: [
    messageStart(),
    ...thinkingBlock(0, "c2ln", "Hm…", " ja."),
    ...thinkingBlock(1, "b21pdHRlZA=="),
    ...textBlock(2, "Ja."),
    ...messageEnd("end_turn", 30, { output_tokens_details: { thinking_tokens: 20 } }),
  ],
  refusal: [messageStart(), ...textBlock(0, "Well, "), ...refusalEnd({ category: "bio", explanation: "It may harm." }, 3)],
  "an error within the answer": [
    messageStart(),
    ...textBlock(0, "Well, "),
    { type: "error", error: { type: "overloaded_error", message: "Overloaded" } },
  ],
};

/** What comes of a response whose bytes arrive in these pieces: the chunks, and the error at their end. */
async function readBytes(pieces: readonly Uint8Array[]): Promise<unknown[]> {
  const body = ReadableStream.from(pieces);
  const llm = new AnthropicLLM({ apiKey: "k", promptCaching: false, fetch: () => Promise.resolve(new Response(body)) });
  const results: unknown[] = [];
  try {
    for await (const chunk of llm.stream([{ role: "user", content: "Hello" }])) {
      if (chunk.type !== "done") results.push(chunk);
      else results.push({ ...chunk, timing: undefined });
    }
  } catch (error) {
    results.push(String(error));
  }
  return results;
}

test.each(Object.keys(RECORDED))("however the bytes of %s are split, the same chunks come out", async (name) => {
  const events = RECORDED[name] ?? [];
  const cuts = fc.array(fc.nat(), { maxLength: 12 });
  const newline = fc.constantFrom("\n", "\r\n", "\r");
  const whole = await readBytes([streamBytes(events)]);
  expect(whole.length).toBeGreaterThan(1);
  const isSame = fc.asyncProperty(cuts, newline, async (places, lineEnd) => {
    const bytes = streamBytes(events, lineEnd);
    const at = [0, ...places.map((place) => place % bytes.length).sort((a, b) => a - b), bytes.length];
    const pieces = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
    expect(await readBytes(pieces)).toEqual(whole);
  });
  await fc.assert(isSame);
  expect(await readBytes([...streamBytes(events)].map((byte) => Uint8Array.of(byte)))).toEqual(whole);
});

test("tool calls come out once, whole and in order, under the caller's own names", () => {
  const chunks = chunksOf(PARALLEL);
  expect(textOf(chunks)).toBe("One moment.");
  expect(toolCallsOf(chunks)).toEqual([
    { id: "toolu_1", name: "book table", arguments: '{"name":"Zo\\u00eb \\"Z\\"","size":4}' },
    { id: "toolu_2", name: "hours", arguments: '{"day":"fri"}' },
    { id: "toolu_3", name: "hours", arguments: "{}" },
  ]);
});

test("tool calls of an answer that goes on are counted from those before it", () => {
  const chunks = chunksOf([messageStart(), ...toolBlock(0, "toolu_9", "hours", "{}")], { firstToolCall: 2 });
  expect(chunks[0]).toMatchObject({ type: "tool_call", index: 2, id: "toolu_9" });
});

test("text in a block's start is not lost, and citations are not spoken", () => {
  const chunks = chunksOf([
    messageStart(),
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "Hel", citations: null } },
    { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "lo." } },
    { type: "content_block_delta", index: 0, delta: { type: "citations_delta", citation: { cited_text: "no" } } },
    { type: "content_block_stop", index: 0 },
    ...messageEnd("end_turn", 2),
  ]);
  expect(textOf(chunks)).toBe("Hello.");
});

test("events, blocks and deltas that are not known are skipped", () => {
  const chunks = chunksOf([
    messageStart(),
    { type: "weather" },
    { type: "content_block_start", index: 0, content_block: { type: "hologram" } },
    { type: "content_block_delta", index: 0, delta: { type: "hologram_delta", text: "no" } },
    { type: "content_block_stop", index: 0 },
    { type: "content_block_delta", index: 7 },
    { type: "content_block_stop", index: 7 },
    ...textBlock(1, "Hi"),
    ...messageEnd("end_turn", 2),
  ]);
  expect(chunks.map(({ type }) => type)).toEqual(["text", "done"]);
});

test("a repeated start of the same message is tolerated, one of another message is not", () => {
  const start = messageStart();
  expect(textOf(chunksOf([start, start, ...textBlock(0, "Hi"), ...messageEnd("end_turn", 2)]))).toBe("Hi");
  const foreign = { type: "message_start", message: { id: "msg_2", usage: {} } };
  expect(() => decoderAfter([start, foreign])).toThrow(ProtocolError);
  expect(() => decoderAfter([start, foreign])).toThrow('a second message "msg_2" inside the message "msg_1"');
});

test("blocks that follow one another under the same index are told apart, those that overlap are refused", () => {
  const [start] = textBlock(0);
  const calls = [...toolBlock(0, "toolu_1", "hours", "{}"), ...toolBlock(0, "toolu_2", "hours", "{}")];
  const chunks = chunksOf([messageStart(), ...textBlock(0, "Hi"), ...calls, ...messageEnd("tool_use", 9)]);
  expect(textOf(chunks)).toBe("Hi");
  expect(toolCallsOf(chunks).map(({ id }) => id)).toEqual(["toolu_1", "toolu_2"]);
  expect(() => decoderAfter([messageStart(), start, start])).toThrow("a second block with the index 0");
});

test.each([
  ["end_turn", "end_turn"],
  ["tool_use", "tool_use"],
  ["max_tokens", "max_tokens"],
  ["model_context_window_exceeded", "max_tokens"],
  ["stop_sequence", "stop_sequence"],
  ["refusal", "refusal"],
  ["pause_turn", "other"],
  ["tomorrow", "other"],
])("the stop reason %s is reported as %s", (reason, expected) => {
  const end = { type: "message_delta", delta: { stop_reason: reason }, usage: { output_tokens: 1 } };
  expect(doneOf([messageStart(), end, { type: "message_stop" }]).stopReason).toBe(expected);
});

test("a later message_delta without a reason does not take the reason back", () => {
  const [delta] = messageEnd("tool_use", 5);
  const later = { type: "message_delta", delta: { stop_reason: null }, usage: { output_tokens: 7 } };
  expect(doneOf([messageStart(), delta, later, { type: "message_stop" }])).toMatchObject({
    stopReason: "tool_use",
    usage: { outputTokens: 7 },
  });
});

test.each([
  [{ category: "cyber", explanation: "It may harm." }, "cyber: It may harm."],
  [{ category: "cyber", explanation: null }, "cyber"],
  [{ category: null, explanation: "It may harm." }, "It may harm."],
  [{ category: null, explanation: null }, undefined],
] as const)("a refusal says why: %j", (details, expected) => {
  const done = doneOf([messageStart(), ...refusalEnd(details, 1)]);
  expect(done).toMatchObject({ stopReason: "refusal" });
  expect(done.stopDetail).toBe(expected);
});

test("the thinking of an answer is kept in order, readable or not, but not that of a refusal", () => {
  const redacted = [
    { type: "content_block_start", index: 2, content_block: { type: "redacted_thinking", data: "c2VjcmV0" } },
    { type: "content_block_stop", index: 2 },
  ];
  const thinking = [messageStart(), ...thinkingBlock(0, "c2ln", "Hm", "m."), ...thinkingBlock(1, "b21p"), ...redacted];
  expect(doneOf([...thinking, ...messageEnd("tool_use", 9)]).providerData).toEqual({
    model: "claude-haiku-4-5",
    parts: [
      { type: "thinking", thinking: "Hmm.", signature: "c2ln" },
      { type: "thinking", thinking: "", signature: "b21p" },
      { type: "redacted_thinking", data: "c2VjcmV0" },
    ],
  });
  expect(doneOf([...thinking, ...messageEnd("refusal", 9)])).not.toHaveProperty("providerData");
  expect(doneOf([...thinking, ...messageEnd("end_turn", 9)], { keepsThinking: false })).not.toHaveProperty("providerData");
});

test("a decoder knows when the model is thinking, and when content has come", () => {
  const thinking = thinkingBlock(0, "c2ln", "Hm.");
  const decoder = new AnthropicDecoder(CONTEXT);
  const state = (event: WireEvent | undefined): readonly boolean[] => {
    decoder.decode({ event: "message", data: JSON.stringify(event) });
    return [decoder.isThinking, decoder.hasContent];
  };
  expect([messageStart(), ...thinking].map(state)).toEqual([
    [false, false],
    [true, false],
    [true, false],
    [true, false],
    [false, false],
  ]);
  expect(textBlock(1, "", "Hi").map(state)).toEqual([
    [false, false],
    [false, false],
    [false, true],
    [false, true],
  ]);
});

test("an answer that ended without a word or a call is known as empty", () => {
  const isEmpty = (...events: readonly WireEvent[]) => decoderAfter([messageStart(), ...events])[0].isEmpty;
  expect(isEmpty(...messageEnd("end_turn", 2))).toBe(true);
  expect(isEmpty(...thinkingBlock(0, "c2ln"), ...messageEnd("end_turn", 2))).toBe(true);
  expect(isEmpty(...textBlock(0, "\n", "\n"), ...messageEnd("end_turn", 2))).toBe(true);
  expect(isEmpty()).toBe(false);
  expect(isEmpty(...textBlock(0, "Hi"), ...messageEnd("end_turn", 2))).toBe(false);
  expect(isEmpty(...messageEnd("max_tokens", 2))).toBe(false);
});

test.each([
  ["overloaded_error", 529, ProviderError, true],
  ["api_error", 500, ProviderError, true],
  ["rate_limit_error", 429, RateLimitError, false],
  ["authentication_error", 401, AuthenticationError, false],
  ["invalid_request_error", 400, ProviderError, false],
  ["brand_new_error", 500, ProviderError, true],
] as const)("an error event of the type %s stands for status %i", (type, status, ErrorClass, retryable) => {
  const failing = () => decoderAfter([messageStart(), { type: "error", error: { type, message: "no" }, request_id: "req_7" }]);
  expect(failing).toThrow(ErrorClass);
  expect(failing).toThrow(expect.objectContaining({ status, retryable, requestId: "req_7", vendorCode: type }));
});

test("an event that is no JSON object is an error of the protocol", () => {
  expect(() => new AnthropicDecoder(CONTEXT).decode({ event: "message", data: "{" })).toThrow(ProtocolError);
});
