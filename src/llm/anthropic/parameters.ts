import { ConfigError } from "../../core/errors.js";
import { EFFORTS, type ModelRules, modelRules } from "./models.js";
import { type AnthropicLLMOptions, type AnthropicThinking, CLASS_NAME } from "./options.js";
import type { Effort, WireParameters, WireThinking, WireToolChoice } from "./wire.js";

/** What every request of one provider has in common: what was asked for, as far as its model accepts it. */
export interface RequestSettings {
  readonly parameters: WireParameters;
  /** A tool's name in it is still the caller's own. */
  readonly toolChoice?: WireToolChoice;
  /** Whether a conversation may end with the model's own words; never while it thinks. */
  readonly acceptsPrefill: boolean;
  readonly acceptsMidCallSystem: boolean;
}

/** Tells something once per code. */
export type Warn = (code: string, message: string) => void;

/** Who will be asked. */
export interface RequestTarget {
  readonly model: string;
  /** Of the API, as its header says. */
  readonly version: string;
  readonly warn: Warn;
}

/** Where the options of one provider meet the rules of its model. */
interface Matter extends RequestTarget {
  readonly options: AnthropicLLMOptions;
  /** `undefined` for a model that is not known. */
  readonly rules: ModelRules | undefined;
}

const DEFAULT_MAX_TOKENS = 1024;
/** The first version of the API that takes no sampling for any model. */
const NO_SAMPLING_VERSION = "2026-10-21";
/** While a model thinks, `top_p` may be no lower. */
const MIN_THINKING_TOP_P = 0.95;

/**
 * Turns checked options into what is sent, so that no combination that is known to be refused goes out. What the model does not
 * accept is left out or replaced by the nearest it does accept, with a warning. Models that are not known get what was asked for.
 * @throws ConfigError for more tokens than the model can answer with, or a thinking budget that leaves none to speak.
 */
export function requestSettings(options: AnthropicLLMOptions, target: RequestTarget): RequestSettings {
  const { model } = target;
  const matter: Matter = { ...target, options, rules: modelRules(model) };
  const maxTokens = checkedMaxTokens(matter);
  const thinking = acceptedThinking(matter);
  const effort = acceptedEffort(matter, thinking);
  const toolChoice = acceptedToolChoice(matter, thinking);
  const { stopSequences = [], metadata } = options;
  return {
    parameters: {
      model,
      max_tokens: maxTokens,
      ...acceptedSampling(matter, thinking),
      ...(stopSequences.length === 0 ? {} : { stop_sequences: [...stopSequences] }),
      ...(metadata === undefined ? {} : { metadata: { user_id: metadata.userId } }),
      ...(thinking === undefined ? {} : { thinking }),
      ...(effort === undefined ? {} : { output_config: { effort } }),
    },
    ...(toolChoice === undefined ? {} : { toolChoice }),
    acceptsPrefill: matter.rules?.acceptsPrefill === true && thinking === undefined,
    acceptsMidCallSystem: matter.rules?.acceptsMidCallSystem === true,
  };
}

function checkedMaxTokens({ options, model, rules }: Matter): number {
  const { maxTokens = DEFAULT_MAX_TOKENS, thinking } = options;
  if (rules !== undefined && maxTokens > rules.maxOutputTokens)
    throw new ConfigError(
      `${CLASS_NAME} cannot use { maxTokens: ${maxTokens} }: ${model} answers with at most ${rules.maxOutputTokens} tokens.`,
    );
  if (typeof thinking === "object" && thinking.budgetTokens >= maxTokens)
    throw new ConfigError(
      `${CLASS_NAME} cannot think with { budgetTokens: ${thinking.budgetTokens} } within { maxTokens: ${maxTokens} }: pass more maxTokens, or fewer budgetTokens.`,
    );
  return maxTokens;
}

function acceptedThinking(matter: Matter): WireThinking | undefined {
  const { options, rules } = matter;
  const { thinking: wish } = options;
  if (rules === undefined) return wish === undefined ? undefined : wireThinking(wish);
  if (wish === undefined) return leastThinking(rules, options.effort);
  if (wish === "off" && rules.thinksByDefault === "no") return undefined;
  const asked = wireThinking(wish);
  if (rules.thinking.includes(asked.type)) return asked;
  const instead =
    asked.type === "enabled" && rules.thinking.includes("adaptive") ? ({ type: "adaptive" } as const) : leastThinking(rules);
  warnOfThinking(matter, instead);
  return instead;
}

function wireThinking(wish: AnthropicThinking): WireThinking {
  if (wish === "off") return { type: "disabled" };
  return typeof wish === "string" ? { type: wish } : { type: "enabled", budget_tokens: wish.budgetTokens };
}

/** The setting with which a model speaks soonest. An effort that needs thinking leaves it on. */
function leastThinking(rules: ModelRules, effort?: Effort): WireThinking | undefined {
  if (rules.thinksByDefault !== "yes") return undefined;
  if (effort !== undefined && !rules.effortsWithoutThinking.includes(effort)) return undefined;
  return { type: rules.thinking.includes("disabled") ? "disabled" : "between_tools" };
}

function warnOfThinking({ options, model, rules, warn }: Matter, instead: WireThinking | undefined): void {
  const used =
    instead === undefined
      ? `nothing is sent: the model ${rules?.thinksByDefault === "always" ? "always thinks" : "does not think"}`
      : `${JSON.stringify(instead)} is sent instead`;
  warn(
    "thinking_replaced",
    `${model} does not accept { thinking: ${JSON.stringify(options.thinking)} }; ${used}. Remove the option, or choose another model.`,
  );
}

function acceptedEffort({ options, model, rules, warn }: Matter, thinking: WireThinking | undefined): Effort | undefined {
  const { effort: wish } = options;
  if (rules === undefined) return wish;
  if (wish === undefined) return rules.thinksByDefault === "always" ? "low" : undefined;
  const isQuiet = thinking?.type === "disabled" || thinking?.type === "between_tools";
  const accepted = isQuiet ? rules.effortsWithoutThinking : rules.efforts;
  if (accepted.includes(wish)) return wish;
  const instead = accepted.findLast((effort) => EFFORTS.indexOf(effort) < EFFORTS.indexOf(wish));
  const used = instead === undefined ? "it is left out" : `"${instead}" is sent instead`;
  const where = isQuiet ? `${model} with { thinking: "${thinking.type}" }` : model;
  warn("effort_replaced", `${where} does not accept { effort: "${wish}" }; ${used}. Remove the option, or choose another model.`);
  return instead;
}

function acceptedSampling(matter: Matter, thinking: WireThinking | undefined): Pick<WireParameters, "temperature" | "top_p"> {
  const { options, model, rules, warn } = matter;
  const { temperature, topP } = options;
  const leaveOut = (name: string, value: number, reason: string): void =>
    warn(`${name}_left_out`, `{ ${name}: ${value} } is left out: ${reason}. Remove the option.`);
  const refusal = samplingRefusal(matter);
  if (refusal !== undefined) {
    if (temperature !== undefined) leaveOut("temperature", temperature, refusal);
    if (topP !== undefined) leaveOut("topP", topP, refusal);
    return {};
  }
  const isThinking = rules !== undefined && (thinking?.type === "enabled" || thinking?.type === "adaptive");
  const accepted: { temperature?: number; top_p?: number } = {};
  if (temperature !== undefined) {
    if (isThinking && temperature !== 1) leaveOut("temperature", temperature, "no model takes it while it thinks");
    else accepted.temperature = temperature;
  }
  if (topP !== undefined) {
    if (isThinking && topP < MIN_THINKING_TOP_P)
      leaveOut("topP", topP, `while a model thinks it must be at least ${MIN_THINKING_TOP_P}`);
    else if (accepted.temperature !== undefined && rules?.sampling === "one")
      leaveOut("topP", topP, `${model} takes it or temperature, not both`);
    else accepted.top_p = topP;
  }
  return accepted;
}

function samplingRefusal({ model, version, rules }: Matter): string | undefined {
  // Versions are dates: their order as texts is their order in time.
  if (version >= NO_SAMPLING_VERSION) return `version ${version} of the API takes it for no model`;
  return rules?.sampling === "none" ? `${model} does not take it` : undefined;
}

function acceptedToolChoice(
  { options, model, rules, warn }: Matter,
  thinking: WireThinking | undefined,
): WireToolChoice | undefined {
  const { toolChoice: wish, parallelToolCalls = true } = options;
  if (wish === "none") return { type: "none" };
  if (wish === undefined && parallelToolCalls) return undefined;
  const single = parallelToolCalls ? {} : { disable_parallel_tool_use: true as const };
  if (wish === undefined || wish === "auto") return { type: "auto", ...single };
  const isManual = thinking?.type === "enabled";
  if (isManual || rules?.acceptsForcedToolChoice === false) {
    const who = isManual ? `${model} with a thinking budget` : model;
    warn(
      "tool_choice_replaced",
      `${who} does not accept { toolChoice: ${JSON.stringify(wish)} }; "auto" is sent instead. Ask for the call in the system prompt, or choose another model.`,
    );
    return { type: "auto", ...single };
  }
  return wish === "any" ? { type: "any", ...single } : { type: "tool", name: wish.name, ...single };
}
