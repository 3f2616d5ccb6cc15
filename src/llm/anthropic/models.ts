import { matchModelName } from "../../core/model-name.js";
import type { Effort, WireThinking } from "./wire.js";

/** What one family of models accepts, and what it does when nothing is said. */
export interface ModelRules {
  /** Which of `temperature` and `top_p` a request may set. */
  readonly sampling: "any" | "one" | "none";
  /** Whether the model thinks when nothing is said. `always`: it cannot be turned off. */
  readonly thinksByDefault: "no" | "yes" | "always";
  /** The forms of `thinking` that are accepted. */
  readonly thinking: readonly WireThinking["type"][];
  /** The levels of `output_config.effort`, from the lowest; empty where the field is refused. */
  readonly efforts: readonly Effort[];
  /** The levels that are accepted while thinking is `disabled` or `between_tools`. */
  readonly effortsWithoutThinking: readonly Effort[];
  /** Whether a conversation may end with the model's own words. */
  readonly acceptsPrefill: boolean;
  /** Whether a tool call may be demanded. */
  readonly acceptsForcedToolChoice: boolean;
  /** Whether instructions may stand between messages. */
  readonly acceptsMidCallSystem: boolean;
  /** Shorter prompts are never cached. */
  readonly cacheMinTokens: number;
  readonly maxOutputTokens: number;
  readonly retired?: Retirement;
}

/** The end of a model, as announced for the vendor's own API. */
export interface Retirement {
  /** The day from which requests fail, as `2026-02-19`; it may lie ahead. */
  readonly date: string;
  /** A model of the same tier that takes its place. */
  readonly successor: string;
}

/** No model caches shorter prompts, in tokens. */
export const LOWEST_CACHE_MINIMUM = 512;

const TO_HIGH = ["low", "medium", "high"] as const;
/** Every level, from the lowest. */
export const EFFORTS = [...TO_HIGH, "xhigh", "max"] as const;

/** The model of a provider that names none. */
export const DEFAULT_MODEL = "claude-haiku-4-5-20251001";
const SONNET = "claude-sonnet-4-6";
const OPUS = "claude-opus-4-8";

const CLAUDE_3: ModelRules = {
  sampling: "any",
  thinksByDefault: "no",
  thinking: [],
  efforts: [],
  effortsWithoutThinking: [],
  acceptsPrefill: true,
  acceptsForcedToolChoice: true,
  acceptsMidCallSystem: false,
  cacheMinTokens: 1024,
  maxOutputTokens: 4096,
};
const CLAUDE_3_5: ModelRules = { ...CLAUDE_3, maxOutputTokens: 8192 };
const CLAUDE_4: ModelRules = { ...CLAUDE_3, thinking: ["disabled", "enabled"], maxOutputTokens: 64_000 };
const CLAUDE_4_5: ModelRules = { ...CLAUDE_4, sampling: "one" };
const CLAUDE_4_6: ModelRules = {
  ...CLAUDE_4_5,
  thinking: ["disabled", "adaptive", "enabled"],
  efforts: [...TO_HIGH, "max"],
  effortsWithoutThinking: [...TO_HIGH, "max"],
  acceptsPrefill: false,
  maxOutputTokens: 128_000,
};
const CLAUDE_4_7: ModelRules = {
  ...CLAUDE_4_6,
  sampling: "none",
  thinking: ["disabled", "adaptive"],
  efforts: EFFORTS,
  effortsWithoutThinking: EFFORTS,
};
const CLAUDE_5: ModelRules = { ...CLAUDE_4_7, thinksByDefault: "yes", effortsWithoutThinking: TO_HIGH };
const ALWAYS_THINKING: ModelRules = {
  ...CLAUDE_5,
  thinksByDefault: "always",
  thinking: ["adaptive"],
  effortsWithoutThinking: [],
  acceptsForcedToolChoice: false,
  acceptsMidCallSystem: true,
  cacheMinTokens: LOWEST_CACHE_MINIMUM,
};

/**
 * The models that are known, as of 2026-11-22. Sources: the vendor's pages on prompt caching, thinking, effort, tool use,
 * models and their deprecation, the migration guides of the 5 and 5.5 models, and the types of its SDK 1.12.
 */
const MODELS: Readonly<Record<string, ModelRules>> = {
  "claude-haiku-5-5": { ...CLAUDE_5, cacheMinTokens: LOWEST_CACHE_MINIMUM },
  "claude-haiku-4-5": { ...CLAUDE_4_5, cacheMinTokens: 4096 },
  "claude-3-5-haiku": { ...CLAUDE_3_5, cacheMinTokens: 2048, retired: { date: "2026-02-19", successor: DEFAULT_MODEL } },
  "claude-3-haiku": { ...CLAUDE_3, cacheMinTokens: 2048, retired: { date: "2026-04-20", successor: DEFAULT_MODEL } },

  "claude-sonnet-5-5": {
    ...CLAUDE_5,
    thinking: ["adaptive", "between_tools"],
    acceptsForcedToolChoice: false,
    cacheMinTokens: LOWEST_CACHE_MINIMUM,
  },
  "claude-sonnet-5": CLAUDE_5,
  "claude-sonnet-4-6": CLAUDE_4_6,
  "claude-sonnet-4-5": { ...CLAUDE_4_5, retired: { date: "2026-11-30", successor: SONNET } },
  "claude-sonnet-4": { ...CLAUDE_4, retired: { date: "2026-06-15", successor: SONNET } },
  "claude-sonnet-4-0": { ...CLAUDE_4, retired: { date: "2026-06-15", successor: SONNET } },
  "claude-3-7-sonnet": { ...CLAUDE_4, retired: { date: "2026-02-19", successor: SONNET } },
  "claude-3-5-sonnet": { ...CLAUDE_3_5, retired: { date: "2025-10-28", successor: SONNET } },
  "claude-3-sonnet": { ...CLAUDE_3, retired: { date: "2025-07-21", successor: SONNET } },

  "claude-opus-5-5": ALWAYS_THINKING,
  "claude-opus-5": { ...CLAUDE_5, acceptsMidCallSystem: true, cacheMinTokens: LOWEST_CACHE_MINIMUM },
  "claude-opus-4-8": { ...CLAUDE_4_7, acceptsMidCallSystem: true },
  "claude-opus-4-7": { ...CLAUDE_4_7, cacheMinTokens: 2048 },
  "claude-opus-4-6": { ...CLAUDE_4_6, cacheMinTokens: 4096 },
  "claude-opus-4-5": { ...CLAUDE_4_5, efforts: TO_HIGH, effortsWithoutThinking: TO_HIGH, cacheMinTokens: 4096 },
  "claude-opus-4-1": {
    ...CLAUDE_4,
    sampling: "one",
    maxOutputTokens: 32_000,
    retired: { date: "2026-08-05", successor: OPUS },
  },
  "claude-opus-4": { ...CLAUDE_4, maxOutputTokens: 32_000, retired: { date: "2026-06-15", successor: OPUS } },
  "claude-opus-4-0": { ...CLAUDE_4, maxOutputTokens: 32_000, retired: { date: "2026-06-15", successor: OPUS } },
  "claude-3-opus": { ...CLAUDE_3, retired: { date: "2026-01-05", successor: OPUS } },

  "claude-fable-5-2": ALWAYS_THINKING,
  "claude-fable-5-1": ALWAYS_THINKING,
  "claude-fable-5": ALWAYS_THINKING,
  "claude-mythos-5-2": ALWAYS_THINKING,
  "claude-mythos-5-1": ALWAYS_THINKING,
  "claude-mythos-5": ALWAYS_THINKING,
  "claude-mythos-preview": {
    ...ALWAYS_THINKING,
    efforts: [...TO_HIGH, "max"],
    acceptsMidCallSystem: false,
    cacheMinTokens: 2048,
    retired: { date: "2026-07-21", successor: "claude-mythos-5" },
  },
};

/** The names of the families, in the vendor's spelling. */
export const MODEL_NAMES: readonly string[] = Object.keys(MODELS);

/**
 * What a model accepts, by any of its ids: an alias, a snapshot, or the id of a reseller. `undefined` for one that is not
 * known: it is taken for a new one, which accepts what the user asks for but neither prefill nor instructions mid-call.
 */
export function modelRules(id: string): ModelRules | undefined {
  const name = matchModelName(id, MODEL_NAMES);
  return name === undefined ? undefined : MODELS[name];
}

/** When a model ends and what takes its place; `undefined` for one without an announced end. */
export function retiredModel(id: string): Retirement | undefined {
  return modelRules(id)?.retired;
}
