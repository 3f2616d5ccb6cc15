import { expect, test } from "vitest";
import { UsageMeter } from "./usage.js";

const START = {
  input_tokens: 10,
  output_tokens: 1,
  cache_read_input_tokens: 4000,
  cache_creation_input_tokens: 300,
  cache_creation: { ephemeral_5m_input_tokens: 200, ephemeral_1h_input_tokens: 100 },
  output_tokens_details: null,
};

test("counts are cumulative: the last that is not null stands, and what was written is split by its lifetime", () => {
  const meter = new UsageMeter();
  meter.start(START);
  meter.end({ input_tokens: 12, output_tokens: 7, cache_read_input_tokens: null, output_tokens_details: { thinking_tokens: 4 } });
  expect(meter.usage()).toEqual({
    inputTokens: 12,
    outputTokens: 7,
    cacheReadTokens: 4000,
    cacheWrite5mTokens: 200,
    cacheWrite1hTokens: 100,
    thinkingTokens: 4,
  });
  meter.end({ output_tokens: 9, cache_creation_input_tokens: 350 });
  expect(meter.usage()).toMatchObject({ outputTokens: 9, cacheWrite5mTokens: 250, cacheWrite1hTokens: 100 });
});

test("writes that are not split count as written for five minutes", () => {
  const meter = new UsageMeter();
  meter.start({ ...START, cache_creation: null });
  expect(meter.usage()).toMatchObject({ cacheWrite5mTokens: 300 });
  expect(meter.usage()).not.toHaveProperty("cacheWrite1hTokens");
});

test("before the end the output is estimated from what was written, and said to be", () => {
  const meter = new UsageMeter();
  expect(meter.usage()).toBeUndefined();
  meter.start(START);
  meter.wrote("Hello, how are you?");
  expect(meter.usage()).toMatchObject({ inputTokens: 10, outputTokens: 5, isEstimated: true });
  meter.end({ output_tokens: 6 });
  expect(meter.usage()).toMatchObject({ outputTokens: 6 });
  expect(meter.usage()).not.toHaveProperty("isEstimated");
});

test("a count that never came, or is no number, is left out", () => {
  const meter = new UsageMeter();
  meter.start(undefined);
  meter.end({ output_tokens: 3, cache_read_input_tokens: "many" });
  expect(meter.usage()).toEqual({ inputTokens: 0, outputTokens: 3 });
});
