import { expect, test } from "vitest";
import type { Reply, Step } from "../../test/llm/scripted-fetch.js";
import { Model } from "../../test/llm/scripted-model.js";
import { textOf } from "../../test/llm/vendor.js";

const SILENT: Reply = { headersAfterMs: Number.POSITIVE_INFINITY };

/** Content after `afterMs`, and the whole answer with it. */
function answering(afterMs: number, text: string, prompt = 100): Reply {
  return { headersAfterMs: 10, steps: [{ prompt }, afterMs - 10, { text }, { end: "end_turn" }, "eof"] };
}

const failing = (afterMs: number, steps: readonly Step[] = [{ error: "overloaded_error" }]): Reply => ({
  steps: [afterMs, ...steps],
});

const hedged = (...replies: readonly Reply[]): Model => new Model(replies, { hedgeAfterMs: 800 });

test("an answer that begins in time is asked for once", async () => {
  const model = hedged(answering(700, "Hi"));
  const { chunks } = await model.answer();
  expect(model.vendor.bodies).toHaveLength(1);
  expect(chunks.at(-1)).not.toHaveProperty("retries");
});

test("a second request wins when its content comes first; the other is cut off and counted with its own prompt", async () => {
  const model = hedged(answering(5000, "slow", 90), answering(300, "fast"));
  const { chunks, endedMs } = await model.answer();
  expect(model.vendor.atMs).toEqual([0, 800]);
  expect(textOf(chunks)).toBe("fast");
  expect(endedMs).toBe(1100);
  expect(model.vendor.cancelled).toEqual([0]);
  const requests = [
    { inputTokens: 90, outputTokens: 0, isEstimated: true },
    { inputTokens: 100, outputTokens: 1 },
  ];
  const usage = { inputTokens: 190, outputTokens: 1, isEstimated: true, requests };
  expect(chunks.at(-1)).toMatchObject({
    retries: ["hedge"],
    requestId: "req_1",
    usage,
    timing: { headersMs: 10, firstContentMs: 290 },
  });
  expect(model.usages).toEqual([usage]);
});

test("the first request wins when it comes to itself; the second is counted with the winner's prompt", async () => {
  const model = hedged(answering(900, "first"), SILENT);
  const { chunks } = await model.answer();
  expect(textOf(chunks)).toBe("first");
  expect(model.vendor.cancelled).toEqual([1]);
  expect(model.usages).toMatchObject([{ inputTokens: 200, outputTokens: 1, isEstimated: true }]);
});

test.each<[string, Reply, Reply, string]>([
  ["first", failing(1000), answering(2000, "second"), "second"],
  ["second", answering(2000, "first"), failing(50), "first"],
])(
  "a failure of the %s request does not fail the answer while the other lives, and costs nothing",
  async (_which, first, second, text) => {
    const model = hedged(first, second);
    const { chunks, error } = await model.answer();
    expect(error).toBeUndefined();
    expect(textOf(chunks)).toBe(text);
    expect(model.usages).toEqual([{ inputTokens: 100, outputTokens: 1 }]);
  },
);

const empty = (afterMs: number): Reply => ({ steps: [{ prompt: 100 }, afterMs, { end: "end_turn" }, "eof"] });

test.each<[string, Reply, Reply, string]>([
  ["first", empty(1000), answering(2000, "second"), "second"],
  ["second", answering(2000, "first"), empty(50), "first"],
])("an empty answer to the %s request does not cut off the other, whose content is due", async (_which, first, second, text) => {
  const model = hedged(first, second);
  const { chunks } = await model.answer();
  expect(textOf(chunks)).toBe(text);
  expect(model.vendor.cancelled).toEqual([]);
  expect(model.usages).toMatchObject([{ inputTokens: 200, outputTokens: 1 }]);
});

test.each<[string, Reply, Reply, string]>([
  ["the second fails", empty(1000), failing(500), "req_0"],
  ["the first fails", failing(2000), empty(50), "req_1"],
  ["both are empty", empty(2000), empty(50), "req_0"],
])("an empty answer stands when %s", async (_when, first, second, requestId) => {
  const model = hedged(first, second);
  const { chunks, error } = await model.answer();
  expect(error).toBeUndefined();
  expect(chunks).toEqual([expect.objectContaining({ type: "done", requestId })]);
});

test("a model that thinks is not asked a second time, also when it has stopped thinking", async () => {
  const thinking: readonly Step[] = [{ prompt: 100 }, 100, { thinking: true }, 500, { thinking: false }];
  for (const steps of [thinking.slice(0, 3), thinking]) {
    const model = hedged({ steps: [...steps, 2000, { text: "Hm." }, { end: "end_turn" }, "eof"] });
    const { chunks } = await model.answer();
    expect(textOf(chunks)).toBe("Hm.");
    expect(model.vendor.bodies).toHaveLength(1);
  }
});

test("when both requests fail the answer fails with the first one's error, and is not asked for a third time", async () => {
  const model = hedged(failing(2000, [{ error: "api_error" }]), failing(100));
  const { error, endedMs } = await model.answer();
  expect(error).toMatchObject({ vendorCode: "api_error" });
  expect(endedMs).toBe(2000);
  expect(model.vendor.bodies).toHaveLength(2);
});

test("a request that fails before the second is sent is retried, without a hedge", async () => {
  const model = hedged(failing(100), answering(5000, "slow"));
  const { chunks } = await model.answer();
  expect(model.vendor.atMs).toEqual([0, 300]);
  expect(chunks.at(-1)).toMatchObject({ retries: ["overloaded_error"] });
});

test("nothing is sent beside or after a 429", async () => {
  const model = hedged({ status: 429, body: "{}" });
  const { error } = await model.answer();
  expect(error).toMatchObject({ code: "rate_limit" });
  await model.clock.advance(5000);
  expect(model.vendor.bodies).toHaveLength(1);
});

test("both requests stay silent no longer than one answer may", async () => {
  const model = hedged(SILENT);
  const { error, endedMs } = await model.answer();
  expect(error).toMatchObject({ code: "timeout" });
  expect(endedMs).toBe(6800);
});

test("an abort while two requests are on their way ends both", async () => {
  const model = hedged(answering(5000, "slow"), SILENT);
  const controller = new AbortController();
  model.clock.setTimer(1000, () => controller.abort());
  const { chunks, error, endedMs } = await model.answer({ signal: controller.signal });
  expect({ chunks, error, endedMs }).toEqual({ chunks: [], error: undefined, endedMs: 1000 });
  expect(model.vendor.cancelled).toEqual([0, 1]);
  expect(model.usages).toMatchObject([{ inputTokens: 200, outputTokens: 0, isEstimated: true }]);
});
