import { expect, test } from "vitest";
import { IDENTITY, type Reply, type Step } from "../../test/llm/scripted-fetch.js";
import { Model } from "../../test/llm/scripted-model.js";
import { textOf } from "../../test/llm/vendor.js";
import { systemClock } from "../core/clock.js";
import type { LlmUsage } from "../core/llm.js";
import { HttpClient } from "./http.js";

const SILENT: Reply = { headersAfterMs: Number.POSITIVE_INFINITY };
const ANSWER: readonly Step[] = [{ prompt: 100 }, { text: "Hi" }, { end: "end_turn" }, "eof"];

interface Case {
  readonly when: string;
  readonly replies: readonly Reply[];
  readonly text: string;
  readonly usage: LlmUsage | undefined;
}

/** What a request that was sent is taken to cost before the vendor has said anything: four characters of its body to a token. */
const ESTIMATE: LlmUsage = { inputTokens: 30, outputTokens: 0, isEstimated: true };
const BODY = JSON.stringify({ messages: "x".repeat(120 - '{"messages":""}'.length) });

const CASES: readonly Case[] = [
  { when: "before the headers", replies: [SILENT], text: "", usage: ESTIMATE },
  { when: "before the first event", replies: [{}], text: "", usage: ESTIMATE },
  {
    when: "before the first content",
    replies: [{ steps: [{ prompt: 100 }] }],
    text: "",
    usage: { inputTokens: 100, outputTokens: 0, isEstimated: true },
  },
  {
    when: "while the model thinks",
    replies: [{ steps: [{ prompt: 100 }, { thinking: true }] }],
    text: "",
    usage: { inputTokens: 100, outputTokens: 0, isEstimated: true },
  },
  {
    when: "within the text",
    replies: [{ steps: [{ prompt: 100 }, { text: "Hel" }] }],
    text: "Hel",
    usage: { inputTokens: 100, outputTokens: 1, isEstimated: true },
  },
  {
    when: "within a tool call",
    replies: [{ steps: [{ prompt: 100 }, { tool: "hours" }] }],
    text: "",
    usage: { inputTokens: 100, outputTokens: 1, isEstimated: true },
  },
  {
    when: "between two requests",
    replies: [{ status: 529, headers: { "retry-after": "1" }, body: "{}" }, { steps: ANSWER }],
    text: "",
    usage: undefined,
  },
];

test.each(CASES)(
  "an abort $when ends the iteration at once, without an error, and cancels the request",
  async ({ replies, text, usage }) => {
    const model = new Model(replies, { body: BODY });
    const controller = new AbortController();
    model.clock.setTimer(500, () => controller.abort(new Error("barge-in")));
    const { chunks, error, endedMs } = await model.answer({ signal: controller.signal });
    expect({ text: textOf(chunks), error, endedMs }).toEqual({ text, error: undefined, endedMs: 500 });
    expect(model.usages).toEqual(usage === undefined ? [] : [usage]);
    expect(model.vendor.bodies).toHaveLength(1);
    if (replies.length === 1) expect(model.vendor.cancelled).toEqual([0]);
  },
);

test.each(CASES)("ending the iteration $when, while a chunk is awaited, does the same", async ({ replies, usage }) => {
  const model = new Model(replies, { body: BODY });
  const stream = model.stream();
  const reading = (async () => {
    let last = await stream.next();
    while (last.done !== true) last = await stream.next();
    return last;
  })();
  await model.clock.advance(500);
  expect(await model.clock.runUntil(stream.return())).toEqual({ value: undefined, done: true });
  expect(await reading).toEqual({ value: undefined, done: true });
  await model.clock.advance(0);
  expect(model.clock.pendingTimers).toBe(0);
  expect(model.usages).toEqual(usage === undefined ? [] : [usage]);
  expect(model.vendor.bodies).toHaveLength(1);
});

test("an answer that is waited for in vain is reported as well, a request that finds no connection is not", async () => {
  const late = new Model([SILENT], { body: BODY });
  expect(await late.answer()).toMatchObject({ error: { code: "timeout" } });
  expect(late.usages).toEqual([{ inputTokens: 60, outputTokens: 0, isEstimated: true, requests: [ESTIMATE, ESTIMATE] }]);
  const usages: LlmUsage[] = [];
  await using http = new HttpClient(IDENTITY);
  const lost = new Model([SILENT], { http, url: "http://127.0.0.1:1/" });
  const controller = new AbortController();
  const reading = lost.stream({ signal: controller.signal, clock: systemClock, onUsage: (usage) => usages.push(usage) }).next();
  await expect(reading).rejects.toMatchObject({ code: "provider" });
  expect(usages).toEqual([]);
});

test("a request whose answer never came is taken to have had the prompt of the same request that was answered", async () => {
  const model = new Model([SILENT, { steps: ANSWER }], { body: BODY });
  const { chunks } = await model.answer();
  const usage: LlmUsage = {
    inputTokens: 200,
    outputTokens: 1,
    isEstimated: true,
    requests: [
      { inputTokens: 100, outputTokens: 0, isEstimated: true },
      { inputTokens: 100, outputTokens: 1 },
    ],
  };
  expect(chunks.at(-1)).toMatchObject({ retries: ["timeout"], usage });
  expect(model.usages).toEqual([usage]);
});

test("nothing more comes after an abort, also of what arrived together", async () => {
  const model = new Model([{ steps: [{ prompt: 100 }, { text: "one" }, { text: "two" }, { end: "end_turn" }, "eof"] }]);
  const controller = new AbortController();
  const stream = model.stream({ signal: controller.signal });
  await model.clock.runUntil(stream.next());
  controller.abort();
  expect(await stream.next()).toEqual({ value: undefined, done: true });
  expect(model.usages).toHaveLength(1);
});

test("an abort before the start sends nothing, and one after the end changes nothing", async () => {
  const model = new Model([{ steps: ANSWER }]);
  expect(await model.answer({ signal: AbortSignal.abort() })).toMatchObject({ chunks: [] });
  expect(model.vendor.bodies).toHaveLength(0);
  const controller = new AbortController();
  const { chunks } = await model.answer({ signal: controller.signal });
  controller.abort();
  await model.clock.advance(1000);
  expect(chunks.at(-1)).toMatchObject({ type: "done" });
  expect(model.vendor.cancelled).toEqual([]);
  expect(model.usages).toEqual([{ inputTokens: 100, outputTokens: 1 }]);
});

test("breaking off the loop cancels the request and reports usage once", async () => {
  const model = new Model([{ steps: [{ prompt: 100 }, { text: "Hel" }] }]);
  const breaking = async (): Promise<void> => {
    for await (const _chunk of model.stream()) break;
  };
  await model.clock.runUntil(breaking());
  expect(model.vendor.cancelled).toEqual([0]);
  expect(model.usages).toEqual([{ inputTokens: 100, outputTokens: 1, isEstimated: true }]);
});

test("a stream that nobody reads sends nothing and listens to nothing", () => {
  const model = new Model([{ steps: ANSWER }]);
  const { signal, listeners } = countedSignal();
  model.stream({ signal });
  expect(listeners()).toBe(0);
  expect(model.vendor.bodies).toHaveLength(0);
});

test("a thousand answers, whole, broken off and failed, leave no listener on a signal that outlives them", async () => {
  const { signal, listeners } = countedSignal();
  const replies: readonly Reply[] = [{ steps: ANSWER }, { status: 400, body: "{}" }, { steps: [{ text: "Hi" }, "eof"] }];
  for (let count = 0; count < 1000; count++) {
    const model = new Model([replies[count % 3] as Reply]);
    if (count % 4 === 0) {
      const stream = model.stream({ signal });
      await model.clock.runUntil(stream.next()).catch(() => {});
      await stream.return();
    } else await model.answer({ signal });
  }
  expect(listeners()).toBe(0);
});

/** A signal that never aborts, and the number of its listeners. */
function countedSignal(): { readonly signal: AbortSignal; readonly listeners: () => number } {
  const { signal } = new AbortController();
  let count = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    count++;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    count--;
    remove(...args);
  };
  return { signal, listeners: () => count };
}
