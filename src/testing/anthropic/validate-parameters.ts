import { type AnthropicProblem, invalid } from "./errors.js";
import type { ThinkingType } from "./model-rules.js";
import type { CheckedRequest } from "./validate.js";

const EFFORTS = ["low", "medium", "high", "xhigh", "max"];
const MIN_BUDGET_TOKENS = 1024;
/** The version of the API that has no sampling parameters. */
const WITHOUT_SAMPLING = "2026-10-21";

/** What is wrong with the settings beside the conversation. */
export function parametersProblem(request: CheckedRequest): AnthropicProblem | undefined {
  return (
    maxTokensProblem(request) ??
    thinkingProblem(request) ??
    effortProblem(request) ??
    samplingProblem(request) ??
    stopSequencesProblem(request) ??
    metadataProblem(request)
  );
}

function maxTokensProblem({ body, rules }: CheckedRequest): AnthropicProblem | undefined {
  const maxTokens = body.max_tokens as number;
  if (maxTokens < 0) return invalid("max_tokens: Input should be greater than or equal to 0");
  if (maxTokens > rules.maxOutputTokens) {
    return invalid(
      `max_tokens: ${maxTokens} > ${rules.maxOutputTokens}, which is the maximum allowed number of output tokens for ${body.model}`,
    );
  }
  if (maxTokens > 0) return undefined;
  const choice = body.tool_choice?.type;
  if (body.stream === true) return invalid("max_tokens: 0 is not supported with `stream: true`");
  if (body.thinking?.type === "enabled") return invalid("max_tokens: 0 is not supported with `thinking.type: enabled`");
  if ((body.output_config?.format ?? undefined) !== undefined)
    return invalid("max_tokens: 0 is not supported with `output_config.format`");
  return choice === "any" || choice === "tool"
    ? invalid(`max_tokens: 0 is not supported with \`tool_choice.type: ${choice}\``)
    : undefined;
}

const THINKING_FIELDS: Readonly<Record<ThinkingType, readonly string[]>> = {
  enabled: ["type", "budget_tokens", "display"],
  adaptive: ["type", "display", "block_binding"],
  disabled: ["type"],
  between_tools: ["type"],
};

function thinkingProblem({ body, rules }: CheckedRequest): AnthropicProblem | undefined {
  const { thinking } = body;
  if (thinking === undefined) return undefined;
  const { type } = Object(thinking) as { readonly type: ThinkingType };
  const fields = Object.hasOwn(THINKING_FIELDS, type) ? THINKING_FIELDS[type] : undefined;
  if (fields === undefined || (type === "between_tools" && !rules.thinking.includes(type))) {
    return invalid(`thinking: Input tag '${type}' found using 'type' does not match any of the expected tags`);
  }
  if (!rules.thinking.includes(type)) return invalid(UNSUPPORTED_THINKING[type]);
  const extra = Object.keys(thinking).find((field) => !fields.includes(field));
  if (extra !== undefined) return invalid(`thinking.${type}.${extra}: Extra inputs are not permitted`);
  const effort = body.output_config?.effort;
  if ((type === "disabled" || type === "between_tools") && (effort === "xhigh" || effort === "max")) {
    // Only models that think by default tie the two together.
    if (rules.defaultThinking === "adaptive") return invalid(`thinking.type: '${type}' is not supported with effort '${effort}'`);
  }
  return type === "enabled" ? budgetProblem(thinking.budget_tokens, body.max_tokens as number) : undefined;
}

const UNSUPPORTED_THINKING: Readonly<Record<ThinkingType, string>> = {
  adaptive: "adaptive thinking is not supported on this model",
  enabled:
    '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.',
  disabled: '"thinking.type.disabled" is not supported for this model.',
  between_tools: '"thinking.type.between_tools" is not supported for this model.',
};

function budgetProblem(budget: number | undefined, maxTokens: number): AnthropicProblem | undefined {
  if (budget === undefined) return invalid("thinking.enabled.budget_tokens: Field required");
  if (!(budget >= MIN_BUDGET_TOKENS)) {
    return invalid(`thinking.enabled.budget_tokens: Input should be greater than or equal to ${MIN_BUDGET_TOKENS}`);
  }
  return maxTokens > 0 && budget >= maxTokens
    ? invalid("`max_tokens` must be greater than `thinking.budget_tokens`.")
    : undefined;
}

function effortProblem({ body, rules }: CheckedRequest): AnthropicProblem | undefined {
  const { output_config: config } = body;
  if (config === undefined || config === null) return undefined;
  const extra = Object.keys(Object(config) as object).find((field) => field !== "effort" && field !== "format");
  if (extra !== undefined) return invalid(`output_config.${extra}: Extra inputs are not permitted`);
  const { effort } = config;
  if (effort === undefined || effort === null) return undefined;
  if (!EFFORTS.includes(effort)) {
    return invalid("output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'");
  }
  if (rules.efforts.length === 0) return invalid("This model does not support the effort parameter.");
  return rules.efforts.includes(effort) ? undefined : invalid(`This model does not support effort level '${effort}'.`);
}

function samplingProblem({ body, rules, version }: CheckedRequest): AnthropicProblem | undefined {
  const given = (["temperature", "top_p", "top_k"] as const).filter((name) => body[name] !== undefined);
  const [first] = given;
  if (first === undefined) return undefined;
  if (version >= WITHOUT_SAMPLING) return invalid(`${first}: Extra inputs are not permitted`);
  const wrong = given.find((name) => typeof body[name] !== "number");
  if (wrong !== undefined) return invalid(`${wrong}: Input should be a valid number`);
  const { temperature, top_p: topP, top_k: topK } = body;
  for (const name of ["temperature", "top_p"] as const) {
    const value = body[name] ?? 0;
    if (value < 0 || value > 1) return invalid(`${name}: range: 0..1`);
  }
  if (rules.sampling === "fixed") {
    const changed = given.find((name) => body[name] !== FIXED_SAMPLING[name]);
    if (changed !== undefined) return invalid(`\`${changed}\` is deprecated for this model.`);
  }
  if (temperature !== undefined && topP !== undefined) {
    return invalid("`temperature` and `top_p` cannot both be specified for this model. Please use only one.");
  }
  return (body.thinking?.type ?? rules.defaultThinking) === "disabled"
    ? undefined
    : samplingWhileThinking(temperature, topP, topK);
}

const FIXED_SAMPLING = { temperature: 1, top_p: 0.99, top_k: undefined };

function samplingWhileThinking(temperature = 1, topP = 1, topK?: number): AnthropicProblem | undefined {
  if (temperature !== 1) return invalid("`temperature` may only be set to 1 when thinking is enabled.");
  if (topP < 0.95) return invalid("`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled.");
  return topK === undefined ? undefined : invalid("`top_k` must be unset when thinking is enabled.");
}

function stopSequencesProblem({ body: { stop_sequences: sequences } }: CheckedRequest): AnthropicProblem | undefined {
  if (sequences === undefined) return undefined;
  if (!Array.isArray(sequences)) return invalid("stop_sequences: Input should be a valid list");
  const wrong = sequences.findIndex((sequence) => typeof sequence !== "string");
  if (wrong >= 0) return invalid(`stop_sequences.${wrong}: Input should be a valid string`);
  return sequences.some((sequence: string) => sequence.trim() === "")
    ? invalid("stop_sequences: each stop sequence must contain non-whitespace")
    : undefined;
}

function metadataProblem({ body: { metadata } }: CheckedRequest): AnthropicProblem | undefined {
  const given = Object(metadata ?? {}) as { readonly user_id?: unknown };
  const extra = Object.keys(given).find((field) => field !== "user_id");
  if (extra !== undefined) return invalid(`metadata.${extra}: Extra inputs are not permitted`);
  return typeof (given.user_id ?? "") === "string" ? undefined : invalid("metadata.user_id: Input should be a valid string");
}
