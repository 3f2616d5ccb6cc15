import type { LlmUsage } from "./llm.js";

const OPTIONAL_COUNTS = ["cacheReadTokens", "cacheWrite5mTokens", "cacheWrite1hTokens", "thinkingTokens"] as const;

/** The tokens of one answer, from those of its requests; `undefined` without any. */
export function answerUsage(requests: readonly LlmUsage[]): LlmUsage | undefined {
  const [first, ...others] = requests;
  if (first === undefined || others.length === 0) return first;
  return { ...others.reduce<LlmUsage>((sum, usage) => totalUsage(usage, sum), first), requests };
}

/** The tokens of two answers together, without their `requests`. A count that neither has stays absent; an estimate makes the sum one. */
export function totalUsage(a: LlmUsage, b: LlmUsage | undefined): LlmUsage {
  if (b === undefined) return a;
  const known = OPTIONAL_COUNTS.filter((name) => a[name] !== undefined || b[name] !== undefined);
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    ...Object.fromEntries(known.map((name) => [name, (a[name] ?? 0) + (b[name] ?? 0)])),
    ...((a.isEstimated || b.isEstimated) && { isEstimated: true }),
  };
}

/** All tokens of the prompt, cached or not. */
export function promptTokens(usage: LlmUsage): number {
  const { inputTokens, cacheReadTokens = 0, cacheWrite5mTokens = 0, cacheWrite1hTokens = 0 } = usage;
  return inputTokens + cacheReadTokens + cacheWrite5mTokens + cacheWrite1hTokens;
}

/** The share of the prompt that was read from the cache, 0 to 1; `undefined` without a prompt. */
export function cacheHitShare(usage: LlmUsage): number | undefined {
  const total = promptTokens(usage);
  return total === 0 ? undefined : (usage.cacheReadTokens ?? 0) / total;
}
