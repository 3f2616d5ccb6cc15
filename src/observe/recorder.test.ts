import { afterEach, describe, expect, test, vi } from "vitest";
import type { CallEvent, CallEventBody } from "../core/call-event.js";
import type { LlmUsage } from "../core/llm.js";
import { Warnings } from "../core/warnings.js";
import { warnOfUnknownCosts } from "./call-cost.js";
import { costLine, endFigures, turnCostText } from "./cost-text.js";
import { Pricing } from "./pricing.js";
import { recordOf } from "./recorder.js";

const HAIKU = { provider: "anthropic", model: "claude-haiku-4-5-20251001" } as const;
const OPUS = { provider: "anthropic", model: "claude-opus-4-7" } as const;
const STRANGE = { provider: "anthropic", model: "claude-fable-5-2" } as const;

interface Names {
  readonly provider: string;
  readonly model: string;
}

function eventsOf(bodies: readonly (CallEventBody & { readonly turn?: number })[]): CallEvent[] {
  return bodies.map((body, sequence): CallEvent => ({ turn: 0, ...body, callId: "call", sequence, atMs: 100 * sequence }));
}

/** A caller's turn and the reply to it, with one request for each usage. */
function turn(number: number, names: Names, ...usages: readonly (LlmUsage | undefined)[]): CallEventBody[] {
  const bodies: CallEventBody[] = [
    { type: "turn_committed", transcript: "A table.", reason: "silence" },
    { type: "reply_started", reply: number, source: "llm" },
    ...usages.flatMap((usage): CallEventBody[] => [
      { type: "llm_requested", reply: number, ...names, messages: 2 },
      ...(usage ? [{ type: "llm_usage", reply: number, ...names, usage } as const] : []),
      { type: "llm_ended", reply: number, ...names },
    ]),
  ];
  return bodies.map((body) => ({ ...body, turn: number }));
}

const WARM: CallEventBody = {
  type: "llm_warmed_up",
  ...HAIKU,
  durationMs: 300,
  usage: { inputTokens: 10, outputTokens: 1, cacheWrite5mTokens: 5000 },
};
const DISCARDED: CallEventBody = {
  type: "speculation_discarded",
  ...HAIKU,
  usage: { inputTokens: 20, outputTokens: 8, cacheReadTokens: 5000, isEstimated: true },
};
const CALL = eventsOf([
  WARM,
  ...turn(1, HAIKU, { inputTokens: 100, outputTokens: 50, cacheReadTokens: 4900 }),
  DISCARDED,
  ...turn(
    2,
    HAIKU,
    { inputTokens: 200, outputTokens: 60, cacheReadTokens: 4800 },
    { inputTokens: 0, outputTokens: 40, cacheReadTokens: 5000 },
  ),
]);
/** USD, at the specification's 1, 5, 0.10 and 1.25 per million. */
const WARM_USD = (10 + 5 + 5000 * 1.25) / 1e6;
const FIRST_USD = (100 + 50 * 5 + 490) / 1e6;
const DISCARDED_USD = (20 + 8 * 5 + 500) / 1e6;
const SECOND_USD = (200 + 60 * 5 + 480 + 40 * 5 + 500) / 1e6;

afterEach(() => vi.restoreAllMocks());

describe("the cost of a call", () => {
  const { cost } = recordOf(CALL);

  test("is that of all its requests, the warm-up and what was thrown away included", () => {
    expect(cost.llmUsd).toBeCloseTo(WARM_USD + FIRST_USD + DISCARDED_USD + SECOND_USD, 12);
    expect(cost.providers).toHaveLength(1);
    expect(cost.providers[0]).toMatchObject({ stage: "llm", ...HAIKU, priceSource: "published", isEstimated: true });
    expect(cost.providers[0]?.cacheHitShare).toBeCloseTo(19_700 / 25_030, 12);
  });

  test("says what the cache saved", () => {
    const readMore = (4900 + 5000 + 4800 + 5000) * 0.9;
    expect(cost.providers[0]?.savedUsd).toBeCloseTo((readMore - 5000 * 0.25) / 1e6, 12);
  });

  test("stands beside the usage that it follows from", () => {
    expect(recordOf(CALL).usage).toEqual([
      {
        stage: "llm",
        ...HAIKU,
        requests: 5,
        tokens: { inputTokens: 330, outputTokens: 159, cacheReadTokens: 19_700, cacheWrite5mTokens: 5000, isEstimated: true },
      },
    ]);
  });

  test("is the same for the same events, stored or not", () => {
    const stored = JSON.parse(JSON.stringify(CALL)) as CallEvent[];
    expect(recordOf(stored)).toEqual(recordOf(CALL));
    expect(recordOf(stored, new Pricing({}))).toEqual(recordOf(CALL));
  });

  test("follows your own prices", () => {
    const free = { input: 0, output: 0, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0 };
    const { llmUsd, providers } = recordOf(CALL, new Pricing({ "claude-haiku-4-5": free })).cost;
    expect(llmUsd).toBe(0);
    expect(providers[0]?.priceSource).toBe("override");
  });

  test("carries the published price beside the specified one", () => {
    const usage = { inputTokens: 1000, outputTokens: 100 };
    const [found] = recordOf(eventsOf(turn(1, OPUS, usage, usage))).cost.providers;
    expect(found?.costUsd).toBeCloseTo(0.045, 12);
    expect(found?.published?.costUsd).toBeCloseTo(0.015, 12);
    expect(found?.priceSource).toBe("specification");
  });

  test("looks at the size of each request, not of the call", () => {
    const usage = { inputTokens: 60_000, outputTokens: 0 };
    const { llmUsd } = recordOf(eventsOf(turn(1, { ...HAIKU, model: "claude-haiku-5-5" }, usage, usage))).cost;
    expect(llmUsd).toBeCloseTo(0.012, 12);
  });

  test("is unknown when one model's is, and the other's is still told", () => {
    const usage = { inputTokens: 1000, outputTokens: 100 };
    const both = recordOf(eventsOf([...turn(1, HAIKU, usage), ...turn(2, STRANGE, usage)])).cost;
    expect(both).not.toHaveProperty("llmUsd");
    expect(both.providers[0]?.costUsd).toBeCloseTo(0.0015, 12);
    expect(both.providers[1]).toEqual({ stage: "llm", ...STRANGE, priceSource: "unknown", cacheHitShare: 0 });
  });

  test("is unknown, and not nothing, where a model does not say what it used", () => {
    const silent = recordOf(eventsOf(turn(1, { provider: "function", model: "answer" }, undefined)));
    expect(silent.cost).toEqual({ providers: [{ stage: "llm", provider: "function", model: "answer", priceSource: "unknown" }] });
  });

  test("is nothing where no model was asked, or only one that asks nobody", () => {
    expect(recordOf(eventsOf([{ type: "reply_started", reply: 0, source: "greeting" }])).cost).toEqual({
      providers: [],
      llmUsd: 0,
    });
    expect(recordOf(eventsOf(turn(1, { provider: "scripted", model: "restaurant" }, undefined))).cost).toMatchObject({
      providers: [{ costUsd: 0, priceSource: "free" }],
      llmUsd: 0,
    });
  });
});

describe("a turn", () => {
  test("has the tokens, the cache's share and the cost of its own requests", () => {
    const [first, second] = recordOf(CALL).turns;
    expect(first).toMatchObject({
      turn: 1,
      tokens: { inputTokens: 100, outputTokens: 50, cacheReadTokens: 4900 },
      cacheHitShare: 0.98,
    });
    expect(first?.costUsd).toBeCloseTo(FIRST_USD, 12);
    expect(second?.tokens).toEqual({ inputTokens: 200, outputTokens: 100, cacheReadTokens: 9800 });
    expect(second?.cacheHitShare).toBe(0.98);
    expect(second?.costUsd).toBeCloseTo(SECOND_USD, 12);
  });

  test("has no cost where the price is unknown, and no tokens where none were reported", () => {
    const [priced, silent] = recordOf(
      eventsOf([...turn(1, STRANGE, { inputTokens: 10, outputTokens: 1 }), ...turn(2, STRANGE, undefined)]),
    ).turns;
    expect(priced).toMatchObject({ tokens: { inputTokens: 10, outputTokens: 1 }, cacheHitShare: 0 });
    expect(priced).not.toHaveProperty("costUsd");
    for (const name of ["tokens", "cacheHitShare", "costUsd"]) expect(silent).not.toHaveProperty(name);
  });
});

describe("a warning of an unknown cost", () => {
  function warningsFor(names: Names, pricing = new Pricing()): string[] {
    const emitted = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const warnings = new Warnings("Pricing");
    const usage = { inputTokens: 10, outputTokens: 1, cacheReadTokens: 5 };
    for (const call of [1, 2, 3]) warnOfUnknownCosts(recordOf(eventsOf(turn(call, names, usage)), pricing).cost, warnings);
    return emitted.mock.calls.map(([message]) => String(message));
  }

  test("is given once for a model of a vendor whose prices are known", () => {
    const told = warningsFor(STRANGE);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(
      /^Pricing: no price of the anthropic model claude-fable-5-2 is known.*pricing: \{ "claude-fable-5-2"/,
    );
  });

  test("is given where your own price lacks a rate", () => {
    const told = warningsFor({ provider: "custom", model: "mine" }, new Pricing({ mine: { input: 1, output: 2 } }));
    expect(told).toHaveLength(1);
    expect(told[0]).toContain("mine used tokens of a kind that its price leaves out");
  });

  test("is not given for a local model, nor where the cost is known", () => {
    expect(warningsFor({ provider: "openai-compatible", model: "llama3.2:3b" })).toEqual([]);
    expect(warningsFor(HAIKU)).toEqual([]);
  });
});

describe("the line for a person", () => {
  const lineOf = (...bodies: readonly CallEventBody[]): string | undefined => costLine(recordOf(eventsOf(bodies)).cost);
  const usage = { inputTokens: 1000, outputTokens: 100, cacheReadTokens: 9000 };

  test("has the cost and the cache's share", () => {
    expect(lineOf(...turn(1, HAIKU, usage))).toBe("Cost of the model: $0.0024. Prompts read from its cache: 90 %.");
    expect(lineOf(...turn(1, HAIKU, { ...usage, isEstimated: true }))).toContain("about $0.0024");
  });

  test("has both prices where the specified one differs", () => {
    expect(lineOf(...turn(1, OPUS, usage))).toBe(
      "Cost of the model: $0.0360 ($0.0120 at the vendor's published price). Prompts read from its cache: 90 %.",
    );
  });

  test("tells several models' shares apart", () => {
    expect(lineOf(...turn(1, HAIKU, usage), ...turn(2, STRANGE, { inputTokens: 5, outputTokens: 5 }))).toBe(
      "Cost of the model: unknown. Prompts read from its cache: 90 % (claude-haiku-4-5-20251001), 0 % (claude-fable-5-2).",
    );
  });

  test("says unknown, and nothing where no tokens were used", () => {
    expect(lineOf(...turn(1, STRANGE, { inputTokens: 5, outputTokens: 5 }))).toBe("Cost of the model: unknown.");
    expect(lineOf(...turn(1, { provider: "scripted", model: "restaurant" }, undefined))).toBeUndefined();
  });

  test("of a turn does not round a cost to nothing", () => {
    expect(turnCostText({ cacheHitShare: 0.934, costUsd: 0.00001 })).toBe("93 % cached, under $0.0001");
    expect(turnCostText({ cacheHitShare: 0, costUsd: 1.5 })).toBe("0 % cached, $1.50");
    expect(turnCostText({ cacheHitShare: 0 })).toBe("0 % cached, cost unknown");
    expect(turnCostText({})).toBeUndefined();
  });

  test("of a turn has both prices where the specified one differs", () => {
    const [turnRecord] = recordOf(eventsOf(turn(1, OPUS, usage))).turns;
    expect(turnCostText(turnRecord ?? {})).toBe("90 % cached, $0.0360 ($0.0120 at the vendor's published price)");
  });

  test("of a call that logs end with has the figures, without what is not known", () => {
    const ended: CallEventBody = { type: "call_ended", reason: "caller_hung_up", durationMs: 12_345, endedAt: 0 };
    const figures = (...bodies: readonly CallEventBody[]) => endFigures(recordOf(eventsOf([...bodies, ended])));
    expect(figures(...turn(1, OPUS, usage))).toEqual({
      reason: "caller_hung_up",
      durationMs: 12_345,
      llmUsd: 0.036,
      publishedLlmUsd: 0.012,
      cacheHitShares: { "claude-opus-4-7": 0.9 },
    });
    expect(figures(...turn(1, STRANGE, { inputTokens: 5, outputTokens: 5 }))).toEqual({
      reason: "caller_hung_up",
      durationMs: 12_345,
      llmUsd: "unknown",
      cacheHitShares: { "claude-fable-5-2": 0 },
    });
    expect(figures()).toEqual({ reason: "caller_hung_up", durationMs: 12_345 });
  });
});
