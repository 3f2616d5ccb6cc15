import { expect, test } from "vitest";
import { ConfigError } from "../../core/errors.js";
import { offeredModels } from "../../testing/anthropic/model-rules.js";
import { validateMessagesRequest } from "../../testing/anthropic/validate.js";
import { MODEL_NAMES } from "./models.js";
import type { AnthropicLLMOptions, AnthropicThinking, AnthropicToolChoice } from "./options.js";
import { type RequestSettings, requestSettings } from "./parameters.js";
import type { Effort } from "./wire.js";

/** The settings for some options, and the codes of the warnings. */
function settingsFor(model: string, options: AnthropicLLMOptions = {}): RequestSettings & { readonly warned: readonly string[] } {
  const warned: string[] = [];
  const warn = (code: string): void => void (warned.includes(code) || warned.push(code));
  const settings = requestSettings(options, { model, version: options.anthropicVersion ?? "2023-06-01", warn });
  return { ...settings, warned };
}

// What the vendor's pages say is answered with 400, stated a second time and by models instead of by rules.

const PRE_4 = /claude-3-(?:5-)?(?:haiku|sonnet|opus)/;
const BUDGET_ONLY = /claude-3-7|-4$|-4-[015]$/;
const GEN_4_6 = /-4-6$/;
const ALWAYS = /opus-5-5|fable|mythos/;
const ON_BY_DEFAULT = /sonnet-5|opus-5$|haiku-5-5/;

function refusals(model: string, { parameters, toolChoice }: RequestSettings, version: string): string[] {
  const { temperature, top_p: topP, thinking, output_config: { effort } = {} } = parameters;
  const forced = toolChoice?.type === "any" || toolChoice?.type === "tool";
  const isNew = !PRE_4.test(model) && !BUDGET_ONLY.test(model) && !GEN_4_6.test(model);
  const thinks = thinking?.type === "enabled" || thinking?.type === "adaptive";
  const hasSampling = temperature !== undefined || topP !== undefined;
  const rules: Readonly<Record<string, boolean>> = {
    "sampling of a new model": isNew && hasSampling,
    "sampling of a new version": version >= "2026-10-21" && hasSampling,
    "temperature and top_p": temperature !== undefined && topP !== undefined && /-4-[156]$/.test(model),
    "temperature while thinking": thinks && temperature !== undefined && temperature !== 1,
    "top_p while thinking": thinks && topP !== undefined && topP < 0.95,
    "thinking of a model that cannot": PRE_4.test(model) && thinking !== undefined,
    "adaptive thinking of an old model": BUDGET_ONLY.test(model) && thinking?.type === "adaptive",
    "a budget of a new model": isNew && thinking?.type === "enabled",
    "thinking off": (ALWAYS.test(model) || model === "claude-sonnet-5-5") && thinking?.type === "disabled",
    between_tools: model !== "claude-sonnet-5-5" && thinking?.type === "between_tools",
    effort: (PRE_4.test(model) || (BUDGET_ONLY.test(model) && model !== "claude-opus-4-5")) && effort !== undefined,
    xhigh: (/-4-[56]$/.test(model) || model === "claude-mythos-preview") && effort === "xhigh",
    max: model === "claude-opus-4-5" && effort === "max",
    "effort above high without thinking":
      ON_BY_DEFAULT.test(model) &&
      (thinking?.type === "disabled" || thinking?.type === "between_tools") &&
      (effort === "xhigh" || effort === "max"),
    "a demanded call": (ALWAYS.test(model) || model === "claude-sonnet-5-5") && forced,
    "a demanded call with a budget": thinking?.type === "enabled" && forced,
  };
  return Object.keys(rules).filter((rule) => rules[rule]);
}

const TEMPERATURES = [undefined, 0.2, 1];
const TOP_PS = [undefined, 0.9, 0.99];
const THINKING: readonly (AnthropicThinking | undefined)[] = [
  undefined,
  "off",
  "adaptive",
  "between_tools",
  { budgetTokens: 1024 },
];
const EFFORTS: readonly (Effort | undefined)[] = [undefined, "low", "medium", "high", "xhigh", "max"];
const TOOL_CHOICES: readonly (AnthropicToolChoice | undefined)[] = [undefined, "auto", "any", "none", { name: "hours" }];
const VERSIONS = ["2023-06-01", "2026-10-21"];

function* combinations(): Generator<AnthropicLLMOptions> {
  for (const temperature of TEMPERATURES)
    for (const topP of TOP_PS)
      for (const thinking of THINKING)
        for (const effort of EFFORTS)
          for (const toolChoice of TOOL_CHOICES)
            for (const anthropicVersion of VERSIONS)
              yield Object.fromEntries(
                Object.entries({ temperature, topP, thinking, effort, toolChoice, anthropicVersion, maxTokens: 2000 }).filter(
                  ([, value]) => value !== undefined,
                ),
              );
}

test.each(MODEL_NAMES)("no combination of options gives %s anything that it is known to refuse", (model) => {
  for (const options of combinations()) {
    const refused = refusals(model, settingsFor(model, options), options.anthropicVersion ?? "");
    if (refused.length > 0) expect.fail(`${JSON.stringify(options)}: ${refused.join(", ")}`);
  }
});

test.each(offeredModels().map(({ id }) => id))(
  "no combination of options gives %s anything that the test server refuses",
  (model) => {
    const conversation = {
      messages: [{ role: "user", content: "Hello" }],
      tools: [{ name: "hours", input_schema: { type: "object" } }],
    };
    for (const options of combinations()) {
      const { parameters, toolChoice } = settingsFor(model, options);
      const body = { ...parameters, ...conversation, ...(toolChoice === undefined ? {} : { tool_choice: toolChoice }) };
      const version = options.anthropicVersion ?? "2023-06-01";
      const problem = validateMessagesRequest(body, { "anthropic-version": version });
      if (problem !== undefined) expect.fail(`${JSON.stringify(options)}: ${JSON.stringify(problem)}`);
    }
  },
);

test.each(MODEL_NAMES)("what %s would refuse is told, and the defaults are not", (model) => {
  expect(settingsFor(model, { maxTokens: 2000 }).warned).toEqual([]);
  const told = settingsFor(model, { maxTokens: 2000, temperature: 0.2, topP: 0.9, anthropicVersion: "2026-10-21" });
  expect(told.warned).toEqual(["temperature_left_out", "topP_left_out"]);
});

test.each([
  ["claude-haiku-4-5-20251001", undefined],
  ["claude-sonnet-4-6", undefined],
  ["claude-opus-4-8", undefined],
  ["claude-haiku-5-5", { type: "disabled" }],
  ["claude-sonnet-5", { type: "disabled" }],
  ["claude-opus-5", { type: "disabled" }],
  ["claude-sonnet-5-5", { type: "between_tools" }],
  ["claude-opus-5-5", undefined],
  ["claude-fable-5-1", undefined],
  ["claude-something-new", undefined],
])("%s thinks as little as it can unless it is told otherwise", (model, thinking) => {
  expect(settingsFor(model).parameters.thinking).toEqual(thinking);
});

test("a model that always thinks does so with little effort unless it is told otherwise", () => {
  expect(settingsFor("claude-opus-5-5").parameters.output_config).toEqual({ effort: "low" });
  expect(settingsFor("claude-opus-5-5", { effort: "max" }).parameters.output_config).toEqual({ effort: "max" });
  expect(settingsFor("claude-haiku-5-5").parameters.output_config).toBeUndefined();
});

test("an effort above high leaves thinking on, unless thinking is turned off: then the effort is lowered", () => {
  expect(settingsFor("claude-opus-5", { effort: "xhigh" })).toMatchObject({
    parameters: { output_config: { effort: "xhigh" } },
    warned: [],
  });
  expect(settingsFor("claude-opus-5", { effort: "xhigh" }).parameters.thinking).toBeUndefined();
  expect(settingsFor("claude-opus-5", { effort: "xhigh", thinking: "off" })).toMatchObject({
    parameters: { thinking: { type: "disabled" }, output_config: { effort: "high" } },
    warned: ["effort_replaced"],
  });
});

test("an effort that is not offered becomes the next lower one, or is left out", () => {
  expect(settingsFor("claude-sonnet-4-6", { effort: "xhigh" }).parameters.output_config).toEqual({ effort: "high" });
  expect(settingsFor("claude-opus-4-5", { effort: "max" }).parameters.output_config).toEqual({ effort: "high" });
  expect(settingsFor("claude-haiku-4-5", { effort: "low" })).toMatchObject({ warned: ["effort_replaced"] });
  expect(settingsFor("claude-haiku-4-5", { effort: "low" }).parameters).not.toHaveProperty("output_config");
});

test("a form of thinking that is not accepted becomes the nearest that is", () => {
  const budget = { thinking: { budgetTokens: 2048 }, maxTokens: 4096 };
  expect(settingsFor("claude-haiku-4-5", budget)).toMatchObject({
    parameters: { thinking: { type: "enabled", budget_tokens: 2048 } },
    warned: [],
  });
  expect(settingsFor("claude-opus-4-8", budget)).toMatchObject({
    parameters: { thinking: { type: "adaptive" } },
    warned: ["thinking_replaced"],
  });
  expect(settingsFor("claude-sonnet-5-5", { thinking: "off" })).toMatchObject({
    parameters: { thinking: { type: "between_tools" } },
    warned: ["thinking_replaced"],
  });
  expect(settingsFor("claude-haiku-4-5", { thinking: "off" })).toMatchObject({ warned: [] });
});

test("temperature goes before topP where a model takes only one, and both go to one that takes both", () => {
  const both = { temperature: 0.2, topP: 0.9 };
  expect(settingsFor("claude-haiku-4-5", both)).toMatchObject({ parameters: { temperature: 0.2 }, warned: ["topP_left_out"] });
  expect(settingsFor("claude-haiku-4-5", { topP: 0.9 }).parameters).toMatchObject({ top_p: 0.9 });
  expect(settingsFor("claude-sonnet-4", both)).toMatchObject({ parameters: { temperature: 0.2, top_p: 0.9 }, warned: [] });
});

test("a demanded call is sent where it is accepted, with the flag for parallel calls inside", () => {
  expect(settingsFor("claude-haiku-5-5", { toolChoice: { name: "hours" }, parallelToolCalls: false }).toolChoice).toEqual({
    type: "tool",
    name: "hours",
    disable_parallel_tool_use: true,
  });
  expect(settingsFor("claude-sonnet-5-5", { toolChoice: "any" })).toMatchObject({
    toolChoice: { type: "auto" },
    warned: ["tool_choice_replaced"],
  });
  expect(settingsFor("claude-haiku-4-5", { parallelToolCalls: false }).toolChoice).toEqual({
    type: "auto",
    disable_parallel_tool_use: true,
  });
  expect(settingsFor("claude-haiku-4-5", { toolChoice: "none", parallelToolCalls: false }).toolChoice).toEqual({ type: "none" });
  expect(settingsFor("claude-haiku-4-5")).not.toHaveProperty("toolChoice");
});

test("a model that is not known gets what was asked for, and is taken for a new one", () => {
  const options: AnthropicLLMOptions = {
    temperature: 0.2,
    topP: 0.9,
    thinking: "between_tools",
    effort: "max",
    toolChoice: "any",
    maxTokens: 500_000,
    stopSequences: ["STOP"],
    metadata: { userId: "u1" },
  };
  expect(settingsFor("claude-something-new", options)).toEqual({
    parameters: {
      model: "claude-something-new",
      max_tokens: 500_000,
      temperature: 0.2,
      top_p: 0.9,
      stop_sequences: ["STOP"],
      metadata: { user_id: "u1" },
      thinking: { type: "between_tools" },
      output_config: { effort: "max" },
    },
    toolChoice: { type: "any" },
    acceptsPrefill: false,
    acceptsMidCallSystem: false,
    warned: [],
  });
});

test("only the older models may go on from their own words, and not while they think", () => {
  const accepting = MODEL_NAMES.filter((name) => settingsFor(name).acceptsPrefill);
  expect(accepting).toEqual(MODEL_NAMES.filter((name) => PRE_4.test(name) || BUDGET_ONLY.test(name)));
  expect(settingsFor("claude-haiku-4-5", { thinking: { budgetTokens: 1024 }, maxTokens: 2000 }).acceptsPrefill).toBe(false);
});

test("only the models that are documented to take instructions mid-call get them so", () => {
  expect(MODEL_NAMES.filter((name) => settingsFor(name).acceptsMidCallSystem)).toEqual(
    MODEL_NAMES.filter((name) => /opus-4-8|opus-5|(?:fable|mythos)-5/.test(name)),
  );
});

test("more tokens than a model answers with, and a budget that leaves none to speak, are refused", () => {
  expect(() => settingsFor("claude-haiku-4-5", { maxTokens: 64_001 })).toThrow(
    new ConfigError("AnthropicLLM cannot use { maxTokens: 64001 }: claude-haiku-4-5 answers with at most 64000 tokens."),
  );
  expect(() => settingsFor("claude-haiku-4-5", { thinking: { budgetTokens: 1024 } })).toThrow(
    "AnthropicLLM cannot think with { budgetTokens: 1024 } within { maxTokens: 1024 }: pass more maxTokens, or fewer budgetTokens.",
  );
});
