import { type AnthropicProblem, invalid } from "./errors.js";
import type { AnthropicRequestTool } from "./wire.js";

const MAX_STRICT_TOOLS = 20;
const MAX_OPTIONAL_PARAMETERS = 24;
const MAX_UNION_PARAMETERS = 16;
/** What a strict tool's grammar cannot express. */
const UNSUPPORTED = [
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "multipleOf",
  "minLength",
  "maxLength",
  "maxItems",
  "uniqueItems",
  "contains",
  "prefixItems",
  "minProperties",
  "maxProperties",
  "patternProperties",
  "propertyNames",
  "dependentSchemas",
  "dependentRequired",
  "oneOf",
  "not",
  "if",
  "then",
  "else",
];
/** Looking around, going back and word boundaries. */
const UNSUPPORTED_PATTERN = /\(\?<?[=!]|\\[1-9bB]/;
const FORMATS: readonly unknown[] = ["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"];

type Schema = Readonly<Record<string, unknown>>;

/** What is wrong with the root of a tool's input schema. */
export function schemaProblem(schema: unknown, path: string): AnthropicProblem | undefined {
  if (schema === undefined) return invalid(`${path}: Field required`);
  if (!isSchema(schema)) return invalid(`${path}: Input should be a valid dictionary`);
  if (schema["type"] === undefined) return invalid(`${path}.type: Field required`);
  if (schema["type"] !== "object") return invalid(`${path}.type: Input should be 'object'`);
  return ["oneOf", "allOf", "anyOf"].some((keyword) => schema[keyword] !== undefined)
    ? invalid(`${path}: input_schema does not support oneOf, allOf, or anyOf at the top level`)
    : undefined;
}

/** What strict tools may not be: too many, too free, or described by what the grammar lacks. */
export function strictToolsProblem(tools: readonly AnthropicRequestTool[]): AnthropicProblem | undefined {
  const strict = tools.map((tool, index) => ({ tool, index })).filter(({ tool }) => tool.strict === true);
  if (strict.length > MAX_STRICT_TOOLS) {
    return invalid(`tools: at most ${MAX_STRICT_TOOLS} strict tools are allowed. Found ${strict.length}.`);
  }
  const counts = { optional: 0, unions: 0 };
  for (const { tool, index } of strict) {
    const schema = tool.input_schema ?? {};
    const found = new StrictSchema(schema, counts).problem(schema, `tools.${index}.custom.input_schema`);
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

/** Looks through one strict schema, each definition once, for what the grammar lacks. */
class StrictSchema {
  readonly #root: Schema;
  readonly #counts: { optional: number; unions: number };
  /** The references that lead to where the walk is. */
  readonly #open = new Set<unknown>(["#"]);
  readonly #done = new Set<unknown>();

  constructor(root: Schema, counts: { optional: number; unions: number }) {
    this.#root = root;
    this.#counts = counts;
  }

  problem(schema: Schema, path: string): AnthropicProblem | undefined {
    return keywordProblem(schema, path) ?? this.#objectProblem(schema, path) ?? this.#referenceProblem(schema["$ref"], path);
  }

  #objectProblem(schema: Schema, path: string): AnthropicProblem | undefined {
    if (Array.isArray(schema["anyOf"]) || Array.isArray(schema["type"])) this.#counts.unions++;
    const properties = isSchema(schema["properties"]) ? schema["properties"] : {};
    if ([schema["type"]].flat().includes("object")) {
      if (schema["additionalProperties"] !== false) {
        return invalid(`${path}: For 'object' type, 'additionalProperties' must be explicitly set to false`);
      }
      const required = Array.isArray(schema["required"]) ? (schema["required"] as readonly unknown[]) : [];
      this.#counts.optional += Object.keys(properties).filter((name) => !required.includes(name)).length;
    }
    for (const [name, child] of childrenOf(schema, properties)) {
      const found = this.problem(child, `${path}.${name}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #referenceProblem(reference: unknown, path: string): AnthropicProblem | undefined {
    if (reference === undefined || this.#done.has(reference)) return undefined;
    if (this.#open.has(reference)) return invalid(`${path}: Recursive schemas are not supported for strict tools`);
    const target = this.#definition(reference);
    if (target === undefined) return invalid(`${path}: '$ref' must point to a definition within the schema`);
    this.#open.add(reference);
    const found = this.problem(target, `${path}.$ref`);
    this.#open.delete(reference);
    this.#done.add(reference);
    return found;
  }

  #definition(reference: unknown): Schema | undefined {
    const names = typeof reference === "string" && reference.startsWith("#/") ? reference.slice(2).split("/") : [""];
    let found: unknown = this.#root;
    for (const name of names) {
      const key = name.replaceAll("~1", "/").replaceAll("~0", "~");
      found = isSchema(found) && Object.hasOwn(found, key) ? found[key] : undefined;
    }
    return isSchema(found) ? found : undefined;
  }
}

function keywordProblem(schema: Schema, path: string): AnthropicProblem | undefined {
  const unsupported = UNSUPPORTED.find((keyword) => schema[keyword] !== undefined);
  if (unsupported !== undefined) return invalid(`${path}: For strict tools, property '${unsupported}' is not supported`);
  const { minItems = 0, pattern, format } = schema;
  if (minItems !== 0 && minItems !== 1) {
    return invalid(`${path}: For 'array' type, 'minItems' values other than 0 or 1 are not supported`);
  }
  if (typeof pattern === "string" && UNSUPPORTED_PATTERN.test(pattern)) {
    return invalid(`${path}: For strict tools, the pattern '${pattern}' is not supported`);
  }
  if (format !== undefined && !FORMATS.includes(format)) {
    return invalid(`${path}: For 'string' type, the format ${JSON.stringify(format)} is not supported`);
  }
  const values = [schema["enum"] ?? [], schema["const"] ?? []].flat();
  return values.some((value) => typeof value === "object" && value !== null)
    ? invalid(`${path}: Complex types within enums are not supported`)
    : undefined;
}

function childrenOf(schema: Schema, properties: Schema): [string, Schema][] {
  const listed = ["anyOf", "allOf"].flatMap((keyword) =>
    Object.entries(Object(schema[keyword]) as Schema).map(([index, child]): [string, unknown] => [`${keyword}.${index}`, child]),
  );
  const named = Object.entries(properties).map(([name, child]): [string, unknown] => [`properties.${name}`, child]);
  const children: [string, unknown][] = [...named, ["items", schema["items"]], ...listed];
  return children.filter((entry): entry is [string, Schema] => isSchema(entry[1]));
}

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
