import { describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { ConfigError } from "../core/errors.js";
import { type AnyTool, type ToolContext, tool, toolSpec, validateArguments } from "./tools.js";

const handler = (): string => "done";

describe("tool", () => {
  test("types the handler's arguments by a zod schema, defaults filled in", async () => {
    const book = tool({
      name: "book",
      description: "Books a table.",
      parameters: z.object({
        seats: z.number().int().min(1),
        day: z.enum(["monday", "tuesday"]),
        note: z.string().default("none"),
      }),
      handler: (args, context) => {
        expectTypeOf(args).toEqualTypeOf<{ seats: number; day: "monday" | "tuesday"; note: string }>();
        expectTypeOf(context).toEqualTypeOf<ToolContext>();
        return args;
      },
    });
    expectTypeOf(book).toEqualTypeOf<AnyTool>();
    expect(await validateArguments(book, { seats: 2, day: "monday" })).toEqual({ seats: 2, day: "monday", note: "none" });
  });

  test("types them as a record with plain JSON Schema, or without any", () => {
    tool({
      name: "plain",
      parameters: { type: "object", properties: { seats: { type: "number" } } },
      handler: (args) => {
        expectTypeOf(args).toEqualTypeOf<Record<string, unknown>>();
      },
    });
    tool({ name: "none", handler: (args) => expectTypeOf(args).toEqualTypeOf<Record<string, unknown>>() });
  });

  test("refuses handlers whose arguments or results do not fit, at compile time", () => {
    // @ts-expect-error seats is a number
    tool({ name: "wrong", parameters: z.object({ seats: z.number() }), handler: (args: { seats: string }) => args.seats });
    // @ts-expect-error a result is something that can be sent as text
    tool({ name: "wrong", handler: () => Symbol("no text") });
    expect.assertions(0);
  });

  test.each(["", "two words", "naïve", "a".repeat(65), "dot.ted", 7, undefined])("refuses %j as a name", (name) => {
    expect(() => tool({ name: name as string, handler })).toThrow(ConfigError);
  });

  test("refuses a tool without a handler and says how to write one", () => {
    expect(() => tool({ name: "idle" } as never)).toThrow('The tool "idle" has no handler: pass { handler: async (args) => … }.');
  });

  test.each([["string"], [{}], [{ type: "string" }], [z.string()], [z.array(z.string())], [[]]])(
    "refuses %j as parameters: a model's arguments are an object",
    (parameters) => {
      expect(() => tool({ name: "odd", parameters: parameters as never, handler })).toThrow(ConfigError);
    },
  );

  test("refuses a schema that JSON Schema cannot tell, naming the tool", () => {
    expect(() => tool({ name: "when", parameters: z.object({ at: z.date() }), handler })).toThrow(ConfigError);
    expect(() => tool({ name: "when", parameters: z.object({ at: z.date() }), handler })).toThrow(/"when"/);
  });

  test("refuses a schema library that cannot print JSON Schema", () => {
    const parameters = { "~standard": { vendor: "other", version: 1, validate: (value: unknown) => ({ value }) } };
    expect(() => tool({ name: "old", parameters: parameters as never, handler })).toThrow("zod 4.2 or newer");
  });
});

describe("toolSpec", () => {
  test("shows a zod schema as JSON Schema of what the model writes", () => {
    const parameters = z.object({ seats: z.number().describe("How many"), note: z.string().default("none") });
    const spec = toolSpec(tool({ name: "book", description: "Books.", parameters, handler }));
    expect(spec).toMatchObject({
      type: "function",
      function: {
        name: "book",
        description: "Books.",
        parameters: {
          type: "object",
          properties: { seats: { type: "number", description: "How many" }, note: { type: "string", default: "none" } },
          required: ["seats"],
        },
      },
    });
  });

  test("passes JSON Schema through, and gives a tool without parameters an empty object", () => {
    const parameters = { type: "object", properties: { seats: { type: "number" } }, required: ["seats"] };
    expect(toolSpec(tool({ name: "book", parameters, handler })).function.parameters).toEqual(parameters);
    expect(toolSpec(tool({ name: "time", handler })).function).toEqual({
      name: "time",
      parameters: { type: "object", properties: {} },
    });
  });
});

test("only a strict tool says so", () => {
  expect(toolSpec(tool({ name: "time", strict: true, handler })).function).toMatchObject({ strict: true });
  expect(toolSpec(tool({ name: "time", strict: false, handler })).function).not.toHaveProperty("strict");
});

describe("validateArguments", () => {
  const book = tool({
    name: "book",
    parameters: z.object({ seats: z.number(), guest: z.object({ name: z.string() }) }),
    handler,
  });

  test("tells the model every wrong argument by its path", async () => {
    await expect(validateArguments(book, { seats: "two", guest: {} })).rejects.toThrow(
      /^Invalid arguments: seats: .*number.*; guest\.name: .*string/,
    );
  });

  test("names paths that a schema gives as segments with a key", async () => {
    const parameters = {
      "~standard": {
        vendor: "other",
        version: 1,
        validate: () => ({ issues: [{ message: "too many", path: [{ key: "guests" }, { key: 0 }] }, { message: "no" }] }),
        jsonSchema: { input: () => ({ type: "object" }) },
      },
    };
    await expect(validateArguments(tool({ name: "other", parameters, handler }), {})).rejects.toThrow(
      "Invalid arguments: guests.0: too many; no",
    );
  });

  test("waits for a schema that checks asynchronously", async () => {
    const free = tool({
      name: "free",
      parameters: z.object({ day: z.string().refine(async (day) => day !== "monday", "closed") }),
      handler,
    });
    expect(await validateArguments(free, { day: "tuesday" })).toEqual({ day: "tuesday" });
    await expect(validateArguments(free, { day: "monday" })).rejects.toThrow("day: closed");
  });

  test("with JSON Schema asks for an object with every required key", async () => {
    const plain = tool({ name: "plain", parameters: { type: "object", properties: {}, required: ["seats", "day"] }, handler });
    expect(await validateArguments(plain, { seats: 2, day: "monday", extra: true })).toEqual({
      seats: 2,
      day: "monday",
      extra: true,
    });
    await expect(validateArguments(plain, { day: "monday" })).rejects.toThrow("Invalid arguments: missing seats");
    for (const value of [null, [], "text", 5]) {
      await expect(validateArguments(plain, value)).rejects.toThrow("an object is needed");
    }
  });

  test("does not take what every object inherits for an argument", async () => {
    const odd = tool({ name: "odd", parameters: { type: "object", required: ["toString"] }, handler });
    await expect(validateArguments(odd, {})).rejects.toThrow("missing toString");
  });
});
