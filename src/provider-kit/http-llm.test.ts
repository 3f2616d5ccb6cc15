import { expect, test } from "vitest";
import type { Reply, Step } from "../../test/llm/scripted-fetch.js";
import { Model } from "../../test/llm/scripted-model.js";
import { collect, textOf } from "../../test/llm/vendor.js";
import { ProviderError } from "../core/errors.js";

const ANSWER: readonly Step[] = [{ prompt: 100 }, { text: "Hi" }, { end: "end_turn" }, "eof"];

const PINGS: readonly Step[] = Array.from({ length: 30 }, () => [1000, "ping"] as const).flat();

function refusal(status: number, type: string, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status, headers, body: JSON.stringify({ error: { type, message: "no" } }) };
}

test("done tells where the time went: to the headers, and from there to the first content", async () => {
  const model = new Model([{ headersAfterMs: 300, steps: [{ prompt: 1 }, 50, { text: "" }, 100, ...ANSWER] }]);
  const { chunks } = await model.answer();
  expect(chunks.at(-1)).toMatchObject({ type: "done", requestId: "req_0", timing: { headersMs: 300, firstContentMs: 150 } });
  expect(chunks.at(-1)).not.toHaveProperty("timing.connectMs");
  expect(chunks.at(-1)).not.toHaveProperty("retries");
});

test.each<{ what: string; reply: Reply; requests: number; endedMs: number; code: string }>([
  { what: "no headers", reply: { headersAfterMs: Number.POSITIVE_INFINITY }, requests: 2, endedMs: 12_200, code: "timeout" },
  { what: "headers, then silence", reply: { headersAfterMs: 10 }, requests: 2, endedMs: 14_000, code: "timeout" },
  { what: "a start, then silence", reply: { steps: [{ prompt: 1 }] }, requests: 2, endedMs: 14_000, code: "timeout" },
  { what: "empty pieces", reply: { steps: [5000, { text: "" }] }, requests: 2, endedMs: 14_000, code: "timeout" },
  { what: "only pings", reply: { steps: PINGS }, requests: 2, endedMs: 14_000, code: "timeout" },
  { what: "endless thinking", reply: { steps: [{ thinking: true }] }, requests: 1, endedMs: 14_000, code: "timeout" },
  {
    what: "silence after thinking",
    reply: { steps: [{ thinking: true }, 2000, { thinking: false }] },
    requests: 2,
    endedMs: 14_000,
    code: "timeout",
  },
  {
    what: "an error before content",
    reply: { steps: [{ prompt: 1 }, { error: "overloaded_error" }] },
    requests: 2,
    endedMs: 200,
    code: "provider",
  },
  { what: "an end without an answer", reply: { steps: [{ prompt: 1 }, "eof"] }, requests: 2, endedMs: 200, code: "protocol" },
  { what: "a connection that breaks", reply: { steps: [{ prompt: 1 }, "reset"] }, requests: 2, endedMs: 200, code: "provider" },
  {
    what: "silence after content",
    reply: { steps: [{ text: "Hi" }, 3000, { text: "." }] },
    requests: 1,
    endedMs: 11_000,
    code: "timeout",
  },
  {
    what: "pings after content",
    reply: { steps: [{ text: "Hi" }, ...PINGS] },
    requests: 1,
    endedMs: 8000,
    code: "timeout",
  },
  {
    what: "an error after content",
    reply: { steps: [{ text: "Hi" }, { error: "api_error" }] },
    requests: 1,
    endedMs: 0,
    code: "provider",
  },
  { what: "an end within the answer", reply: { steps: [{ text: "Hi" }, "eof"] }, requests: 1, endedMs: 0, code: "protocol" },
  {
    what: "a connection that breaks within the answer",
    reply: { steps: [{ text: "Hi" }, 5, "reset"] },
    requests: 1,
    endedMs: 5,
    code: "provider",
  },
  { what: "a 529", reply: refusal(529, "overloaded_error"), requests: 2, endedMs: 200, code: "provider" },
  { what: "a 500", reply: refusal(500, "api_error"), requests: 2, endedMs: 200, code: "provider" },
  {
    what: "a 500 that is not to be retried",
    reply: refusal(500, "api_error", { "x-should-retry": "false" }),
    requests: 1,
    endedMs: 0,
    code: "provider",
  },
  { what: "a 400", reply: refusal(400, "invalid_request_error"), requests: 1, endedMs: 0, code: "provider" },
  {
    what: "a 400 that may be retried",
    reply: refusal(400, "odd_error", { "x-should-retry": "true" }),
    requests: 2,
    endedMs: 200,
    code: "provider",
  },
  { what: "a 401", reply: refusal(401, "authentication_error"), requests: 1, endedMs: 0, code: "authentication" },
  { what: "a 429 that names no time", reply: refusal(429, "rate_limit_error"), requests: 1, endedMs: 0, code: "rate_limit" },
  {
    what: "a 429 for a second",
    reply: refusal(429, "rate_limit_error", { "retry-after": "1" }),
    requests: 2,
    endedMs: 1000,
    code: "rate_limit",
  },
  {
    what: "a 429 for longer",
    reply: refusal(429, "rate_limit_error", { "retry-after": "2" }),
    requests: 1,
    endedMs: 0,
    code: "rate_limit",
  },
  {
    what: "a 429 for some ms",
    reply: refusal(429, "rate_limit_error", { "retry-after": "9", "retry-after-ms": "70" }),
    requests: 2,
    endedMs: 70,
    code: "rate_limit",
  },
  {
    what: "a 529 until a date",
    reply: refusal(529, "overloaded_error", { "retry-after": "Thu, 01 Jan 2026 00:00:01 GMT" }),
    requests: 2,
    endedMs: 1000,
    code: "provider",
  },
  {
    what: "a 529 until a date gone by",
    reply: refusal(529, "overloaded_error", { "retry-after": "Thu, 01 Jan 2015 00:00:00 GMT" }),
    requests: 2,
    endedMs: 0,
    code: "provider",
  },
])("$what ends in an error after $endedMs ms and $requests requests", async ({ reply, requests, endedMs, code }) => {
  const model = new Model([reply]);
  const outcome = await model.answer();
  expect(outcome.error).toBeInstanceOf(ProviderError);
  expect(outcome).toMatchObject({ endedMs, error: { code, provider: "example" } });
  expect(model.vendor.bodies).toHaveLength(requests);
});

test.each<[string, Reply, string]>([
  ["a 529", refusal(529, "overloaded_error"), "overloaded_error"],
  ["an error in the stream", { steps: [{ prompt: 10 }, { error: "api_error" }] }, "api_error"],
  ["silence", {}, "timeout"],
  ["an answer cut short", { steps: ["eof"] }, "protocol"],
  ["a lost connection", { steps: ["reset"] }, "provider"],
])("%s before any content is answered by one more request, and done says why", async (_what, reply, reason) => {
  const { chunks } = await new Model([reply, { steps: ANSWER }]).answer();
  expect(textOf(chunks)).toBe("Hi");
  expect(chunks.at(-1)).toMatchObject({ retries: [reason], requestId: "req_1" });
});

/** A stream of thinking that has no end. */
const ENDLESS_THINKING: readonly Step[] = Array.from({ length: 30 }, () => [{ thinking: true }, 1000] as const).flat();
const TURNS_OF_THINKING: readonly Step[] = Array.from(
  { length: 30 },
  () => [{ thinking: true }, 1000, { thinking: false }, 1000] as const,
).flat();

test.each<[string, readonly Step[], number]>([
  ["thinking in pieces", ENDLESS_THINKING, 14_000],
  ["one thought behind the other", TURNS_OF_THINKING, 14_000],
])("%s is waited for no longer than one long thought, before content and behind it", async (_what, steps, endedMs) => {
  for (const before of [[], [{ text: "Hi" }, 3000]] as const) {
    const { error, endedMs: tookMs } = await new Model([{ steps: [...before, ...steps] }]).answer();
    expect(error).toMatchObject({ code: "timeout" });
    expect(tookMs).toBe(endedMs + (before.length === 0 ? 0 : 3000));
  }
});

test("the deadline of an answer stands for all its requests until something has been said", async () => {
  const slow: Reply = { headersAfterMs: 3000, steps: [{ prompt: 1 }, 3000, { end: "pause" }, "eof"] };
  const model = new Model([slow], { followUp: () => ({ reason: "paused", body: "on" }) });
  const { error, endedMs, chunks } = await model.answer();
  expect(error).toMatchObject({ code: "timeout" });
  expect([chunks, endedMs]).toEqual([[], 14_000]);
  expect(model.vendor.atMs).toEqual([0, 6000, 12_000]);
});

test("what goes on behind content has a deadline of its own", async () => {
  const first: Reply = { headersAfterMs: 3000, steps: [{ prompt: 1 }, 7000, { text: "One. " }, { end: "pause" }, "eof"] };
  const silent: Reply = { headersAfterMs: 5000, steps: [{ prompt: 1 }] };
  const model = new Model([first, silent], {
    followUp: (_complete, earlier) => (earlier.length === 0 ? { reason: "paused", body: "on" } : undefined),
  });
  const { error, endedMs, chunks } = await model.answer();
  expect(textOf(chunks)).toBe("One. ");
  expect(error).toMatchObject({ code: "timeout" });
  // 5 s and 8 s of silence, and what is left for the one more request.
  expect(endedMs).toBe(24_000);
});

test("thinking may take longer than silence, before and within the text", async () => {
  const thinking: readonly Step[] = [{ thinking: true }, 12_000, { thinking: false }];
  const { chunks, error } = await new Model([{ steps: [...thinking, { text: "Hm." }, ...thinking, ...ANSWER] }]).answer();
  expect(error).toBeUndefined();
  expect(textOf(chunks)).toBe("Hm.Hi");
});

test("content that came before a failure is handed on first", async () => {
  const { chunks, error } = await new Model([
    { steps: [{ text: "Hi" }, { tool: "hours" }, { error: "overloaded_error" }] },
  ]).answer();
  expect(chunks).toEqual([
    { type: "text", content: "Hi" },
    { type: "tool_call", index: 0, name: "hours" },
  ]);
  expect(error).toMatchObject({ vendorCode: "overloaded_error", retryable: true });
});

test("a provider may say more about an error before it is thrown", async () => {
  const explain = (error: ProviderError) => new ProviderError(`${error.vendorCode}: use another.`, { provider: "example" });
  const { error } = await new Model([refusal(404, "not_found_error")], { explain }).answer();
  expect(error).toMatchObject({ message: "not_found_error: use another." });
});

test("a follow-up goes on in the same answer, with one done, and its tool calls are counted on", async () => {
  const first: readonly Step[] = [{ prompt: 100 }, { text: "One. " }, { tool: "a" }, { end: "pause" }];
  const then: readonly Step[] = [{ prompt: 150 }, { tool: "b" }, { text: "Two." }, { end: "end_turn" }];
  const model = new Model([{ steps: first }, { steps: then }], {
    followUp: ({ stopReason }, earlier) =>
      stopReason === "pause" ? { reason: "paused", body: `{"after":${earlier.length + 1}}` } : undefined,
  });
  const { chunks } = await model.answer();
  const requests = [
    { inputTokens: 100, outputTokens: 2 },
    { inputTokens: 150, outputTokens: 2 },
  ];
  const usage = { inputTokens: 250, outputTokens: 4, requests };
  expect(chunks).toEqual([
    { type: "text", content: "One. " },
    { type: "tool_call", index: 0, name: "a" },
    { type: "tool_call", index: 1, name: "b" },
    { type: "text", content: "Two." },
    expect.objectContaining({ type: "done", usage, retries: ["paused"], requestId: "req_1" }),
  ]);
  expect(model.vendor.bodies).toEqual(["{}", '{"after":1}']);
  expect(model.usages).toEqual([usage]);
});

test("an empty answer that is asked again takes the timing of the one with content", async () => {
  const empty: Reply = { headersAfterMs: 100, steps: [{ prompt: 100 }, { end: "end_turn" }, "eof"] };
  const model = new Model([empty, { headersAfterMs: 200, steps: ANSWER }], {
    followUp: ({ hasContent }, earlier) =>
      hasContent || earlier.length > 0 ? undefined : { reason: "empty_answer", body: "again" },
  });
  const { chunks } = await model.answer();
  expect(chunks.at(-1)).toMatchObject({ retries: ["empty_answer"], timing: { headersMs: 200, firstContentMs: 0 } });
});

test("an abort while a follow-up would begin sends none", async () => {
  const controller = new AbortController();
  const model = new Model([{ steps: [{ prompt: 1 }, { end: "end_turn" }, "eof"] }], {
    followUp: () => {
      controller.abort();
      return { reason: "empty_answer", body: "again" };
    },
  });
  const { chunks, error } = await model.answer({ signal: controller.signal });
  expect([chunks, error]).toEqual([[], undefined]);
  expect(model.vendor.bodies).toHaveLength(1);
});

test("answers collected over a stream that another reader began share nothing", async () => {
  const model = new Model([{ steps: ANSWER }]);
  const both = await model.clock.runUntil(Promise.all([collect(model.stream()), collect(model.stream())]));
  expect(both.map(textOf)).toEqual(["Hi", "Hi"]);
});
