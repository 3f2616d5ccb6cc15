import { expect, test } from "vitest";
import { ConfigError } from "../../core/errors.js";
import { type AnthropicLLMOptions, checkOptions } from "./options.js";

const check = (options: unknown) => () => checkOptions(options as AnthropicLLMOptions);

test("an option that does not exist is refused, with the one that was meant", () => {
  expect(check({ temprature: 0.2 })).toThrow(
    new ConfigError('There is no AnthropicLLM option "temprature": did you mean "temperature"?'),
  );
  expect(check({ speed: "fast" })).toThrow('There is no AnthropicLLM option "speed": it takes apiKey, authToken, model,');
});

test("an option that is undefined is as good as left out", () => {
  expect(check({ temperature: undefined, thinking: undefined })).not.toThrow();
});

test.each([
  [{ maxTokens: 0 }, "{ maxTokens: 0 }: pass a whole number above 0."],
  [{ maxTokens: 1.5 }, "{ maxTokens: 1.5 }"],
  [{ maxTokens: Number.NaN }, "{ maxTokens: NaN }"],
  [{ maxTokens: "1024" }, '{ maxTokens: "1024" }'],
  [{ temperature: 1.5 }, "{ temperature: 1.5 }: pass a number from 0 to 1."],
  [{ temperature: Number.NaN }, "{ temperature: NaN }"],
  [{ topP: -0.1 }, "{ topP: -0.1 }"],
  [{ stopSequences: ["\n"] }, '{ stopSequences: ["\\n"] }: pass a list of texts that are not blank.'],
  [{ stopSequences: "STOP" }, '{ stopSequences: "STOP" }'],
  [{ model: " " }, '{ model: " " }: pass a text that is not blank.'],
  [{ baseUrl: "" }, '{ baseUrl: "" }'],
  [{ authToken: "" }, '{ authToken: "" }'],
  [{ promptCaching: "no" }, '{ promptCaching: "no" }: pass true or false.'],
  [{ cacheTtl: "10m" }, '{ cacheTtl: "10m" }: pass "5m" or "1h".'],
  [{ betas: "a,b" }, '{ betas: "a,b" }: pass a list of names'],
  [{ betas: ["a,b"] }, '{ betas: ["a,b"] }: pass a list of names, one in each text.'],
  [{ headers: { "x y": "1" } }, "{ headers: "],
  [{ headers: { "x-y": "1\r\nx-evil: 2" } }, "{ headers: "],
  [{ headers: ["x-y"] }, "{ headers: "],
  [{ anthropicVersion: "latest" }, '{ anthropicVersion: "latest" }: pass a date such as 2023-06-01.'],
  [{ metadata: { user_id: "u1" } }, '{ metadata: {"user_id":"u1"} }: pass { userId }.'],
  [{ metadata: { userId: "" } }, "{ metadata: "],
  [{ thinking: "on" }, '{ thinking: "on" }: pass "off", "adaptive", "between_tools" or { budgetTokens } of at least 1024.'],
  [{ thinking: { budgetTokens: 1000 } }, '{ thinking: {"budgetTokens":1000} }'],
  [{ thinking: null }, "{ thinking: null }"],
  [{ effort: "extreme" }, '{ effort: "extreme" }: pass one of low, medium, high, xhigh, max.'],
  [{ toolChoice: "required" }, '{ toolChoice: "required" }: pass "auto", "any", "none" or the { name } of a tool.'],
  [{ toolChoice: { name: "" } }, "{ toolChoice: "],
  [{ parallelToolCalls: 1 }, "{ parallelToolCalls: 1 }"],
  [{ hedgeAfterMs: 0 }, "{ hedgeAfterMs: 0 }: pass a number of ms above 0."],
  [{ hedgeAfterMs: Number.POSITIVE_INFINITY }, "{ hedgeAfterMs: Infinity }"],
  [{ fetch: "fetch" }, '{ fetch: "fetch" }: pass a function.'],
])("%j is refused with its value and the remedy", (options, message) => {
  expect(check(options)).toThrow(ConfigError);
  expect(check(options)).toThrow(`AnthropicLLM cannot use ${message}`);
});

test("a key and a token together are refused: only one could be sent", () => {
  expect(check({ apiKey: "k", authToken: "t" })).toThrow("pass either { apiKey } or { authToken }");
});
