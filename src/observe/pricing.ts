import { ConfigError } from "../core/errors.js";
import type { LlmUsage } from "../core/llm.js";
import { promptTokens } from "../core/llm-usage.js";
import { matchModelName } from "../core/model-name.js";
import { checkOptionNames, showValue } from "../core/option-names.js";
import { FREE_PROVIDERS, LLM_PRICES, type LlmPrice, type LlmRates, type LongPromptRates } from "./prices.js";

/** A model's rates as you know them, in USD per million tokens. */
export interface RateOverride extends Partial<LlmRates> {
  /** Other rates for requests with a long prompt. What is left out here is as above. */
  readonly longPrompt?: Partial<LlmRates> & Pick<LongPromptRates, "aboveTokens">;
}

/**
 * Rates by model, in place of the built-in ones. A name stands for its snapshots and its resellers' spellings, as
 * everywhere: `claude-haiku-4-5` is also `claude-haiku-4-5-20251001` and `anthropic/claude-haiku-4.5`. What is left out
 * of a known model's rates stays as it is. A model that is not known needs `input` and `output`; where a cache rate
 * is missing, a request that used the cache has no known cost. The rates hold for prompts of every size unless
 * `longPrompt` is given.
 */
export type PriceOverrides = Readonly<Record<string, RateOverride>>;

/**
 * Where a price is from. `specification`: this library's specification, where that differs from the vendor's list;
 * `published`: the vendor's list; `override`: the `pricing` option; `free`: it runs in this process and asks nobody.
 */
export type PriceSource = "specification" | "published" | "override" | "free" | "unknown";

/** What one answer of a model cost. */
export interface LlmCost {
  /** Absent when it is not known. */
  readonly costUsd?: number;
  readonly priceSource: PriceSource;
  /** At the vendor's published rates, where the price is not from there. */
  readonly published?: { readonly costUsd: number };
  /** What the prompt would have cost more without a cache; below 0 where more was written than was ever read. */
  readonly savedUsd?: number;
  /** The tokens were estimated, as after an abort. */
  readonly isEstimated?: true;
}

/** The rates that hold for a model. */
export interface ModelPrice extends Pick<LlmPrice, "rates" | "longPrompt"> {
  readonly priceSource: PriceSource;
  readonly published?: LlmPrice["published"];
}

const RATE_NAMES = ["input", "output", "cacheRead", "cacheWrite5m", "cacheWrite1h"] as const satisfies (keyof LlmRates)[];
/** An alias stands for the model, whichever snapshot the id names. */
const LATEST = /-latest$/;
const FREE: ModelPrice = {
  rates: { input: 0, output: 0, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0 },
  priceSource: "free",
};

/** Knows what models cost: the built-in prices, dated and sourced in `LLM_PRICES`, and your own before them. */
export class Pricing {
  readonly #overrides: ReadonlyMap<string, ModelPrice>;

  /** @throws ConfigError for a rate that is no amount, and for an unknown model without `input` and `output`. */
  constructor(overrides: PriceOverrides = {}) {
    if (typeof overrides !== "object" || overrides === null || Array.isArray(overrides))
      throw new ConfigError(
        'pricing takes rates by model: { "claude-opus-4-7": { input: 5, output: 25, cacheRead: 0.5, cacheWrite5m: 6.25, cacheWrite1h: 10 } }. What is left out of a known model\'s rates stays as it is.',
      );
    this.#overrides = new Map(
      Object.entries(overrides).map(([name, override]) => [name.replace(LATEST, ""), overriddenPrice(name, override)]),
    );
  }

  /**
   * The price of a provider's model, by the longest name that the model's id stands for; `undefined` when there is
   * none. The built-in prices are the vendors'; they also stand for a reseller of the model, which may charge others.
   */
  priceOf(provider: string, model: string): ModelPrice | undefined {
    const name = this.#overrides.has(model) ? model : matchModelName(model, this.#overrides.keys());
    if (name !== undefined) return this.#overrides.get(name);
    if (FREE_PROVIDERS.includes(provider)) return FREE;
    return knownPrice(model);
  }

  /** What an answer cost. Its `requests` are priced apart where it took several: some prices depend on the size of a request. */
  costOf(provider: string, model: string, usage: LlmUsage): LlmCost {
    const price = this.priceOf(provider, model);
    return totalCost((usage.requests ?? [usage]).map((request) => requestCost(price, request)));
  }
}

function requestCost(price: ModelPrice | undefined, usage: LlmUsage): LlmCost {
  const rates = price && ratesFor(price, usage);
  const costUsd = rates && costAt(rates, usage);
  const estimated = usage.isEstimated === true ? ({ isEstimated: true } as const) : {};
  if (price === undefined || rates === undefined || costUsd === undefined)
    return { priceSource: price?.priceSource ?? "unknown", ...estimated };
  const publishedUsd = price.published && costAt(price.published.rates, usage);
  return {
    costUsd,
    priceSource: price.priceSource,
    ...(publishedUsd !== undefined && { published: { costUsd: publishedUsd } }),
    savedUsd: savedAt(rates, usage),
    ...estimated,
  };
}

/** The cost of several requests to one model, of which there is at least one. */
export function totalCost(requests: readonly LlmCost[]): LlmCost {
  const costUsd = sumKnown(requests.map((request) => request.costUsd));
  const savedUsd = sumKnown(requests.map((request) => request.savedUsd));
  const publishedUsd = sumKnown(requests.map((request) => request.published?.costUsd));
  return {
    priceSource: requests[0]?.priceSource ?? "unknown",
    ...(costUsd !== undefined && { costUsd }),
    ...(publishedUsd !== undefined && { published: { costUsd: publishedUsd } }),
    ...(savedUsd !== undefined && { savedUsd }),
    ...(requests.some((request) => request.isEstimated) && { isEstimated: true }),
  };
}

/** The sum of amounts; `undefined` when one of them is. */
export function sumKnown(amounts: readonly (number | undefined)[]): number | undefined {
  let total = 0;
  for (const amount of amounts) {
    if (amount === undefined) return undefined;
    total += amount;
  }
  return total;
}

function knownPrice(model: string): LlmPrice | undefined {
  const name = matchModelName(
    model,
    LLM_PRICES.map((price) => price.model),
  );
  return LLM_PRICES.find((price) => price.model === name);
}

function overriddenPrice(name: string, override: RateOverride): ModelPrice {
  const where = `pricing["${name}"]`;
  const known = knownPrice(name);
  const own = checkedRates(where, override, ["longPrompt"]);
  const rates = complete(where, { ...known?.rates, ...own });
  const longPrompt = override.longPrompt ? longPromptRates(where, override.longPrompt, rates) : known?.longPrompt;
  return {
    rates,
    ...(longPrompt && { longPrompt: override.longPrompt ? longPrompt : { ...longPrompt, ...own } }),
    priceSource: "override",
  };
}

function longPromptRates(where: string, longPrompt: NonNullable<RateOverride["longPrompt"]>, rates: LlmRates): LongPromptRates {
  const own = checkedRates(`${where}.longPrompt`, longPrompt, ["aboveTokens"]);
  const { aboveTokens } = longPrompt;
  if (!Number.isSafeInteger(aboveTokens) || aboveTokens < 0)
    throw new ConfigError(
      `${where}.longPrompt.aboveTokens is ${showValue(aboveTokens)}: pass a number of tokens, such as 100000.`,
    );
  return { ...rates, ...own, aboveTokens };
}

/** The rates that were given, each an amount. */
function checkedRates(where: string, rates: Partial<LlmRates>, more: readonly string[]): Partial<LlmRates> {
  // The compatible API prices speech and telephony so.
  checkOptionNames(rates, { where, known: [...RATE_NAMES, ...more], notBuilt: ["unit", "price", "models"] });
  const given = RATE_NAMES.filter((name) => rates[name] !== undefined);
  for (const name of given)
    if (!(Number.isFinite(rates[name]) && (rates[name] as number) >= 0))
      throw new ConfigError(`${where}.${name} is ${showValue(rates[name])}: pass USD per million tokens, 0 or more.`);
  return Object.fromEntries(given.map((name) => [name, rates[name]]));
}

function complete(where: string, { input, output, ...cache }: Partial<LlmRates>): LlmRates {
  if (input === undefined || output === undefined) {
    const missing = input === undefined ? "input" : "output";
    throw new ConfigError(`${where} has no ${missing}: a model without a known price needs both input and output.`);
  }
  return { input, output, ...cache };
}

function ratesFor({ rates, longPrompt }: ModelPrice, usage: LlmUsage): LlmRates {
  return longPrompt !== undefined && promptTokens(usage) > longPrompt.aboveTokens ? longPrompt : rates;
}

/** In USD; `undefined` when tokens of a kind without a rate were used. */
function costAt(rates: LlmRates, usage: LlmUsage): number | undefined {
  const { inputTokens, outputTokens, cacheReadTokens = 0, cacheWrite5mTokens = 0, cacheWrite1hTokens = 0 } = usage;
  const amounts = [
    inputTokens * rates.input,
    outputTokens * rates.output,
    cacheReadTokens === 0 ? 0 : cacheReadTokens * (rates.cacheRead ?? Number.NaN),
    cacheWrite5mTokens === 0 ? 0 : cacheWrite5mTokens * (rates.cacheWrite5m ?? Number.NaN),
    cacheWrite1hTokens === 0 ? 0 : cacheWrite1hTokens * (rates.cacheWrite1h ?? Number.NaN),
  ];
  const total = amounts.reduce((sum, amount) => sum + amount, 0) / 1e6;
  return Number.isNaN(total) ? undefined : total;
}

function savedAt(rates: LlmRates, usage: LlmUsage): number {
  const uncached = { inputTokens: promptTokens(usage), outputTokens: usage.outputTokens };
  return (costAt(rates, uncached) ?? 0) - (costAt(rates, usage) ?? 0);
}
