import type { Call } from "../core/call.js";
import type { JsonSchema, ToolSpec } from "../core/chat.js";
import { ConfigError, errorMessage } from "../core/errors.js";

/** What a handler may return; objects are sent to the model as JSON. */
export type ToolResult = string | number | boolean | null | object | undefined;

/** What a handler is told beside its arguments. */
export interface ToolContext {
  readonly callId: string;
  readonly call: Call;
  /** Aborts when the call ends, when the tool times out, and on a barge-in with `cancelOnBargeIn`. */
  readonly signal: AbortSignal;
  /** The same for every attempt at this one action: give it to the system that must not act twice. */
  readonly idempotencyKey: string;
}

/** A function that the model may call. */
export interface Tool<Arguments = never> {
  /** 1 to 64 letters, digits, `_` or `-`. */
  readonly name: string;
  readonly description?: string;
  readonly parameters: JsonSchema | StandardJsonSchema<Arguments>;
  readonly handler: (args: Arguments, context: ToolContext) => ToolResult | Promise<ToolResult>;
  /** How long the handler may run, in ms. Default 10,000. */
  readonly timeoutMs?: number;
  /**
   * Whether the vendor holds the model to the schema while it writes the arguments. Default false. The schema must then be closed
   * (`additionalProperties: false`, zod's `z.strictObject()`) and simple: no ranges, lengths, patterns or recursion. The first
   * request with such a schema takes longer.
   */
  readonly strict?: boolean;
  /** Whether a barge-in aborts the handler. Default false: what has started goes on. */
  readonly cancelOnBargeIn?: boolean;
}

/** A Standard Schema (standardschema.dev) that can also print itself as JSON Schema, as zod 4 can. */
export interface StandardJsonSchema<Output> {
  readonly "~standard": {
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly jsonSchema: { readonly input: (options: { readonly target: "draft-2020-12" }) => JsonSchema };
  };
}

type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string; readonly path?: readonly unknown[] | undefined }[] };

/** Any tool, whatever its arguments. */
export type AnyTool = Tool;

/**
 * Checks and types a tool: with a zod schema the handler's arguments have the schema's type,
 * with plain JSON Schema they are `Record<string, unknown>`.
 *
 * @throws ConfigError when the name or the schema cannot be sent to a model.
 */
export function tool<Output>(definition: Tool<Output> & { readonly parameters: StandardJsonSchema<Output> }): AnyTool;
export function tool(
  definition: Omit<Tool<Record<string, unknown>>, "parameters"> & { readonly parameters?: JsonSchema },
): AnyTool;
export function tool(definition: Omit<AnyTool, "parameters"> & { readonly parameters?: unknown }): AnyTool {
  const parameters = (definition.parameters ?? { type: "object", properties: {} }) as AnyTool["parameters"];
  const checked: AnyTool = { ...definition, parameters };
  toolSpec(checked);
  return checked;
}

/** The tool as a model sees it. @throws ConfigError when it cannot be sent to a model. */
export function toolSpec(definition: AnyTool): ToolSpec {
  const { name, description, parameters, handler, strict = false } = definition;
  if (typeof name !== "string" || !/^[a-zA-Z0-9_-]{1,64}$/.test(name)) {
    throw new ConfigError(`A tool is named ${JSON.stringify(name)}: use 1 to 64 letters, digits, "_" or "-".`);
  }
  if (typeof handler !== "function")
    throw new ConfigError(`The tool "${name}" has no handler: pass { handler: async (args) => … }.`);
  return {
    type: "function",
    function: {
      name,
      ...(description === undefined ? {} : { description }),
      parameters: jsonSchemaOf(name, parameters),
      ...(strict ? { strict } : {}),
    },
  };
}

/** The arguments as the handler wants them. @throws Error with what is wrong, in words for the model. */
export async function validateArguments(definition: AnyTool, value: unknown): Promise<never> {
  const { parameters } = definition;
  if (isStandardSchema(parameters)) {
    const result = await parameters["~standard"].validate(value);
    if (result.issues === undefined) return result.value;
    const problems = result.issues.map((issue) => [issue.path?.map(keyOf).join("."), issue.message].filter(Boolean).join(": "));
    throw new Error(`Invalid arguments: ${problems.join("; ")}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Error("Invalid arguments: an object is needed.");
  const required = Array.isArray(parameters["required"]) ? parameters["required"] : [];
  const missing = required.filter((key) => typeof key === "string" && !Object.hasOwn(value, key));
  if (missing.length > 0) throw new Error(`Invalid arguments: missing ${missing.join(", ")}`);
  return value as never;
}

function jsonSchemaOf(name: string, parameters: AnyTool["parameters"]): JsonSchema {
  const schema = isStandardSchema(parameters) ? printSchema(name, parameters) : parameters;
  if (schema?.["type"] !== "object") {
    throw new ConfigError(
      `The tool "${name}" needs parameters of type "object": pass JSON Schema { type: "object", properties } or a schema such as zod's z.object().`,
    );
  }
  return schema;
}

function printSchema(name: string, parameters: StandardJsonSchema<never>): JsonSchema {
  try {
    return parameters["~standard"].jsonSchema.input({ target: "draft-2020-12" });
  } catch (error) {
    throw new ConfigError(
      `The parameters of the tool "${name}" are no JSON Schema (${errorMessage(error)}): use types that JSON has.`,
      { cause: error },
    );
  }
}

/** One step of an issue's path: a key, or a Standard Schema segment that holds one. */
function keyOf(step: unknown): string {
  return String(typeof step === "object" && step !== null && "key" in step ? step.key : step);
}

function isStandardSchema(parameters: AnyTool["parameters"]): parameters is StandardJsonSchema<never> {
  if (parameters === null || (typeof parameters !== "object" && typeof parameters !== "function")) return false;
  if (!("~standard" in parameters)) return false;
  const standard = parameters["~standard"] as { jsonSchema?: unknown };
  if (standard.jsonSchema === undefined) {
    throw new ConfigError("A tool's schema library cannot print JSON Schema: use zod 4.2 or newer, or pass JSON Schema.");
  }
  return true;
}
