/** What one model accepts and how it counts, after the API's documentation of November 2026. */
export interface ModelRules {
  readonly id: string;
  readonly name: string;
  /** Snapshots of the same model. */
  readonly snapshots: readonly string[];
  /** The shortest beginning that is cached, in tokens. */
  readonly minimumCachedTokens: number;
  readonly contextTokens: number;
  readonly maxOutputTokens: number;
  /** `one` of temperature and top_p; `fixed`: only the default values. */
  readonly sampling: "one" | "fixed";
  readonly thinking: readonly ThinkingType[];
  readonly defaultThinking: ThinkingType;
  readonly efforts: readonly string[];
  readonly defaultEffort: string;
  /** Accepts a last message of the assistant, to be continued. */
  readonly prefill: boolean;
  /** Accepts `role: "system"` inside messages. */
  readonly midCallSystem: boolean;
  /** Accepts `tool_choice` of type `any` and `tool`. */
  readonly forcedTools: boolean;
  /** Forgets earlier turns' thinking at each new text of the user. */
  readonly forgetsThinking: boolean;
  /** Signs thinking together with everything before it. */
  readonly bindsThinking: boolean;
  readonly deprecated: boolean;
}

export type ThinkingType = "disabled" | "enabled" | "adaptive" | "between_tools";

const ALL_EFFORTS = ["low", "medium", "high", "xhigh", "max"];

/** 4.5: manual thinking, prefill, one sampling parameter of two. */
const GENERATION_4_5 = {
  snapshots: [],
  minimumCachedTokens: 4096,
  contextTokens: 200_000,
  maxOutputTokens: 64_000,
  sampling: "one",
  thinking: ["disabled", "enabled"],
  defaultThinking: "disabled",
  efforts: [],
  defaultEffort: "high",
  prefill: true,
  midCallSystem: false,
  forcedTools: true,
  forgetsThinking: true,
  bindsThinking: false,
  deprecated: false,
} as const;

/** 4.6: no prefill, adaptive beside manual thinking, a long context. */
const GENERATION_4_6 = {
  ...GENERATION_4_5,
  contextTokens: 1_000_000,
  maxOutputTokens: 128_000,
  thinking: ["disabled", "enabled", "adaptive"],
  efforts: ["low", "medium", "high", "max"],
  prefill: false,
  forgetsThinking: false,
} as const;

/** From Opus 4.7 on: no manual thinking, no sampling. */
const GENERATION_4_7 = {
  ...GENERATION_4_6,
  minimumCachedTokens: 2048,
  sampling: "fixed",
  thinking: ["disabled", "adaptive"],
  efforts: ALL_EFFORTS,
} as const;

/** 5: thinks by default. */
const GENERATION_5 = { ...GENERATION_4_7, defaultThinking: "adaptive", minimumCachedTokens: 512, midCallSystem: true } as const;

/** Models that always think. */
const ALWAYS_THINKING = { ...GENERATION_5, thinking: ["adaptive"], forcedTools: false } as const;

/** Every model that is offered. What 5.2 accepts is not published; it is taken to be what 5.1 does. */
const MODELS: readonly ModelRules[] = [
  { ...GENERATION_4_5, id: "claude-haiku-4-5", name: "Claude Haiku 4.5", snapshots: ["claude-haiku-4-5-20251001"] },
  {
    ...GENERATION_4_5,
    id: "claude-sonnet-4-5",
    name: "Claude Sonnet 4.5",
    snapshots: ["claude-sonnet-4-5-20250929"],
    minimumCachedTokens: 1024,
    deprecated: true,
  },
  {
    ...GENERATION_4_5,
    id: "claude-opus-4-5",
    name: "Claude Opus 4.5",
    snapshots: ["claude-opus-4-5-20251101"],
    efforts: ["low", "medium", "high"],
    forgetsThinking: false,
  },
  { ...GENERATION_4_6, id: "claude-sonnet-4-6", name: "Claude Sonnet 4.6", minimumCachedTokens: 1024 },
  { ...GENERATION_4_6, id: "claude-opus-4-6", name: "Claude Opus 4.6" },
  { ...GENERATION_4_7, id: "claude-opus-4-7", name: "Claude Opus 4.7" },
  { ...GENERATION_4_7, id: "claude-opus-4-8", name: "Claude Opus 4.8", minimumCachedTokens: 1024, midCallSystem: true },
  { ...GENERATION_5, id: "claude-sonnet-5", name: "Claude Sonnet 5", minimumCachedTokens: 1024 },
  { ...GENERATION_5, id: "claude-opus-5", name: "Claude Opus 5" },
  {
    ...GENERATION_5,
    id: "claude-haiku-5-5",
    name: "Claude Haiku 5.5",
    defaultEffort: "medium",
    bindsThinking: true,
  },
  {
    ...GENERATION_5,
    id: "claude-sonnet-5-5",
    name: "Claude Sonnet 5.5",
    thinking: ["adaptive", "between_tools"],
    forcedTools: false,
    bindsThinking: true,
  },
  {
    ...ALWAYS_THINKING,
    id: "claude-opus-5-5",
    name: "Claude Opus 5.5",
    defaultEffort: "medium",
    bindsThinking: true,
  },
  { ...ALWAYS_THINKING, id: "claude-fable-5", name: "Claude Fable 5" },
  { ...ALWAYS_THINKING, id: "claude-mythos-5", name: "Claude Mythos 5" },
  { ...ALWAYS_THINKING, id: "claude-fable-5-1", name: "Claude Fable 5.1", bindsThinking: true },
  { ...ALWAYS_THINKING, id: "claude-mythos-5-1", name: "Claude Mythos 5.1", bindsThinking: true },
  { ...ALWAYS_THINKING, id: "claude-fable-5-2", name: "Claude Fable 5.2", bindsThinking: true },
  { ...ALWAYS_THINKING, id: "claude-mythos-5-2", name: "Claude Mythos 5.2", bindsThinking: true },
];

/** The rules of a model by its name or a snapshot's; none for a model that is unknown or retired. */
export function modelRules(id: string): ModelRules | undefined {
  return MODELS.find((model) => model.id === id || model.snapshots.includes(id));
}

/** The models that `GET /v1/models` lists, the newest first. */
export function offeredModels(): readonly ModelRules[] {
  return MODELS.toReversed();
}
