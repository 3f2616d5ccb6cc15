import type { JsonSchema, ToolSpec } from "../../core/chat.js";
import { StrictTools } from "./strict-schema.js";
import type { WireTool } from "./wire.js";

const MAX_NAME_LENGTH = 64;
const ACCEPTABLE = /^[a-zA-Z0-9_-]{1,64}$/;
/** The API wants the root of a tool's schema to be one plain object. */
const COMPOSITIONS = ["allOf", "anyOf", "oneOf"] as const;

/** The names of tools on both sides of the wire. */
export interface ToolNames {
  /** The name that is sent for the caller's own. One that is sent already stays as it is. */
  wire(name: string): string;
  /** The caller's own name for one that was sent. */
  own(wireName: string): string;
}

/**
 * Gives each tool a name that the API accepts: 1 to 64 letters, digits, `_` or `-`, no two the same. Names that are fine stay;
 * equal lists give equal names. A name of no tool, as in an older conversation, is only made acceptable.
 */
export function toolNames(tools: readonly ToolSpec[]): ToolNames {
  const names = tools.map((tool) => tool.function.name);
  const wireNames = new Map<string, string>(names.filter((name) => ACCEPTABLE.test(name)).map((name) => [name, name]));
  const ownNames = new Map(wireNames);
  for (const name of names) {
    if (wireNames.has(name)) continue;
    const wireName = unused(acceptable(name), ownNames);
    wireNames.set(name, wireName);
    ownNames.set(wireName, name);
  }
  return {
    wire: (name) => wireNames.get(name) ?? acceptable(name),
    own: (wireName) => ownNames.get(wireName) ?? wireName,
  };
}

/**
 * The tools as they are sent, in the caller's order. Of tools with one name the first stands. What had to be changed is told
 * through `warn`: `tool_repeated`, `tool_schema_simplified`, `tool_not_strict`.
 */
export function wireTools(
  tools: readonly ToolSpec[],
  names: ToolNames,
  warn: (code: string, message: string) => void,
): WireTool[] {
  const strictTools = new StrictTools();
  const refusals: string[] = [];
  const sent = new Map<string, WireTool>();
  for (const { function: tool } of tools) {
    if (sent.has(tool.name)) {
      warn("tool_repeated", `Two tools are named "${tool.name}"; the model is told of the first. Give each its own name.`);
      continue;
    }
    if (COMPOSITIONS.some((keyword) => keyword in tool.parameters)) warn("tool_schema_simplified", simplified(tool.name));
    const schema = rootObject(tool.parameters);
    const refusal = tool.strict === true ? strictTools.refusal(schema) : undefined;
    if (refusal !== undefined) refusals.push(`"${tool.name}" (${refusal})`);
    sent.set(tool.name, {
      name: names.wire(tool.name),
      ...(tool.description === undefined ? {} : { description: tool.description }),
      input_schema: schema,
      ...(tool.strict === true && refusal === undefined ? { strict: true } : {}),
    });
  }
  if (refusals.length > 0)
    warn("tool_not_strict", `Sent without { strict: true }: ${refusals.join(", ")}. Change the schema, or remove the option.`);
  return [...sent.values()];
}

function simplified(name: string): string {
  return `The API refuses allOf, anyOf and oneOf at the root of a tool's schema, as "${name}" has: the model is shown one object with all their properties. Put them inside a property, or check the combination in the handler.`;
}

/** The schema with an object as its root; most have one. */
function rootObject(schema: JsonSchema): WireTool["input_schema"] {
  const isPlain = schema["type"] === "object" && !("$schema" in schema) && !COMPOSITIONS.some((keyword) => keyword in schema);
  return isPlain ? (schema as WireTool["input_schema"]) : rewritten(schema);
}

/** Of alternatives all properties, and as required what all of them require. */
function rewritten({ $schema: _dialect, allOf, anyOf, oneOf, ...schema }: JsonSchema): WireTool["input_schema"] {
  const together = schemasOf(allOf);
  const alternatives = [anyOf, oneOf].map(schemasOf);
  const parts = [...together, ...alternatives.flat()];
  if (parts.length === 0) return { ...schema, type: "object" };
  const required = [
    ...namesOf(schema["required"]),
    ...together.flatMap((part) => namesOf(part["required"])),
    ...alternatives.flatMap(requiredByAll),
  ];
  return {
    ...schema,
    type: "object",
    properties: Object.assign({}, ...parts.map((part) => part["properties"]), schema["properties"]) as JsonSchema,
    ...(required.length === 0 ? {} : { required: [...new Set(required)] }),
  };
}

function requiredByAll([first, ...others]: readonly JsonSchema[]): string[] {
  return namesOf(first?.["required"]).filter((name) => others.every((part) => namesOf(part["required"]).includes(name)));
}

function schemasOf(value: unknown): JsonSchema[] {
  return Array.isArray(value) ? value.filter((part): part is JsonSchema => typeof part === "object" && part !== null) : [];
}

function namesOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((name) => typeof name === "string") : [];
}

function acceptable(name: string): string {
  return name.replace(/[^a-zA-Z0-9_-]/g, "_").slice(0, MAX_NAME_LENGTH) || "tool";
}

function unused(name: string, taken: ReadonlyMap<string, unknown>): string {
  for (let number = 1; ; number++) {
    const suffix = number === 1 ? "" : `_${number}`;
    const candidate = name.slice(0, MAX_NAME_LENGTH - suffix.length) + suffix;
    if (!taken.has(candidate)) return candidate;
  }
}
