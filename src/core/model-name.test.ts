import { expect, test } from "vitest";
import { matchModelName } from "./model-name.js";

const NAMES = ["claude-opus-4", "claude-opus-4-1", "claude-opus-5", "claude-haiku-4-5", "claude-3-5-sonnet"];

test.each([
  ["claude-haiku-4-5", "claude-haiku-4-5"],
  ["claude-haiku-4-5-20251001", "claude-haiku-4-5"],
  ["claude-haiku-4-5-latest", "claude-haiku-4-5"],
  ["claude-3-5-sonnet-latest", "claude-3-5-sonnet"],
  ["claude-opus-4-20250514", "claude-opus-4"],
  ["claude-opus-4-1-20250805", "claude-opus-4-1"],
  ["anthropic.claude-haiku-4-5-20251001-v1:0", "claude-haiku-4-5"],
  ["us.anthropic.claude-haiku-4-5-20251001-v1:0", "claude-haiku-4-5"],
  ["global.anthropic.claude-opus-5-v1", "claude-opus-5"],
  ["arn:aws:bedrock:us-east-1:123456789012:inference-profile/eu.anthropic.claude-haiku-4-5-20251001-v1:0", "claude-haiku-4-5"],
  ["claude-haiku-4-5@20251001", "claude-haiku-4-5"],
  ["publishers/anthropic/models/claude-haiku-4-5@20251001", "claude-haiku-4-5"],
  ["anthropic/claude-haiku-4.5", "claude-haiku-4-5"],
  ["claude-3-5-sonnet-v2@20241022", "claude-3-5-sonnet"],
  ["anthropic/claude-3.5-sonnet:beta", "claude-3-5-sonnet"],
])("%s is %s", (id, name) => {
  expect(matchModelName(id, NAMES)).toBe(name);
});

test.each([
  "claude-opus-5-5",
  "claude-opus-5-5-20261001",
  "claude-opus-4-9",
  "claude-opus-50",
  "claude",
  "",
  "my-claude-haiku-4-5",
])("%j is none of them", (id) => {
  expect(matchModelName(id, NAMES)).toBeUndefined();
});

test.each([
  ["claude-haiku-4-5-20251001", "anthropic/claude-haiku-4.5"],
  ["llama3.2:3b", "llama3.2"],
])("%s is %s, however the name is spelled", (id, name) => {
  expect(matchModelName(id, ["claude-opus-5", name])).toBe(name);
});
