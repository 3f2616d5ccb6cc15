import { readFileSync } from "node:fs";
import { MODEL_NAMES, type ModelRules, modelRules } from "../../src/llm/anthropic/models.js";
import { LLM_PRICES, type LlmPrice, type LlmRates } from "../../src/observe/prices.js";

/** Tables that documents hold between `<!-- table: NAME -->` and `<!-- /table -->`, made from the code's own data. */
export const TABLES: Readonly<Record<string, () => string>> = {
  "anthropic-specified-prices": specifiedPrices,
  "anthropic-prices": prices,
  "anthropic-models": models,
  "anthropic-retired": retired,
};

const DEFAULT_MODEL = "claude-haiku-4-5";
/** The three models of the specification, in its order. */
const SPECIFIED = ["claude-opus-4-7", "claude-sonnet-4-6", DEFAULT_MODEL];
const ANTHROPIC = LLM_PRICES.filter(({ provider }) => provider === "anthropic");

/** The names of the options of `AnthropicLLM`, in the order of their declaration. */
export function anthropicOptionNames(): string[] {
  const source = readFileSync(new URL("../../src/llm/anthropic/options.ts", import.meta.url), "utf8");
  const body = /interface AnthropicLLMOptions \{\n(?<body>[\s\S]*?)\n\}/.exec(source)?.groups?.["body"] ?? "";
  return [...body.matchAll(/^ {2}readonly (\w+)\?:/gm)].map((match) => match[1] as string);
}

function specifiedPrices(): string {
  const rows = SPECIFIED.flatMap((name) => {
    const { rates, published } = price(name);
    const isDefault = name === DEFAULT_MODEL ? " (default)" : "";
    const own = [`\`${name}\`${isDefault}`, ...specifiedRates(rates)];
    return published === undefined ? [own] : [own, ["— as published by Anthropic", ...specifiedRates(published.rates)]];
  });
  return table(["Model", "Input", "Output", "Cache read", "Cache write"], rows);
}

function specifiedRates(rates: LlmRates): string[] {
  return [rates.input, rates.output, rates.cacheRead, rates.cacheWrite5m].map(usd);
}

function prices(): string {
  const offered = ANTHROPIC.filter(({ model }) => modelRules(model)?.retired === undefined);
  const rows = offered.flatMap(({ model, rates, longPrompt, published }) => [
    [`\`${model}\``, ...allRates(rates)],
    ...(longPrompt === undefined
      ? []
      : [[`— prompts over ${longPrompt.aboveTokens.toLocaleString("en")} tokens`, ...allRates(longPrompt)]]),
    ...(published === undefined ? [] : [["— as published by Anthropic", ...allRates(published.rates)]]),
  ]);
  return table(["Model", "Input", "Output", "Cache read", "Cache write, 5 min", "Cache write, 1 h"], rows);
}

function allRates({ input, output, cacheRead, cacheWrite5m, cacheWrite1h }: LlmRates): string[] {
  return [input, output, cacheRead, cacheWrite5m, cacheWrite1h].map(usd);
}

function models(): string {
  const rows = MODEL_NAMES.map((name) => ({ name, rules: modelRules(name) as ModelRules }))
    .filter(({ rules }) => rules.retired === undefined)
    .map(({ name, rules }) => [
      `\`${name}\``,
      rules.cacheMinTokens.toLocaleString("en"),
      sentByDefault(rules),
      rules.thinking.map(optionOf).join(", ") || "none",
      efforts(rules),
      { any: "both", one: "one of the two", none: "refused" }[rules.sampling],
      rules.acceptsForcedToolChoice ? "yes" : "`auto` instead",
    ]);
  const head = [
    "Model",
    "Cached from, tokens",
    "Thinking unless told",
    "`thinking`",
    "`effort`",
    "`temperature`, `topP`",
    "Demanded tool",
  ];
  return table(head, rows);
}

function efforts({ efforts: accepted }: ModelRules): string {
  if (accepted.length === 0) return "refused";
  const without = accepted.includes("max") && !accepted.includes("xhigh") ? ", without `xhigh`" : "";
  return `to \`${accepted.at(-1)}\`${without}`;
}

function sentByDefault({ thinksByDefault, thinking }: ModelRules): string {
  if (thinksByDefault === "no") return "none";
  if (thinksByDefault === "always") return "always, with effort `low`";
  return thinking.includes("disabled") ? "turned off" : "after tool results only";
}

function optionOf(type: ModelRules["thinking"][number]): string {
  if (type === "enabled") return "`{ budgetTokens }`";
  return `\`${type === "disabled" ? "off" : type}\``;
}

function retired(): string {
  const rows = MODEL_NAMES.flatMap((name) => {
    const end = modelRules(name)?.retired;
    return end === undefined ? [] : [[`\`${name}\``, end.date, `\`${end.successor}\``]];
  });
  return table(["Model", "Requests fail from", "Takes its place"], rows);
}

function price(name: string): LlmPrice {
  const found = ANTHROPIC.find(({ model }) => model === name);
  if (found === undefined) throw new Error(`${name} has no price.`);
  return found;
}

function usd(rate: number | undefined): string {
  if (rate === undefined) return "unknown";
  return `$${Number(rate.toFixed(2)) === rate ? rate.toFixed(2) : rate}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
