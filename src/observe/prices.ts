/** USD per million tokens, each kind of token at its own rate: what caching costs and saves differs by model. */
export interface LlmRates {
  /** Prompt tokens that the cache had no part in. */
  readonly input: number;
  readonly output: number;
  /** A cache rate that is absent is not known. */
  readonly cacheRead?: number;
  readonly cacheWrite5m?: number;
  readonly cacheWrite1h?: number;
}

/** The rates of a whole request whose prompt, cached tokens included, has more than `aboveTokens` tokens. */
export interface LongPromptRates extends LlmRates {
  readonly aboveTokens: number;
}

/** What a model costs. */
export interface LlmPrice {
  /** Who sells it: the `provider` of its `LLM`. */
  readonly provider: string;
  /** The model's name without a date. */
  readonly model: string;
  readonly rates: LlmRates;
  /** Absent where prompts of every size cost the same. */
  readonly longPrompt?: LongPromptRates;
  /** `specification`: what this library's specification says; `published`: what the vendor does. */
  readonly priceSource: "specification" | "published";
  /** Where the rates stand. */
  readonly source: string;
  /** When they stood there: a month, or a day, in ISO 8601. */
  readonly asOf: string;
  /** The vendor's own rates, where the row differs from them. */
  readonly published?: { readonly rates: LlmRates; readonly source: string; readonly asOf: string };
}

/** Providers that run in this process and ask nobody: what they say costs nothing. */
export const FREE_PROVIDERS: readonly string[] = ["scripted"];

const PRICE_LIST = "https://platform.claude.com/docs/en/about-claude/pricing";

const LISTED = { provider: "anthropic", priceSource: "published", source: PRICE_LIST, asOf: "2026-09" } as const;
/** The last list with the models that were retired since. */
const RETIRED = {
  provider: "anthropic",
  priceSource: "published",
  source: "https://docs.anthropic.com/en/docs/about-claude/pricing",
  asOf: "2025-08",
} as const;

const OPUS_4_RATES: LlmRates = { input: 15, output: 75, cacheRead: 1.5, cacheWrite5m: 18.75, cacheWrite1h: 30 };
const OPUS_4_5_RATES: LlmRates = { input: 5, output: 25, cacheRead: 0.5, cacheWrite5m: 6.25, cacheWrite1h: 10 };
const OPUS_5_5_RATES: LlmRates = { input: 4, output: 20, cacheRead: 0.2, cacheWrite5m: 5, cacheWrite1h: 8 };
const SONNET_RATES: LlmRates = { input: 3, output: 15, cacheRead: 0.3, cacheWrite5m: 3.75, cacheWrite1h: 6 };
const SONNET_5_RATES: LlmRates = { input: 2, output: 10, cacheRead: 0.2, cacheWrite5m: 2.5, cacheWrite1h: 4 };
const SONNET_5_5_RATES: LlmRates = { input: 2, output: 10, cacheRead: 0.1, cacheWrite5m: 2.5, cacheWrite1h: 4 };
const HAIKU_4_5_RATES: LlmRates = { input: 1, output: 5, cacheRead: 0.1, cacheWrite5m: 1.25, cacheWrite1h: 2 };
const HAIKU_3_5_RATES: LlmRates = { input: 0.8, output: 4, cacheRead: 0.08, cacheWrite5m: 1, cacheWrite1h: 1.6 };
const HAIKU_3_RATES: LlmRates = { input: 0.25, output: 1.25, cacheRead: 0.03, cacheWrite5m: 0.3, cacheWrite1h: 0.5 };
const FABLE_5_RATES: LlmRates = { input: 10, output: 50, cacheRead: 1, cacheWrite5m: 12.5, cacheWrite1h: 20 };
const FABLE_5_1_RATES: LlmRates = { input: 10, output: 50, cacheRead: 0.25, cacheWrite5m: 12.5, cacheWrite1h: 20 };

/** The models whose price is known, newest first. */
export const LLM_PRICES: readonly LlmPrice[] = [
  {
    ...LISTED,
    model: "claude-haiku-5-5",
    rates: { input: 0.1, output: 0.5, cacheRead: 0.01, cacheWrite5m: 0.125, cacheWrite1h: 0.2 },
    longPrompt: {
      aboveTokens: 100_000,
      input: 0.5,
      output: 2.5,
      cacheRead: 0.05,
      cacheWrite5m: 0.625,
      cacheWrite1h: 1,
    },
    source: "https://platform.claude.com/docs/en/models/haiku-5-5/overview",
    asOf: "2026-10",
  },
  // Reading from the cache has cost half as much since 2026-10-07.
  {
    ...LISTED,
    model: "claude-sonnet-5-5",
    rates: SONNET_5_5_RATES,
    source: "https://platform.claude.com/docs/en/models/sonnet-5-5/migration-guide",
    asOf: "2026-10-07",
  },
  { ...LISTED, model: "claude-opus-5-5", rates: OPUS_5_5_RATES },
  { ...LISTED, model: "claude-fable-5-1", rates: FABLE_5_1_RATES },
  { ...LISTED, model: "claude-mythos-5-1", rates: FABLE_5_1_RATES },
  { ...LISTED, model: "claude-fable-5", rates: FABLE_5_RATES },
  { ...LISTED, model: "claude-mythos-5", rates: FABLE_5_RATES },
  { ...LISTED, model: "claude-opus-5", rates: OPUS_4_5_RATES },
  { ...LISTED, model: "claude-sonnet-5", rates: SONNET_5_RATES },
  { ...LISTED, model: "claude-opus-4-8", rates: OPUS_4_5_RATES },
  {
    provider: "anthropic",
    model: "claude-opus-4-7",
    // The specification names no price for writing the 1-hour cache; 30 is that of Opus 4.1, whose four other rates these are.
    rates: OPUS_4_RATES,
    priceSource: "specification",
    source: "https://docs.getpatter.com, Anthropic LLM, supported models",
    asOf: "2026-11",
    published: { rates: OPUS_4_5_RATES, source: PRICE_LIST, asOf: "2026-09" },
  },
  { ...LISTED, model: "claude-sonnet-4-6", rates: SONNET_RATES },
  { ...LISTED, model: "claude-opus-4-6", rates: OPUS_4_5_RATES },
  { ...LISTED, model: "claude-opus-4-5", rates: OPUS_4_5_RATES },
  { ...LISTED, model: "claude-haiku-4-5", rates: HAIKU_4_5_RATES },
  { ...LISTED, model: "claude-sonnet-4-5", rates: SONNET_RATES },
  { ...LISTED, model: "claude-opus-4-1", rates: OPUS_4_RATES },
  { ...LISTED, model: "claude-opus-4-0", rates: OPUS_4_RATES },
  { ...LISTED, model: "claude-opus-4", rates: OPUS_4_RATES },
  { ...RETIRED, model: "claude-sonnet-4-0", rates: SONNET_RATES },
  { ...RETIRED, model: "claude-sonnet-4", rates: SONNET_RATES },
  { ...RETIRED, model: "claude-3-7-sonnet", rates: SONNET_RATES },
  { ...RETIRED, model: "claude-3-5-sonnet", rates: SONNET_RATES },
  { ...RETIRED, model: "claude-3-5-haiku", rates: HAIKU_3_5_RATES },
  { ...RETIRED, model: "claude-3-opus", rates: OPUS_4_RATES },
  { ...RETIRED, model: "claude-3-haiku", rates: HAIKU_3_RATES },
];
