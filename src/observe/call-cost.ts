import type { CallEvent } from "../core/call-event.js";
import type { LlmUsage } from "../core/llm.js";
import { cacheHitShare, totalUsage } from "../core/llm-usage.js";
import type { Warnings } from "../core/warnings.js";
import { LLM_PRICES } from "./prices.js";
import { type LlmCost, type Pricing, sumKnown, totalCost } from "./pricing.js";

/** What a call cost at one provider's model: its requests together, warm-ups and discarded ones included. */
export interface ProviderCost extends LlmCost {
  readonly stage: "llm";
  readonly provider: string;
  readonly model: string;
  /** The share of all prompts that was read from the cache, 0 to 1; absent without usage. */
  readonly cacheHitShare?: number;
}

/** What a call cost, as far as prices are known: language models. Speech and the carrier are not in it. */
export interface CallCost {
  readonly providers: readonly ProviderCost[];
  /** All language models together; absent when the cost of one of them is not known. */
  readonly llmUsd?: number;
}

/** The usage that an event reports of a language model, if any. */
export function llmUsageOf(event: CallEvent): { provider: string; model: string; usage: LlmUsage } | undefined {
  if (event.type !== "llm_usage" && event.type !== "llm_warmed_up" && event.type !== "speculation_discarded") return undefined;
  const { provider, model, usage } = event;
  return usage && { provider, model, usage };
}

/** Adds up what a call's language models cost. */
export function callCost(events: readonly CallEvent[], pricing: Pricing): CallCost {
  const costs = new Map<string, { provider: string; model: string; tokens?: LlmUsage; requests: LlmCost[] }>();
  for (const event of events) {
    const used = llmUsageOf(event);
    const asked = used ?? (event.type === "llm_requested" ? event : undefined);
    if (asked === undefined) continue;
    const { provider, model } = asked;
    const key = JSON.stringify([provider, model]);
    const known = costs.get(key) ?? { provider, model, requests: [] };
    costs.set(key, known);
    if (used === undefined) continue;
    known.tokens = totalUsage(used.usage, known.tokens);
    known.requests.push(pricing.costOf(provider, model, used.usage));
  }
  const providers = [...costs.values()].map(({ provider, model, tokens, requests }): ProviderCost => {
    const share = tokens && cacheHitShare(tokens);
    // A model that was asked and never said what it used has an unknown cost, unless it is free.
    const cost = requests.length > 0 ? totalCost(requests) : pricing.costOf(provider, model, NO_TOKENS);
    const isKnown = requests.length > 0 || cost.priceSource === "free";
    return {
      stage: "llm",
      provider,
      model,
      ...(isKnown ? cost : { priceSource: cost.priceSource }),
      ...(share !== undefined && { cacheHitShare: share }),
    };
  });
  const llmUsd = sumKnown(providers.map(({ costUsd }) => costUsd));
  return { providers, ...(llmUsd !== undefined && { llmUsd }) };
}

const NO_TOKENS: LlmUsage = { inputTokens: 0, outputTokens: 0 };

/**
 * Warns once of every model whose cost should be known and is not: those of a vendor whose prices are built in, and
 * those whose price was given without a rate that was needed. Other models, such as a local server's, were never
 * promised a price: their cost is unknown without a word.
 */
export function warnOfUnknownCosts({ providers }: CallCost, warnings: Warnings): void {
  for (const { provider, model, costUsd, priceSource } of providers) {
    if (costUsd !== undefined) continue;
    const advice = `pass serve({ pricing: { "${model}": { input, output, cacheRead, cacheWrite5m, cacheWrite1h } } }) in USD per million tokens.`;
    if (priceSource === "override")
      warnings.once(
        `unknown_price:${model}`,
        `${model} used tokens of a kind that its price leaves out, so its cost is unknown: ${advice}`,
      );
    else if (priceSource === "unknown" && LLM_PRICES.some((price) => price.provider === provider))
      warnings.once(
        `unknown_price:${model}`,
        `no price of the ${provider} model ${model} is known, so neither is its cost: ${advice}`,
      );
  }
}
