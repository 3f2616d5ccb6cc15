import { describe, expect, test } from "vitest";
import { ConfigError } from "./errors.js";
import { checkOptionNames, showValue } from "./option-names.js";

const names = { where: "agent", known: ["systemPrompt", "stt", "tts"], notBuilt: ["guardrails"] };

describe("the names of options", () => {
  test.each<[string, unknown, string]>([
    ["what is not built", { guardrails: [] }, 'The agent option "guardrails" is not supported yet: remove it.'],
    ["a typo", { sytemprompt: "" }, 'There is no agent option "sytemprompt": did you mean "systemPrompt"?'],
    ["one letter too many", { sttt: 1 }, 'did you mean "stt"?'],
    ["a name like no other", { colour: 1 }, 'There is no agent option "colour": it takes systemPrompt, stt, tts.'],
    ["a name of every object", { constructor: 1 }, 'There is no agent option "constructor"'],
    ["null", null, "agent takes its options as one object, not null."],
    ["nothing", undefined, "agent takes its options as one object, not undefined."],
  ])("%s is refused", (_, options, message) => {
    expect(() => checkOptionNames(options, names)).toThrow(ConfigError);
    expect(() => checkOptionNames(options, names)).toThrow(message);
  });

  test("what is known, left out or switched off is accepted", () => {
    const options = { stt: null, unknown: undefined, guardrails: false };
    expect(() => checkOptionNames(options, names)).not.toThrow();
  });
});

test("a value is shown as it was written", () => {
  expect(["5m", 5, Number.NaN, undefined, null, { a: [1] }].map(showValue)).toEqual([
    '"5m"',
    "5",
    "NaN",
    "undefined",
    "null",
    '{"a":[1]}',
  ]);
});
