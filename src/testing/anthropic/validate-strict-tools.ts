import { type AnthropicProblem, invalid } from "./errors.js";
import type { AnthropicRequestTool } from "./wire.js";

const MAX_STRICT_TOOLS = 20;
const MAX_OPTIONAL_PARAMETERS = 24;
const MAX_UNION_PARAMETERS = 16;
/** What a strict tool's grammar cannot express. */
const UNSUPPORTED = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength"];

type Schema = Readonly<Record<string, unknown>>;

/** What is wrong with the root of a tool's input schema. */
export function schemaProblem(schema: unknown, path: string): AnthropicProblem | undefined {
  if (schema === undefined) return invalid(`${path}: Field required`);
  if (!isSchema(schema)) return invalid(`${path}: Input should be a valid dictionary`);
  if (schema["type"] === undefined) return invalid(`${path}.type: Field required`);
  return schema["type"] === "object" ? undefined : invalid(`${path}.type: Input should be 'object'`);
}

/** What strict tools may not be: too many, too free, or described by what the grammar lacks. */
export function strictToolsProblem(tools: readonly AnthropicRequestTool[]): AnthropicProblem | undefined {
  const strict = tools.map((tool, index) => ({ tool, index })).filter(({ tool }) => tool.strict === true);
  if (strict.length > MAX_STRICT_TOOLS) {
    return invalid(`tools: at most ${MAX_STRICT_TOOLS} strict tools are allowed. Found ${strict.length}.`);
  }
  const counts = { optional: 0, unions: 0 };
  for (const { tool, index } of strict) {
    const found = strictSchemaProblem(tool.input_schema ?? {}, `tools.${index}.custom.input_schema`, counts);
    if (found !== undefined) return found;
  }
  if (counts.optional > MAX_OPTIONAL_PARAMETERS) {
    return invalid(
      `tools: strict tools may have at most ${MAX_OPTIONAL_PARAMETERS} optional parameters. Found ${counts.optional}.`,
    );
  }
  return counts.unions > MAX_UNION_PARAMETERS
    ? invalid(`tools: strict tools may have at most ${MAX_UNION_PARAMETERS} parameters with union types. Found ${counts.unions}.`)
    : undefined;
}

function strictSchemaProblem(
  schema: Schema,
  path: string,
  counts: { optional: number; unions: number },
): AnthropicProblem | undefined {
  const unsupported = UNSUPPORTED.find((keyword) => schema[keyword] !== undefined);
  if (unsupported !== undefined) return invalid(`${path}: For strict tools, property '${unsupported}' is not supported`);
  const { $ref: reference } = schema;
  if (reference === "#") return invalid(`${path}: Recursive schemas are not supported for strict tools`);
  if (Array.isArray(schema["anyOf"]) || Array.isArray(schema["type"])) counts.unions++;
  const properties = isSchema(schema["properties"]) ? schema["properties"] : {};
  if (schema["type"] === "object") {
    if (schema["additionalProperties"] !== false) {
      return invalid(`${path}: For 'object' type, 'additionalProperties' must be explicitly set to false`);
    }
    const required = Array.isArray(schema["required"]) ? (schema["required"] as readonly unknown[]) : [];
    counts.optional += Object.keys(properties).filter((name) => !required.includes(name)).length;
  }
  for (const [name, child] of childrenOf(schema, properties)) {
    const found = strictSchemaProblem(child, `${path}.${name}`, counts);
    if (found !== undefined) return found;
  }
  return undefined;
}

function childrenOf(schema: Schema, properties: Schema): [string, Schema][] {
  const listed = ["anyOf", "allOf", "oneOf"].flatMap((keyword) =>
    Object.entries(Object(schema[keyword]) as Schema).map(([index, child]): [string, unknown] => [`${keyword}.${index}`, child]),
  );
  const named = Object.entries(properties).map(([name, child]): [string, unknown] => [`properties.${name}`, child]);
  const children: [string, unknown][] = [...named, ["items", schema["items"]], ...listed];
  return children.filter((entry): entry is [string, Schema] => isSchema(entry[1]));
}

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
