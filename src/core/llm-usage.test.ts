import { expect, test } from "vitest";
import { answerUsage, cacheHitShare, promptTokens, totalUsage } from "./llm-usage.js";

test("usage adds up, and a count that nobody gave stays absent", () => {
  const first = { inputTokens: 10, outputTokens: 2, cacheReadTokens: 5 };
  const second = { inputTokens: 1, outputTokens: 3, cacheWrite5mTokens: 7, isEstimated: true };
  expect(totalUsage(first, second)).toEqual({
    inputTokens: 11,
    outputTokens: 5,
    cacheReadTokens: 5,
    cacheWrite5mTokens: 7,
    isEstimated: true,
  });
  expect(totalUsage(first, undefined)).toBe(first);
});

test("the hit share counts all of the prompt", () => {
  const usage = { inputTokens: 10, outputTokens: 9, cacheReadTokens: 80, cacheWrite5mTokens: 6, cacheWrite1hTokens: 4 };
  expect(promptTokens(usage)).toBe(100);
  expect(cacheHitShare(usage)).toBe(0.8);
  expect(cacheHitShare({ inputTokens: 0, outputTokens: 0 })).toBeUndefined();
});

test("the usage of an answer lists its requests where it took more than one", () => {
  const first = { inputTokens: 10, outputTokens: 2, cacheReadTokens: 5 };
  const second = { inputTokens: 1, outputTokens: 3 };
  expect(answerUsage([])).toBeUndefined();
  expect(answerUsage([first])).toBe(first);
  const usage = answerUsage([first, second]);
  expect(usage).toEqual({ inputTokens: 11, outputTokens: 5, cacheReadTokens: 5, requests: [first, second] });
  expect(totalUsage(usage ?? first, second)).not.toHaveProperty("requests");
});
