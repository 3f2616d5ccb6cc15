import { type AnthropicProblem, invalid } from "./errors.js";
import type { CheckedRequest } from "./validate.js";
import { schemaProblem, strictToolsProblem } from "./validate-strict-tools.js";
import type { AnthropicRequestTool } from "./wire.js";

const NAME = /^[a-zA-Z0-9_-]{1,64}$/;
const FIELDS = new Set([
  "type",
  "name",
  "description",
  "input_schema",
  "strict",
  "cache_control",
  "eager_input_streaming",
  "input_examples",
  "defer_loading",
  "allowed_callers",
]);

/** The fields of each choice. */
const CHOICE_FIELDS: ReadonlyMap<unknown, readonly string[]> = new Map([
  ["auto", ["type", "disable_parallel_tool_use"]],
  ["any", ["type", "disable_parallel_tool_use"]],
  ["tool", ["type", "name", "disable_parallel_tool_use"]],
  ["none", ["type"]],
]);

/** What is wrong with the tools and with the choice among them. */
export function toolsProblem(request: CheckedRequest): AnthropicProblem | undefined {
  const { tools } = request.body;
  if (tools !== undefined && !Array.isArray(tools)) return invalid("tools: Input should be a valid list");
  const list: readonly AnthropicRequestTool[] = tools ?? [];
  for (const [index, tool] of list.entries()) {
    const found = toolProblem(tool, `tools.${index}.custom`);
    if (found !== undefined) return found;
  }
  if (new Set(list.map(({ name }) => name)).size < list.length) return invalid("tools: Tool names must be unique.");
  return strictToolsProblem(list) ?? choiceProblem(request, list);
}

function toolProblem(given: AnthropicRequestTool, path: string): AnthropicProblem | undefined {
  const tool = Object(given) as AnthropicRequestTool;
  if (typeof tool.name !== "string" || !NAME.test(tool.name)) {
    return invalid(`${path}.name: String should match pattern '${NAME.source}'`);
  }
  const extra = Object.keys(tool).find((field) => !FIELDS.has(field));
  if (extra !== undefined) return invalid(`${path}.${extra}: Extra inputs are not permitted`);
  if (tool.description !== undefined && typeof tool.description !== "string") {
    return invalid(`${path}.description: Input should be a valid string`);
  }
  if (tool.strict !== undefined && tool.strict !== null && typeof tool.strict !== "boolean") {
    return invalid(`${path}.strict: Input should be a valid boolean`);
  }
  return schemaProblem(tool.input_schema, `${path}.input_schema`);
}

function choiceProblem(
  { body: { tool_choice: choice, thinking }, rules }: CheckedRequest,
  tools: readonly AnthropicRequestTool[],
): AnthropicProblem | undefined {
  if (choice === undefined) return undefined;
  if (tools.length === 0) return invalid("tool_choice may only be specified while providing tools");
  const allowed = CHOICE_FIELDS.get(choice?.type);
  if (allowed === undefined) {
    return invalid(`tool_choice: Input tag '${choice?.type}' found using 'type' does not match any of the expected tags`);
  }
  const extra = Object.keys(choice).find((field) => !allowed.includes(field));
  if (extra !== undefined) return invalid(`tool_choice.${choice.type}.${extra}: Extra inputs are not permitted`);
  if (typeof (choice.disable_parallel_tool_use ?? false) !== "boolean") {
    return invalid(`tool_choice.${choice.type}.disable_parallel_tool_use: Input should be a valid boolean`);
  }
  if (choice.type !== "any" && choice.type !== "tool") return undefined;
  if (choice.type === "tool" && !tools.some(({ name }) => name === choice.name)) {
    return invalid(`Tool '${choice.name}' not found in provided tools`);
  }
  if (!rules.forcedTools) return invalid(`tool_choice: type '${choice.type}' is not supported on this model`);
  return thinking?.type === "enabled" ? invalid("Thinking may not be enabled when tool_choice forces tool use.") : undefined;
}
