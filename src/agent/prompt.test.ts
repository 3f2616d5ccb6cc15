import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fillVariables, systemMessages } from "./prompt.js";

fc.configureGlobal({ seed: 1 });

describe("fillVariables", () => {
  test("replaces every placeholder that has a value and leaves the others as written", () => {
    expect(fillVariables("Hi {name}, {name}: {unknown} {}", { name: "Ada" })).toBe("Hi Ada, Ada: {unknown} {}");
  });

  test("does not read what it has filled in, nor what every object inherits", () => {
    expect(fillVariables("{a} {toString} {__proto__}", { a: "{b}", b: "no" })).toBe("{b} {toString} {__proto__}");
    expect(fillVariables("{price}", { price: "$& and $1" })).toBe("$& and $1");
  });

  test("leaves a text without placeholders as it is", () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !text.includes("{")),
        (text) => {
          expect(fillVariables(text, { a: "b" })).toBe(text);
        },
      ),
    );
  });
});

describe("systemMessages", () => {
  test("is one message, the same for every call, while there are no values", () => {
    expect(systemMessages("Greet {name}.", {})).toEqual([{ role: "system", content: "Greet {name}." }]);
  });

  test("gives a call's values in a second message, so that the first stays as written", () => {
    expect(systemMessages("Greet {name}.", { name: "Ada", plan: "gold" })).toEqual([
      { role: "system", content: "Greet {name}." },
      { role: "system", content: "For this call:\nname = Ada\nplan = gold" },
    ]);
  });

  test("keeps the values out of the first message where there is no prompt", () => {
    const [ada, bob] = ["Ada", "Bob"].map((name) => systemMessages(" ", { name }));
    expect(ada?.[1]).toEqual({ role: "system", content: "For this call:\nname = Ada" });
    expect(ada?.[0]).toEqual(bob?.[0]);
    expect(ada).toHaveLength(2);
  });

  test("is nothing for a blank prompt without values", () => {
    expect(systemMessages(" \n", {})).toEqual([]);
  });
});
