import { describe, expect, test } from "vitest";
import { ConfigError } from "../core/errors.js";
import type { LlmUsage } from "../core/llm.js";
import { LLM_PRICES, type LlmRates } from "./prices.js";
import { type PriceOverrides, Pricing } from "./pricing.js";

const MILLION = 1_000_000;
const KINDS = {
  input: { inputTokens: MILLION, outputTokens: 0 },
  output: { inputTokens: 0, outputTokens: MILLION },
  cacheRead: { inputTokens: 0, outputTokens: 0, cacheReadTokens: MILLION },
  cacheWrite5m: { inputTokens: 0, outputTokens: 0, cacheWrite5mTokens: MILLION },
  cacheWrite1h: { inputTokens: 0, outputTokens: 0, cacheWrite1hTokens: MILLION },
} as const satisfies Record<keyof LlmRates, LlmUsage>;

function usd(model: string, usage: LlmUsage, pricing = new Pricing()): number | undefined {
  return pricing.costOf("anthropic", model, usage).costUsd;
}

describe("the specification's prices", () => {
  // Input, output, cache read, cache write, in USD per million tokens.
  test.each([
    ["claude-opus-4-7", 15, 75, 1.5, 18.75],
    ["claude-sonnet-4-6", 3, 15, 0.3, 3.75],
    ["claude-haiku-4-5", 1, 5, 0.1, 1.25],
  ])("%s costs %d, %d, %d and %d", (model, input, output, cacheRead, cacheWrite5m) => {
    expect(usd(model, KINDS.input)).toBe(input);
    expect(usd(model, KINDS.output)).toBe(output);
    expect(usd(model, KINDS.cacheRead)).toBe(cacheRead);
    expect(usd(model, KINDS.cacheWrite5m)).toBe(cacheWrite5m);
  });

  test("stand beside the published ones where they differ", () => {
    const cost = new Pricing().costOf("anthropic", "claude-opus-4-7", {
      inputTokens: 1000,
      outputTokens: 100,
      cacheReadTokens: 10_000,
    });
    expect(cost.priceSource).toBe("specification");
    expect(cost.costUsd).toBeCloseTo((1000 * 15 + 100 * 75 + 10_000 * 1.5) / MILLION, 12);
    expect(cost.published?.costUsd).toBeCloseTo((1000 * 5 + 100 * 25 + 10_000 * 0.5) / MILLION, 12);
  });

  test("write the 1-hour cache of claude-opus-4-7 at the price of Opus 4.1", () => {
    expect(usd("claude-opus-4-7", KINDS.cacheWrite1h)).toBe(30);
    expect(usd("claude-opus-4-1", KINDS.cacheWrite1h)).toBe(30);
  });

  test("have no second price where the vendor agrees", () => {
    for (const model of ["claude-sonnet-4-6", "claude-haiku-4-5"])
      expect(new Pricing().costOf("anthropic", model, KINDS.input)).toEqual({
        costUsd: expect.any(Number),
        priceSource: "published",
        savedUsd: 0,
      });
  });
});

describe("a price", () => {
  test.each([
    ["claude-haiku-5-5", [0.5, 2.5, 0.05, 0.625, 1]],
    ["claude-haiku-4-5-20251001", [1, 5, 0.1, 1.25, 2]],
    ["claude-sonnet-5-5", [2, 10, 0.1, 2.5, 4]],
    ["claude-sonnet-5", [2, 10, 0.2, 2.5, 4]],
    ["claude-sonnet-4-6", [3, 15, 0.3, 3.75, 6]],
    ["claude-sonnet-4-5-20250929", [3, 15, 0.3, 3.75, 6]],
    ["claude-opus-5-5", [4, 20, 0.2, 5, 8]],
    ["claude-opus-5", [5, 25, 0.5, 6.25, 10]],
    ["claude-opus-4-8", [5, 25, 0.5, 6.25, 10]],
    ["claude-opus-4-6", [5, 25, 0.5, 6.25, 10]],
    ["claude-opus-4-5-20251101", [5, 25, 0.5, 6.25, 10]],
    ["claude-opus-4-1-20250805", [15, 75, 1.5, 18.75, 30]],
    ["claude-opus-4-20250514", [15, 75, 1.5, 18.75, 30]],
    ["claude-fable-5-1", [10, 50, 0.25, 12.5, 20]],
    ["claude-mythos-5-1", [10, 50, 0.25, 12.5, 20]],
    ["claude-fable-5", [10, 50, 1, 12.5, 20]],
    ["claude-mythos-5", [10, 50, 1, 12.5, 20]],
    ["claude-3-5-sonnet-latest", [3, 15, 0.3, 3.75, 6]],
    ["claude-3-5-sonnet-20241022", [3, 15, 0.3, 3.75, 6]],
    ["claude-3-5-haiku-latest", [0.8, 4, 0.08, 1, 1.6]],
    ["claude-3-5-haiku-20241022", [0.8, 4, 0.08, 1, 1.6]],
    ["claude-3-haiku-20240307", [0.25, 1.25, 0.03, 0.3, 0.5]],
  ])("of %s has its own columns", (model, columns) => {
    // A million tokens of prompt are above every tier.
    const [input = 0, output = 0, ...cache] = columns;
    expect(usd(model, KINDS.input)).toBe(input);
    if (model !== "claude-haiku-5-5") expect(usd(model, KINDS.output)).toBe(output);
    expect([KINDS.cacheRead, KINDS.cacheWrite5m, KINDS.cacheWrite1h].map((kind) => usd(model, kind))).toEqual(cache);
  });

  test.each([
    "claude-haiku-4-5@20251001",
    "anthropic/claude-haiku-4.5",
    "us.anthropic.claude-haiku-4-5-20251001-v1:0",
    "global.anthropic.claude-haiku-4-5-20251001-v1:0",
    "publishers/anthropic/models/claude-haiku-4-5@20251001",
  ])("is found by a reseller's id: %s", (model) => {
    expect(usd(model, KINDS.input)).toBe(1);
  });

  test("of an answer that took two requests goes by the size of each", () => {
    const request = { inputTokens: 60_000, outputTokens: 10 };
    const usage = { inputTokens: 120_000, outputTokens: 20, requests: [request, { ...request, isEstimated: true }] };
    expect(new Pricing().costOf("anthropic", "claude-haiku-5-5", usage)).toMatchObject({
      costUsd: expect.closeTo(0.01201, 12) as number,
      isEstimated: true,
    });
  });

  test("is that of the model, whichever way it is asked", () => {
    expect(new Pricing().costOf("openai-compatible", "claude-haiku-4-5", KINDS.input).costUsd).toBe(1);
  });

  test.each(["claude-opus-5-6", "claude-haiku-4-50", "claude-fable-5-2", "claude-mythos-5-2", "claude-haiku-4-5-pro", "claude"])(
    "of %s is not known, and not nothing",
    (model) => {
      expect(new Pricing().costOf("anthropic", model, KINDS.input)).toEqual({ priceSource: "unknown" });
    },
  );

  test("of a local server's model is not known", () => {
    expect(new Pricing().priceOf("openai-compatible", "llama3.2:3b")).toBeUndefined();
  });

  test("is nothing where nobody is asked", () => {
    expect(new Pricing().costOf("scripted", "restaurant", KINDS.input)).toMatchObject({ costUsd: 0, priceSource: "free" });
  });

  test("names its source and its date", () => {
    for (const { model, source, asOf, rates, published } of LLM_PRICES) {
      expect(source, model).toMatch(/^https:/);
      expect(asOf, model).toMatch(/^20\d\d-\d\d(-\d\d)?$/);
      expect(Object.keys(rates).sort(), model).toEqual(["cacheRead", "cacheWrite1h", "cacheWrite5m", "input", "output"]);
      expect(published === undefined, model).toBe(model !== "claude-opus-4-7");
    }
    expect(new Set(LLM_PRICES.map(({ model }) => model)).size).toBe(LLM_PRICES.length);
  });
});

describe("the price by the size of the prompt", () => {
  const at = (tokens: Partial<LlmUsage>): number | undefined =>
    usd("claude-haiku-5-5", { inputTokens: 0, outputTokens: 1000, ...tokens });

  test("counts every token of the prompt, cached or not, and holds for the whole request", () => {
    const mixed = { cacheReadTokens: 90_000, cacheWrite5mTokens: 5000, cacheWrite1hTokens: 4000 };
    expect(at({ ...mixed, inputTokens: 1000 })).toBeCloseTo(
      (1000 * 0.1 + 1000 * 0.5 + 90_000 * 0.01 + 5000 * 0.125 + 4000 * 0.2) / MILLION,
      12,
    );
    expect(at({ ...mixed, inputTokens: 1001 })).toBeCloseTo(
      (1001 * 0.5 + 1000 * 2.5 + 90_000 * 0.05 + 5000 * 0.625 + 4000 * 1) / MILLION,
      12,
    );
  });

  test("does not count the answer", () => {
    expect(at({ inputTokens: 100_000, outputTokens: 50_000 })).toBeCloseTo((100_000 * 0.1 + 50_000 * 0.5) / MILLION, 12);
  });
});

describe("what the cache saved", () => {
  test("is the difference to the same prompt without it", () => {
    const usage = { inputTokens: 100, outputTokens: 50, cacheReadTokens: 5000 };
    expect(new Pricing().costOf("anthropic", "claude-haiku-4-5", usage).savedUsd).toBeCloseTo((5000 * 0.9) / MILLION, 12);
  });

  test("is below nothing while it is only written", () => {
    const usage = { inputTokens: 100, outputTokens: 50, cacheWrite5mTokens: 5000 };
    expect(new Pricing().costOf("anthropic", "claude-haiku-4-5", usage).savedUsd).toBeCloseTo((-5000 * 0.25) / MILLION, 12);
  });
});

test("an estimate stays one", () => {
  const usage = { inputTokens: 100, outputTokens: 50, isEstimated: true };
  expect(new Pricing().costOf("anthropic", "claude-haiku-4-5", usage).isEstimated).toBe(true);
  expect(new Pricing().costOf("anthropic", "claude-none", usage)).toEqual({ priceSource: "unknown", isEstimated: true });
});

describe("your own price", () => {
  const cost = (overrides: PriceOverrides, model: string, usage: LlmUsage, provider = "anthropic") =>
    new Pricing(overrides).costOf(provider, model, usage);

  test("replaces what it names, and says so", () => {
    const pricing = { "claude-opus-4-7": { input: 5, output: 25, cacheRead: 0.5, cacheWrite5m: 6.25, cacheWrite1h: 10 } };
    const found = cost(pricing, "us.anthropic.claude-opus-4-7-v1:0", KINDS.output);
    expect(found).toEqual({ costUsd: 25, priceSource: "override", savedUsd: 0 });
  });

  test("leaves the rest of a known model's rates as they are", () => {
    expect(cost({ "claude-haiku-4-5": { input: 0.5 } }, "claude-haiku-4-5", KINDS.input).costUsd).toBe(0.5);
    expect(cost({ "claude-haiku-4-5": { input: 0.5 } }, "claude-haiku-4-5", KINDS.output).costUsd).toBe(5);
  });

  test.each(["claude-haiku-4-5", "claude-haiku-4-5-latest", "claude-haiku-4-5-20251001", "anthropic/claude-haiku-4.5"])(
    "may be given as %s",
    (name) => {
      expect(cost({ [name]: { input: 0.5 } }, "claude-haiku-4-5-20251001", KINDS.input).costUsd).toBe(0.5);
    },
  );

  test("of a snapshot is not that of the next", () => {
    const pricing = { "claude-opus-4-1-20250805": { input: 7 }, "claude-opus-4-1": { input: 8 } };
    expect(cost(pricing, "claude-opus-4-1-20250805", KINDS.input).costUsd).toBe(7);
    expect(cost(pricing, "claude-opus-4-1-20260101", KINDS.input).costUsd).toBe(8);
    expect(cost({ "claude-opus-5": { input: 7 } }, "claude-opus-5-5", KINDS.input).costUsd).toBe(4);
  });

  test("makes an unknown model's cost known, a local server's too", () => {
    expect(cost({ "llama3.2": { input: 0, output: 0 } }, "llama3.2:3b", KINDS.output, "openai-compatible").costUsd).toBe(0);
  });

  test("leaves the cost unknown where a rate is missing that was needed", () => {
    const pricing = { "new-model": { input: 1, output: 2 } };
    expect(cost(pricing, "new-model", KINDS.input).costUsd).toBe(1);
    expect(cost(pricing, "new-model", KINDS.cacheRead)).toEqual({ priceSource: "override" });
  });

  test("holds for prompts of every size, unless it says otherwise", () => {
    const long = { inputTokens: 200_000, outputTokens: MILLION };
    expect(cost({ "claude-haiku-5-5": { input: 0.1 } }, "claude-haiku-5-5", long).costUsd).toBeCloseTo(0.02 + 2.5, 12);
    const tiered = { "new-model": { input: 1, output: 2, longPrompt: { aboveTokens: 1000, input: 3 } } };
    expect(cost(tiered, "new-model", long).costUsd).toBeCloseTo(0.6 + 2, 12);
    expect(cost(tiered, "new-model", { ...long, inputTokens: 1000 }).costUsd).toBeCloseTo(0.001 + 2, 12);
  });

  test.each([
    [
      "a price below 0",
      { "claude-opus-5": { input: -1 } },
      'pricing["claude-opus-5"].input is -1: pass USD per million tokens, 0 or more.',
    ],
    [
      "no number",
      { "claude-opus-5": { output: Number.NaN } },
      'pricing["claude-opus-5"].output is NaN: pass USD per million tokens, 0 or more.',
    ],
    [
      "text",
      { "claude-opus-5": { output: "25" } },
      'pricing["claude-opus-5"].output is "25": pass USD per million tokens, 0 or more.',
    ],
    [
      "a typo",
      { "claude-opus-5": { cacheread: 1 } },
      'There is no pricing["claude-opus-5"] option "cacheread": did you mean "cacheRead"?',
    ],
    [
      "a price of speech",
      { deepgram: { price: 0.005 } },
      'The pricing["deepgram"] option "price" is not supported yet: remove it.',
    ],
    [
      "half a price",
      { "new-model": { input: 1 } },
      'pricing["new-model"] has no output: a model without a known price needs both input and output.',
    ],
    ["no rates", { "claude-opus-5": 5 }, 'pricing["claude-opus-5"] takes its options as one object, not number.'],
    [
      "no size",
      { "claude-opus-5": { longPrompt: { input: 1 } } },
      'pricing["claude-opus-5"].longPrompt.aboveTokens is undefined: pass a number of tokens, such as 100000.',
    ],
    [
      "no object",
      5,
      'pricing takes rates by model: { "claude-opus-4-7": { input: 5, output: 25, cacheRead: 0.5, cacheWrite5m: 6.25, cacheWrite1h: 10 } }. What is left out of a known model\'s rates stays as it is.',
    ],
  ])("is refused: %s", (_what, overrides, message) => {
    const refused = (): Pricing => new Pricing(overrides as unknown as PriceOverrides);
    expect(refused).toThrow(ConfigError);
    expect(refused).toThrow(message);
  });
});
