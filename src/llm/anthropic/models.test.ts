import { expect, test } from "vitest";
import { DEFAULT_MODEL, LOWEST_CACHE_MINIMUM, MODEL_NAMES, modelRules, retiredModel } from "./models.js";

test("a model is known by its alias, its snapshot, and the ids of resellers", () => {
  const rules = modelRules("claude-haiku-4-5");
  expect(rules?.cacheMinTokens).toBe(4096);
  for (const id of [
    DEFAULT_MODEL,
    "us.anthropic.claude-haiku-4-5-20251001-v1:0",
    "claude-haiku-4-5@20251001",
    "anthropic/claude-haiku-4.5",
  ])
    expect(modelRules(id), id).toBe(rules);
});

test("a model that is not known has no rules, however much its name resembles another", () => {
  for (const id of ["claude-opus-6", "claude-haiku-4-5-turbo", "gpt-5", ""]) expect(modelRules(id), id).toBeUndefined();
  expect(modelRules("claude-opus-5-5")).not.toBe(modelRules("claude-opus-5"));
});

test("every retired model names a successor of its tier that is not retired itself", () => {
  const tier = (id: string) => /haiku|sonnet|opus|mythos/.exec(id)?.[0];
  const retired = MODEL_NAMES.filter((name) => retiredModel(name) !== undefined);
  expect(retired.length).toBeGreaterThan(10);
  for (const name of retired) {
    const { successor = "", date = "" } = retiredModel(name) ?? {};
    expect(tier(successor), name).toBe(tier(name));
    expect(modelRules(successor), name).toBeDefined();
    expect(retiredModel(successor), name).toBeUndefined();
    expect(date).toMatch(/^\d{4}-\d{2}-\d{2}$/);
  }
});

test("the aliases of the older documentation are known as retired", () => {
  expect(retiredModel("claude-3-5-haiku-latest")).toEqual({ date: "2026-02-19", successor: DEFAULT_MODEL });
  expect(retiredModel("claude-3-5-sonnet-20241022")).toEqual({ date: "2025-10-28", successor: "claude-sonnet-4-6" });
  expect(retiredModel(DEFAULT_MODEL)).toBeUndefined();
});

test("no model caches less than the lowest minimum", () => {
  expect(Math.min(...MODEL_NAMES.map((name) => modelRules(name)?.cacheMinTokens ?? 0))).toBe(LOWEST_CACHE_MINIMUM);
});
