import { afterEach, expect, test, vi } from "vitest";
import { Warnings } from "./warnings.js";

afterEach(() => vi.restoreAllMocks());

test("a warning is told once per code and owner, as a process warning with its code", () => {
  const emit = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const warnings = new Warnings("AnthropicLLM");
  warnings.once("sampling_left_out", "temperature 0.2 is left out. Remove it.");
  warnings.once("sampling_left_out", "again");
  warnings.once("thinking_left_out", "other");
  new Warnings("OpenAICompatibleLLM").once("sampling_left_out", "another owner");
  expect(emit.mock.calls).toEqual([
    ["AnthropicLLM: temperature 0.2 is left out. Remove it.", { type: "GetpatterWarning", code: "sampling_left_out" }],
    ["AnthropicLLM: other", { type: "GetpatterWarning", code: "thinking_left_out" }],
    ["OpenAICompatibleLLM: another owner", { type: "GetpatterWarning", code: "sampling_left_out" }],
  ]);
});
