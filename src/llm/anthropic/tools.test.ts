import { describe, expect, test } from "vitest";
import { z } from "zod";
import { tool, toolSpec } from "../../agent/tools.js";
import type { JsonSchema, ToolSpec } from "../../core/chat.js";
import { toolNames, wireTools } from "./tools.js";
import type { WireTool } from "./wire.js";

const spec = (name: string, parameters: JsonSchema = { type: "object", properties: {} }, strict = false): ToolSpec => ({
  type: "function",
  function: { name, parameters, ...(strict ? { strict } : {}) },
});

function sent(tools: readonly ToolSpec[]): { readonly tools: readonly WireTool[]; readonly warnings: readonly string[] } {
  const warnings: string[] = [];
  const wire = wireTools(tools, toolNames(tools), (code, message) => warnings.push(`${code}: ${message}`));
  return { tools: wire, warnings };
}

describe("the names of tools", () => {
  test("are made acceptable and unique, and lead back to the caller's own", () => {
    const own = ["book table", "book_table", "réserver", "", "x".repeat(70), "x".repeat(71), "book.table"];
    const names = toolNames(own.map((name) => spec(name)));
    expect(own.map(names.wire)).toEqual([
      "book_table_2",
      "book_table",
      "r_server",
      "tool",
      "x".repeat(64),
      `${"x".repeat(62)}_2`,
      "book_table_3",
    ]);
    expect(own.map(names.wire).map(names.own)).toEqual(own);
  });

  test("stay as they are when they are sent already", () => {
    const names = toolNames([spec("book table"), spec("book_table")]);
    expect(names.wire(names.wire("book table"))).toBe("book_table_2");
  });

  test("of tools that are gone are still acceptable", () => {
    const names = toolNames([]);
    expect(names.wire("old tool")).toBe("old_tool");
    expect(names.own("invented")).toBe("invented");
  });
});

describe("the tools that are sent", () => {
  test("keep the caller's order, description and schema, the dialect aside", () => {
    const parameters = z.object({ seats: z.number().describe("How many"), note: z.string().optional() });
    const book = toolSpec(tool({ name: "book", description: "Books.", parameters, handler: () => null }));
    expect(book.function.parameters).toHaveProperty("$schema");
    expect(sent([spec("hours", {}), book])).toEqual({
      warnings: [],
      tools: [
        { name: "hours", input_schema: { type: "object" } },
        {
          name: "book",
          description: "Books.",
          input_schema: {
            type: "object",
            properties: { seats: { type: "number", description: "How many" }, note: { type: "string" } },
            required: ["seats"],
          },
        },
      ],
    });
  });

  test("hold one tool of each name, the first", () => {
    const { tools, warnings } = sent([spec("hours", { type: "object", title: "first" }), spec("hours")]);
    expect(tools).toEqual([{ name: "hours", input_schema: { type: "object", title: "first" } }]);
    expect(warnings).toEqual([
      'tool_repeated: Two tools are named "hours"; the model is told of the first. Give each its own name.',
    ]);
  });

  test("show alternatives at the root of a schema as one object", () => {
    const { tools, warnings } = sent([
      spec("find", {
        type: "object",
        properties: { city: { type: "string" } },
        required: ["city"],
        anyOf: [
          { properties: { name: { type: "string" } }, required: ["name", "day"] },
          { properties: { day: { type: "string" } }, required: ["day"] },
        ],
        allOf: [{ required: ["time"], properties: { time: { type: "string" } } }],
      }),
    ]);
    expect(tools[0]?.input_schema).toEqual({
      type: "object",
      properties: { time: { type: "string" }, name: { type: "string" }, day: { type: "string" }, city: { type: "string" } },
      required: ["city", "time", "day"],
    });
    expect(warnings[0]).toContain("tool_schema_simplified");
  });
});

/** A closed object. */
const closed = (properties: JsonSchema, required = Object.keys(properties)): JsonSchema => ({
  type: "object",
  properties,
  required,
  additionalProperties: false,
});

describe("a strict tool", () => {
  test("is sent so when its schema is closed and simple", () => {
    const parameters = z.strictObject({
      seats: z.number(),
      area: z.enum(["indoors", "outdoors"]),
      guest: z.strictObject({ name: z.string().nullable() }),
      dates: z.array(z.string()),
    });
    const book = toolSpec(tool({ name: "book", parameters, strict: true, handler: () => null }));
    expect(sent([book, spec("hours")])).toMatchObject({ tools: [{ strict: true }, { name: "hours" }], warnings: [] });
    expect(sent([spec("hours")]).tools[0]).not.toHaveProperty("strict");
  });

  test.each<[string, JsonSchema]>([
    ['one of its objects lacks "additionalProperties": false', { type: "object", properties: {} }],
    ['one of its objects lacks "additionalProperties": false', closed({ guest: { type: "object", properties: {} } })],
    ['it uses "minimum"', closed({ seats: { type: "integer", minimum: 1 } })],
    ['it uses "maxLength"', closed({ name: { anyOf: [{ type: "string", maxLength: 9 }] } })],
    ['it uses "pattern"', closed({ code: { type: "array", items: { type: "string", pattern: "^x" } } })],
    ['it uses "minItems" above 1', closed({ names: { type: "array", items: { type: "string" }, minItems: 2 } })],
    ['it uses the format "phone"', closed({ number: { type: "string", format: "phone" } })],
    ["its schema contains itself", { ...closed({ next: { $ref: "#" } }) }],
    [
      "its schema contains itself",
      { ...closed({ a: { $ref: "#/$defs/a" } }), $defs: { a: closed({ b: { $ref: "#/$defs/a" } }) } },
    ],
    ["a part of its schema is no object", closed({ a: { $ref: "#/$defs/gone" } })],
    ['"enum" holds objects', closed({ a: { enum: [{ b: 1 }] } })],
  ])("is sent as any other where %s", (reason, parameters) => {
    const { tools, warnings } = sent([spec("book", parameters, true)]);
    expect(tools[0]).not.toHaveProperty("strict");
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(`tool_not_strict: Sent without { strict: true }: "book" (${reason}`);
  });

  test("may use definitions, each counted once", () => {
    const day = { type: ["string", "null"] };
    const parameters = { ...closed({ from: { $ref: "#/$defs/day" }, to: { $ref: "#/$defs/day" } }), $defs: { day } };
    const tools = Array.from({ length: 17 }, (_, index) => spec(`t${index}`, parameters, true));
    expect(sent(tools).tools.filter(({ strict }) => strict === true)).toHaveLength(16);
  });

  test("shares its limits with the others: those that no longer fit are sent as any other, and named in one warning", () => {
    const many = Array.from({ length: 22 }, (_, index) => spec(`t${index}`, closed({}), true));
    expect(sent(many).tools.filter(({ strict }) => strict === true)).toHaveLength(20);
    expect(sent(many).warnings).toHaveLength(1);
    expect(sent(many).warnings[0]).toMatch(/"t20" \(more than 20 tools are strict\), "t21"/);
    const optional = closed(Object.fromEntries(Array.from({ length: 13 }, (_, index) => [`p${index}`, { type: "string" }])), []);
    const { tools, warnings } = sent([spec("a", optional, true), spec("b", optional, true), spec("c", closed({}), true)]);
    expect(tools.map(({ strict = false }) => strict)).toEqual([true, false, true]);
    expect(warnings[0]).toContain("more than 24 optional parameters");
  });
});
