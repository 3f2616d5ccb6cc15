import type { JsonSchema } from "../../core/chat.js";

/** What all strict tools of one request may use together. */
const MAX_TOOLS = 20;
const MAX_OPTIONAL = 24;
const MAX_UNIONS = 16;

/** Keywords that only describe, or are read together with another one. */
const FREE_KEYWORDS = new Set([
  "title",
  "description",
  "default",
  "type",
  "required",
  "additionalProperties",
  "$defs",
  "definitions",
]);
const FORMATS = new Set(["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"]);

/** Decides which tools of a request the API can hold the model to: the part of JSON Schema it compiles, within its limits. */
export class StrictTools {
  #tools = 0;
  #optional = 0;
  #unions = 0;

  /** Why the next tool cannot be strict; `undefined` if it can, and then it counts. */
  refusal(schema: JsonSchema): string | undefined {
    const walk = new SchemaWalk(schema);
    const problem = walk.problem ?? this.#exceeded(walk);
    if (problem !== undefined) return problem;
    this.#tools++;
    this.#optional += walk.optional;
    this.#unions += walk.unions;
    return undefined;
  }

  #exceeded({ optional, unions }: SchemaWalk): string | undefined {
    if (this.#tools + 1 > MAX_TOOLS) return `more than ${MAX_TOOLS} tools are strict`;
    if (this.#optional + optional > MAX_OPTIONAL)
      return `the strict tools have more than ${MAX_OPTIONAL} optional parameters together`;
    if (this.#unions + unions > MAX_UNIONS)
      return `the strict tools have more than ${MAX_UNIONS} parameters of several types together`;
    return undefined;
  }
}

/** Looks through a schema, each definition once. */
class SchemaWalk {
  optional = 0;
  unions = 0;
  /** The first thing that the API would refuse. */
  problem: string | undefined;
  readonly #root: JsonSchema;
  /** The references that lead to where the walk is, and those it has been through. */
  readonly #open = new Set<string>(["#"]);
  readonly #done = new Set<string>();

  constructor(schema: JsonSchema) {
    this.#root = schema;
    this.#visit(schema);
  }

  #visit(schema: unknown): void {
    if (this.problem !== undefined) return;
    if (!isSchema(schema)) {
      this.#refuse("a part of its schema is no object");
      return;
    }
    if (Array.isArray(schema["type"])) this.unions++;
    if (isObjectType(schema["type"]) && schema["additionalProperties"] !== false)
      this.#refuse('one of its objects lacks "additionalProperties": false (zod: z.strictObject())');
    for (const [keyword, value] of Object.entries(schema)) this.#keyword(keyword, value, schema);
  }

  #keyword(keyword: string, value: unknown, schema: JsonSchema): void {
    switch (keyword) {
      case "properties":
        this.#properties(value, schema["required"]);
        return;
      case "items":
        this.#visit(value);
        return;
      case "anyOf":
        this.unions++;
        this.#all(value);
        return;
      case "allOf":
        this.#all(value);
        return;
      case "$ref":
        this.#follow(value);
        return;
      case "enum":
      case "const":
        if (![value].flat().every(isPlain)) this.#refuse(`"${keyword}" holds objects`);
        return;
      case "format":
        if (typeof value !== "string" || !FORMATS.has(value)) this.#refuse(`it uses the format ${JSON.stringify(value)}`);
        return;
      case "minItems":
        if (value !== 0 && value !== 1) this.#refuse('it uses "minItems" above 1');
        return;
      default:
        if (!FREE_KEYWORDS.has(keyword)) this.#refuse(`it uses "${keyword}"`);
    }
  }

  #properties(properties: unknown, required: unknown): void {
    if (!isSchema(properties)) {
      this.#refuse("a part of its schema is no object");
      return;
    }
    const names = new Set(Array.isArray(required) ? required : []);
    for (const [name, schema] of Object.entries(properties)) {
      if (!names.has(name)) this.optional++;
      this.#visit(schema);
    }
  }

  #all(schemas: unknown): void {
    for (const schema of Array.isArray(schemas) ? schemas : [undefined]) this.#visit(schema);
  }

  #follow(reference: unknown): void {
    const path = String(reference);
    if (this.#open.has(path)) {
      this.#refuse("its schema contains itself");
      return;
    }
    if (this.#done.has(path)) return;
    this.#open.add(path);
    this.#visit(definition(this.#root, path));
    this.#open.delete(path);
    this.#done.add(path);
  }

  #refuse(reason: string): void {
    this.problem ??= reason;
  }
}

/** What a reference within the schema, a JSON Pointer behind `#`, stands for. */
function definition(root: JsonSchema, path: string): unknown {
  if (!path.startsWith("#/")) return undefined;
  const keys = path
    .slice(2)
    .split("/")
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  return keys.reduce<unknown>((schema, key) => (isSchema(schema) && Object.hasOwn(schema, key) ? schema[key] : undefined), root);
}

function isObjectType(type: unknown): boolean {
  return [type].flat().includes("object");
}

function isPlain(value: unknown): boolean {
  return value === null || typeof value !== "object";
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
