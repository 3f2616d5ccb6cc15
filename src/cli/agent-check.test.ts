import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LLM_PRICES } from "../observe/prices.js";
import { Pricing } from "../observe/pricing.js";
import { checkAgent, checkModel } from "./agent-check.js";
import { Output } from "./output.js";

const NOW = Date.parse("2026-11-22T12:00:00Z");

function check(model: string) {
  return checkModel("agent.ts", { provider: "anthropic", model }, NOW);
}

describe("a check of an agent's model", () => {
  it("names the successor of a retired one, and the option to set", () => {
    expect(check("claude-3-5-haiku-latest")).toEqual({
      level: "fail",
      what: 'agent.ts: asks claude-3-5-haiku-latest, which its vendor retired on 2026-02-19: set new AnthropicLLM({ model: "claude-haiku-4-5-20251001" })',
    });
  });

  it("warns of one that retires later", () => {
    const { level, what } = checkModel(
      "agent.ts",
      { provider: "anthropic", model: "claude-3-opus-20240229" },
      Date.parse("2025-12-24"),
    );
    expect(level).toBe("warn");
    expect(what).toContain("retires on 2026-01-05: set new AnthropicLLM({ model:");
    expect(what).toContain("before then");
  });

  it("says from which size on prompts are cached", () => {
    expect(check("claude-haiku-4-5-20251001")).toEqual({
      level: "ok",
      what: "agent.ts: asks claude-haiku-4-5-20251001, which caches prompts of 4096 tokens or more",
    });
  });

  it("warns of one whose price is not known, unless the file brings it", () => {
    expect(check("claude-fable-5-2")).toEqual({
      level: "warn",
      what: expect.stringMatching(
        /^agent\.ts: asks claude-fable-5-2, .* What it costs is unknown: export pricing beside the agent$/,
      ),
    });
    const pricing = new Pricing({ "claude-fable-5-2": { input: 10, output: 50 } });
    expect(checkModel("agent.ts", { provider: "anthropic", model: "claude-fable-5-2" }, NOW, pricing).level).toBe("ok");
  });

  it("warns of a Claude that is not known, and of no other vendor's model", () => {
    expect(check("claude-haiku-9").level).toBe("warn");
    expect(checkModel("agent.ts", { provider: "openai-compatible", model: "llama" }, NOW)).toEqual({
      level: "ok",
      what: "agent.ts: asks llama (openai-compatible)",
    });
  });

  it("knows every model that has a price", () => {
    const named = LLM_PRICES.filter(({ provider }) => provider === "anthropic").map(({ model }) => check(model).what);
    expect(named.filter((what) => what.includes("is not known"))).toEqual([]);
  });
});

describe("a check of an agent's file", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "agent-check-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const out = new Output(process.stdout);

  it("says why the file cannot be loaded", async () => {
    await writeFile(join(folder, "nothing.mjs"), "export const nothing = 1;");
    const context = { out, err: out, env: {}, cwd: folder };
    expect(await checkAgent("nothing.mjs", context)).toEqual([
      { level: "fail", what: expect.stringMatching(/^nothing\.mjs exports no agent: /) },
    ]);
    expect(await checkAgent("missing.mjs", context)).toEqual([
      { level: "fail", what: expect.stringMatching(/^There is no file .*missing\.mjs/) },
    ]);
  });
});
