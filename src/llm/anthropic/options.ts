import { ConfigError } from "../../core/errors.js";
import { checkOptionNames, showValue } from "../../core/option-names.js";
import { EFFORTS } from "./models.js";
import type { CacheTtl, Effort } from "./wire.js";

/**
 * How much the model thinks before it speaks. `off`: not at all, or as little as the model can. `between_tools`: only after
 * a tool's result. `adaptive`: as much as the model sees fit. `{ budgetTokens }`: up to that many tokens, at least 1024 and
 * fewer than `maxTokens`.
 */
export type AnthropicThinking = "off" | "adaptive" | "between_tools" | { readonly budgetTokens: number };

/** Whether the model may call tools, must call one, must not, or must call the one with this name. */
export type AnthropicToolChoice = "auto" | "any" | "none" | { readonly name: string };

/** Options of `AnthropicLLM`. What a known model refuses is left out of its requests, with one warning. */
export interface AnthropicLLMOptions {
  /** Default: the environment variable `ANTHROPIC_API_KEY`. */
  readonly apiKey?: string;
  /** A bearer token, sent instead of a key; the environment's key is then not read. Unset by default. Not together with `apiKey`. */
  readonly authToken?: string;
  /** Any Claude model's id or alias. Default `claude-haiku-4-5-20251001`. */
  readonly model?: string;
  /** The longest answer, in tokens, thinking included. Default 1024. */
  readonly maxTokens?: number;
  /** 0 to 1. Unset by default. Left out for models that refuse it, which is all from Opus 4.7 on, and while the model thinks. */
  readonly temperature?: number;
  /** 0 to 1. Unset by default. Left out as `temperature` is, and beside it for the 4.1, 4.5 and 4.6 models, which take one of the two. */
  readonly topP?: number;
  /** Texts that end the answer, none of them blank. Default none. */
  readonly stopSequences?: readonly string[];
  /**
   * A host, or the whole URL of a Messages endpoint. Without a scheme it is asked over HTTPS, this machine (`localhost`,
   * `127.0.0.1`, `[::1]`) over HTTP. Default `https://api.anthropic.com`.
   */
  readonly baseUrl?: string;
  /**
   * Marks tools, system prompt and conversation as cacheable (`cache_control: ephemeral`). Default true.
   * Prompts below the model's minimum, 4,096 tokens for Haiku 4.5, are never cached.
   */
  readonly promptCaching?: boolean;
  /**
   * How long tools and system prompt stay cached after their last use. Default `5m`. `1h` pays where calls are rarer than
   * that: writing costs twice the input price instead of 1.25 times. The conversation is always cached for 5 minutes.
   */
  readonly cacheTtl?: CacheTtl;
  /** Values of the `anthropic-beta` header. Default `["prompt-caching-2024-07-31"]` with `promptCaching`, else none; `[]` sends none. */
  readonly betas?: readonly string[];
  /** Headers for every request; they replace those of the same name that are sent otherwise. Default none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The `anthropic-version` header. Default `2023-06-01`. From `2026-10-21` on no model takes `temperature` or `topP`. */
  readonly anthropicVersion?: string;
  /** Who is served, as an opaque id without personal data, by which the vendor recognises abuse. Unset by default. */
  readonly metadata?: { readonly userId: string };
  /**
   * Default: what answers soonest. Nothing is sent where the model does not think by itself or always does; `off` for
   * Haiku 5.5, Sonnet 5 and Opus 5, `between_tools` for Sonnet 5.5, each unless `effort` is above `high`.
   */
  readonly thinking?: AnthropicThinking;
  /** How much work goes into an answer. Unset by default, but `low` for models that always think. Where a level is not offered, the next lower one is sent. */
  readonly effort?: Effort;
  /**
   * Sent with every request that has tools. Unset by default: the model decides. `any` and `{ name }` demand one round of calls for
   * each thing the caller says; the request behind the results says `auto`, so that the model can speak of them.
   * Models that refuse a demanded call (Sonnet 5.5, those that always think, any with `budgetTokens`) get `auto`.
   */
  readonly toolChoice?: AnthropicToolChoice;
  /** Whether one answer may call several tools. Default true. */
  readonly parallelToolCalls?: boolean;
  /**
   * Sends the request a second time when no text, tool call or thinking has come for this many ms; the first content wins,
   * both are paid for.
   * Unset by default: no second request.
   */
  readonly hedgeAfterMs?: number;
  /** Used in place of the built-in HTTP client. */
  readonly fetch?: typeof fetch;
}

/** The class in errors and warnings, as the user wrote it. */
export const CLASS_NAME = "AnthropicLLM";

const THINKING: readonly unknown[] = ["off", "adaptive", "between_tools"];
const TOOL_CHOICES: readonly unknown[] = ["auto", "any", "none"];
const MIN_BUDGET_TOKENS = 1024;

type Check = readonly [isValid: (value: unknown) => boolean, remedy: string];

const TEXT: Check = [isText, "pass a text that is not blank"];
const FLAG: Check = [(value) => typeof value === "boolean", "pass true or false"];
const SHARE: Check = [(value) => typeof value === "number" && value >= 0 && value <= 1, "pass a number from 0 to 1"];

const CHECKS: Readonly<Record<keyof AnthropicLLMOptions, Check>> = {
  apiKey: [(value) => typeof value === "string", "pass a text"],
  authToken: TEXT,
  model: TEXT,
  maxTokens: [(value) => isCount(value, 1), "pass a whole number above 0"],
  temperature: SHARE,
  topP: SHARE,
  stopSequences: [isTexts, "pass a list of texts that are not blank"],
  baseUrl: TEXT,
  promptCaching: FLAG,
  cacheTtl: [(value) => value === "5m" || value === "1h", 'pass "5m" or "1h"'],
  betas: [(value) => isTexts(value) && value.every(isToken), "pass a list of names, one in each text"],
  headers: [isHeaders, "pass an object of header names and one-line texts"],
  anthropicVersion: [(value) => typeof value === "string" && /^\d{4}-\d{2}-\d{2}$/.test(value), "pass a date such as 2023-06-01"],
  metadata: [(value) => isObject(value) && Object.keys(value).join() === "userId" && isText(value["userId"]), "pass { userId }"],
  thinking: [isThinking, 'pass "off", "adaptive", "between_tools" or { budgetTokens } of at least 1024'],
  effort: [(value) => (EFFORTS as readonly unknown[]).includes(value), "pass one of low, medium, high, xhigh, max"],
  toolChoice: [
    (value) => TOOL_CHOICES.includes(value) || (isObject(value) && isText(value["name"])),
    'pass "auto", "any", "none" or the { name } of a tool',
  ],
  parallelToolCalls: FLAG,
  hedgeAfterMs: [(value) => typeof value === "number" && value > 0 && Number.isFinite(value), "pass a number of ms above 0"],
  fetch: [(value) => typeof value === "function", "pass a function"],
};

/** @throws ConfigError that names the option, its value and the remedy, for a name that is not known and a value out of its range. */
export function checkOptions(options: AnthropicLLMOptions): void {
  const names = Object.keys(CHECKS) as (keyof AnthropicLLMOptions)[];
  checkOptionNames(options, { where: CLASS_NAME, known: names });
  for (const name of names) {
    const value = options[name];
    const [isValid, remedy] = CHECKS[name];
    if (value !== undefined && !isValid(value))
      throw new ConfigError(`${CLASS_NAME} cannot use { ${name}: ${showValue(value)} }: ${remedy}.`);
  }
  if (options.apiKey !== undefined && options.authToken !== undefined)
    throw new ConfigError(`${CLASS_NAME} takes one credential: pass either { apiKey } or { authToken }.`);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.trim() !== "";
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText);
}

/** Says whether a text can be one of several in a header, or a header's name. */
function isToken(text: string): boolean {
  return /^[\w!#$%&'*+.^`|~-]+$/.test(text);
}

function isHeaders(value: unknown): boolean {
  if (!isObject(value) || Array.isArray(value)) return false;
  return Object.entries(value).every(([name, text]) => isToken(name) && typeof text === "string" && !/[\r\n\0]/.test(text));
}

function isCount(value: unknown, least: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= least;
}

function isThinking(value: unknown): boolean {
  return THINKING.includes(value) || (isObject(value) && isCount(value["budgetTokens"], MIN_BUDGET_TOKENS));
}
