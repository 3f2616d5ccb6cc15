import { type AnthropicProblem, invalid, problem } from "./errors.js";
import { type ModelRules, modelRules } from "./model-rules.js";
import { promptTokens } from "./prompt-cache.js";
import { markerProblem } from "./validate-markers.js";
import { messagesProblem, systemProblem } from "./validate-messages.js";
import { parametersProblem } from "./validate-parameters.js";
import { toolsProblem } from "./validate-tools.js";
import type { AnthropicRequestBody } from "./wire.js";

/** A request together with what its model and its version accept. */
export interface CheckedRequest {
  readonly body: AnthropicRequestBody;
  readonly rules: ModelRules;
  /** The `anthropic-version` header. */
  readonly version: string;
}

const FIELDS = new Set([
  "model",
  "max_tokens",
  "messages",
  "system",
  "tools",
  "tool_choice",
  "stream",
  "stop_sequences",
  "temperature",
  "top_p",
  "top_k",
  "thinking",
  "output_config",
  "cache_control",
  "metadata",
  "service_tier",
  "inference_geo",
  "speed",
  "container",
  "diagnostics",
]);
/** Fields that a beta header brings. */
const BETA_FIELDS = new Set(["context_management", "mcp_servers", "betas", "thread"]);

/**
 * What the Messages API would refuse a request for, or undefined when it would accept it. Types, structure, the rules of
 * conversations, of cache markers and of the model; not the signatures of thinking, which only a server can know.
 */
export function validateMessagesRequest(
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): AnthropicProblem | undefined {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    return invalid("The request body is not valid JSON: expected an object");
  }
  // The checks below take nothing of it for granted that they have not looked at.
  const request = body as AnthropicRequestBody;
  if (hasLoneSurrogate(body)) return invalid("The request body is not valid JSON: no low surrogate in string");
  const structural = fieldsProblem(request, headers);
  if (structural !== undefined) return structural;
  const rules = modelRules(request.model ?? "");
  if (rules === undefined) return problem(404, `model: ${request.model}`);
  const checked = { body: request, rules, version: headers["anthropic-version"] ?? "2023-06-01" };
  return (
    systemProblem(checked) ??
    toolsProblem(checked) ??
    messagesProblem(checked) ??
    markerProblem(request) ??
    parametersProblem(checked) ??
    lengthProblem(checked)
  );
}

function fieldsProblem(body: AnthropicRequestBody, headers: Readonly<Record<string, string>>): AnthropicProblem | undefined {
  for (const field of ["model", "max_tokens", "messages"]) {
    if (body[field] === undefined) return invalid(`${field}: Field required`);
  }
  const hasBeta = headers["anthropic-beta"] !== undefined;
  const extra = Object.keys(body).find((field) => !FIELDS.has(field) && !(hasBeta && BETA_FIELDS.has(field)));
  if (extra !== undefined) return invalid(`${extra}: Extra inputs are not permitted`);
  if (typeof body.model !== "string") return invalid("model: Input should be a valid string");
  if (!Number.isInteger(body.max_tokens)) return invalid("max_tokens: Input should be a valid integer");
  if (!Array.isArray(body.messages)) return invalid("messages: Input should be a valid list");
  if (body.stream !== undefined && typeof body.stream !== "boolean") return invalid("stream: Input should be a valid boolean");
  return undefined;
}

/** Half of a character outside the basic plane, in a text or a name at any depth. */
function hasLoneSurrogate(value: unknown): boolean {
  if (typeof value === "string") return /\p{Surrogate}/u.test(value);
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(([name, item]) => hasLoneSurrogate(name) || hasLoneSurrogate(item));
}

function lengthProblem({ body, rules }: CheckedRequest): AnthropicProblem | undefined {
  const tokens = promptTokens(body);
  return tokens > rules.contextTokens
    ? invalid(`prompt is too long: ${tokens} tokens > ${rules.contextTokens} maximum`)
    : undefined;
}
