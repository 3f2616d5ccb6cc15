import type { CallCost } from "./call-cost.js";
import type { CallRecord, TurnRecord } from "./recorder.js";

/** What a call's models cost, in a line for a person; `undefined` when no model reported what it used. */
export function costLine({ providers, llmUsd }: CallCost): string | undefined {
  const used = providers.filter(({ cacheHitShare }) => cacheHitShare !== undefined);
  if (used.length === 0) return undefined;
  const total =
    llmUsd === undefined
      ? "unknown"
      : costText(
          llmUsd,
          used.some(({ isEstimated }) => isEstimated),
        );
  const alternative = publishedText(publishedUsd(providers));
  if (llmUsd === undefined && used.every(({ cacheHitShare }) => cacheHitShare === 0)) return "Cost of the model: unknown.";
  const shares = used.map(({ model, cacheHitShare = 0 }) => `${percent(cacheHitShare)}${used.length === 1 ? "" : ` (${model})`}`);
  return `Cost of the model: ${total}${alternative}. Prompts read from its cache: ${shares.join(", ")}.`;
}

/** What one turn cost: `93 % cached, $0.0012`. */
export function turnCostText({
  cacheHitShare,
  costUsd,
  published,
}: Pick<TurnRecord, "cacheHitShare" | "costUsd" | "published">): string | undefined {
  if (cacheHitShare === undefined) return undefined;
  const cost = costUsd === undefined ? "cost unknown" : usdText(costUsd);
  return `${percent(cacheHitShare)} cached, ${cost}${publishedText(published?.costUsd)}`;
}

/** How a call ended and what its models cost, for a log; without costs where no model reported what it used. */
export function endFigures({ endReason: reason, durationMs, cost }: CallRecord): object {
  const used = cost.providers.filter(({ cacheHitShare }) => cacheHitShare !== undefined);
  if (used.length === 0) return { reason, durationMs };
  const published = publishedUsd(cost.providers);
  return {
    reason,
    durationMs,
    llmUsd: cost.llmUsd === undefined ? "unknown" : rounded(cost.llmUsd),
    ...(published !== undefined && { publishedLlmUsd: rounded(published) }),
    cacheHitShares: Object.fromEntries(
      used.map(({ model, cacheHitShare = 0 }) => [model, Math.round(cacheHitShare * 100) / 100]),
    ),
  };
}

/** To a millionth of a dollar: sums of floating-point numbers end in noise. */
function rounded(usd: number): number {
  return Math.round(usd * 1e6) / 1e6;
}

function publishedText(usd: number | undefined): string {
  return usd === undefined ? "" : ` (${usdText(usd)} at the vendor's published price)`;
}

/** All models at their vendors' published prices, where that is not what they are counted at. */
function publishedUsd(providers: CallCost["providers"]): number | undefined {
  if (providers.every(({ published }) => published === undefined)) return undefined;
  const amounts = providers.map(({ published, costUsd }) => published?.costUsd ?? costUsd);
  return amounts.some((amount) => amount === undefined)
    ? undefined
    : amounts.reduce<number>((sum, amount) => sum + (amount ?? 0), 0);
}

function costText(costUsd: number, isEstimated: boolean | undefined): string {
  return `${isEstimated ? "about " : ""}${usdText(costUsd)}`;
}

/** `$0.0123`; `under $0.0001` rather than a rounded nothing. */
function usdText(usd: number): string {
  if (usd > 0 && usd < 0.0001) return "under $0.0001";
  return usd === 0 ? "$0" : `$${usd.toFixed(usd >= 1 ? 2 : 4)}`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
