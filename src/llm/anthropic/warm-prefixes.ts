import { createHash } from "node:crypto";
import { systemClock } from "../../core/clock.js";
import type { ProviderError } from "../../core/errors.js";
import { isRecord, parseJson } from "../../core/json.js";
import type { LlmOptions, LlmUsage } from "../../core/llm.js";
import { abortable } from "../../core/signals.js";
import { readText, responseError } from "../../provider-kit/http-errors.js";
import { type ConnectionRequest, openConnection } from "../../provider-kit/open-connection.js";
import { LOWEST_CACHE_MINIMUM, modelRules } from "./models.js";
import type { Warn } from "./parameters.js";
import { UsageMeter } from "./usage.js";
import type { CacheTtl, MessagesBody } from "./wire.js";

/** The request that fills the cache. */
export type WarmupBody = Omit<MessagesBody, "stream">;

/** What filling the cache needs to know of its provider. */
export interface WarmPrefixesOptions {
  /** The Messages endpoint. */
  readonly url: string;
  /** What is asked where only the connection is of use. */
  readonly connection: ConnectionRequest;
  readonly model: string;
  readonly ttl: CacheTtl;
  readonly warn: Warn;
  /** Says more about a vendor's error. */
  readonly explain: (error: ProviderError) => ProviderError;
}

/** How long after its last use a beginning is surely still cached: the vendor's time less a margin, in ms. */
const FRESH_MS: Readonly<Record<CacheTtl, number>> = { "5m": 4 * 60_000, "1h": 50 * 60_000 };
/** The vendor reads the whole prompt before it answers. */
const WARMUP_TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 65_536;
/** Fewer bytes of text to a token than any prompt has: what is too short even so is not sent. */
const BYTES_PER_TOKEN = 2;
/** How many beginnings are remembered; the one that was unused for longest goes first. */
const MAX_PREFIXES = 100;

/**
 * Fills the vendor's cache with what the requests of a call begin with, while the phone rings, and remembers what is in
 * it. One request per beginning is under way at a time, and none is sent for what was used a short while ago.
 */
export class WarmPrefixes {
  readonly #options: WarmPrefixesOptions;
  /** `undefined` for a model that is not known. */
  readonly #minTokens: number | undefined;
  /** When each beginning was last read or written, on the clock of the request, or that it is not cached; in the order of that. */
  readonly #prefixes = new Map<string, number | "not_cached">();
  /** Whether each came to its end: an abort leaves the beginning as it was. */
  readonly #underWay = new Map<string, Promise<boolean>>();
  /** Gateways have been seen to refuse an answer of no tokens. */
  #refusesZero = false;

  constructor(options: WarmPrefixesOptions) {
    this.#options = options;
    this.#minTokens = modelRules(options.model)?.cacheMinTokens;
  }

  /**
   * Notes that an answer whose request was sent at `sentMs` has used its beginning. Whether that is cached only a warm-up
   * tells, which has nothing else to cache: what an answer reads may be the conversation, where the beginning alone is too short.
   */
  saw(body: WarmupBody, usage: LlmUsage, sentMs: number): void {
    const prefix = prefixOf(body);
    if (cachedTokens(usage) > 0) {
      if (typeof this.#prefixes.get(prefix) === "number") this.#remember(prefix, sentMs);
      return;
    }
    // Other servers of this protocol may not count what is cached.
    if (this.#minTokens === undefined || usage.cacheReadTokens !== 0 || usage.inputTokens >= this.#minTokens) return;
    this.#remember(prefix, "not_cached");
    this.#warnOfMinimum(usage.inputTokens, this.#minTokens);
  }

  /** Sends the request unless it is of no use; then only the connection is opened. An abort ends it quietly. @throws ProviderError */
  async warm(body: WarmupBody, options: LlmOptions = {}): Promise<void> {
    const prefix = prefixOf(body);
    const { signal = new AbortController().signal } = options;
    for (let other = this.#underWay.get(prefix); other !== undefined; other = this.#underWay.get(prefix)) {
      const isDone = await abortable(other, signal).catch(ignoreAbort(signal));
      // The call that sent it may have ended before the answer; then this one sends its own.
      if (isDone !== false || signal.aborted) return;
    }
    if (!this.#isUseful(body, prefix, options)) return openConnection(this.#options.connection, options);
    const sending = this.#fill(body, prefix, options)
      .catch(ignoreAbort(signal))
      .then(() => !signal.aborted)
      .finally(() => this.#underWay.delete(prefix));
    this.#underWay.set(prefix, sending);
    await sending;
  }

  #isUseful(body: WarmupBody, prefix: string, { clock = systemClock }: LlmOptions): boolean {
    // A thinking budget needs more tokens to answer with than a warm-up may use.
    if (body.thinking?.type === "enabled") return false;
    if (Buffer.byteLength(prefixText(body)) / BYTES_PER_TOKEN < (this.#minTokens ?? LOWEST_CACHE_MINIMUM)) return false;
    const lastUse = this.#prefixes.get(prefix);
    if (lastUse === undefined || lastUse === "not_cached") return lastUse === undefined;
    return clock.now() - lastUse >= FRESH_MS[this.#options.ttl];
  }

  async #fill(body: WarmupBody, prefix: string, options: LlmOptions): Promise<void> {
    const sentMs = (options.clock ?? systemClock).now();
    // A demanded tool call is not accepted with no tokens to make it with.
    const isForced = body.tool_choice?.type === "any" || body.tool_choice?.type === "tool";
    let answer = await this.#send({ ...body, max_tokens: isForced || this.#refusesZero ? 1 : 0 }, options);
    if (answer.error?.status === 400 && !isForced && !this.#refusesZero) {
      answer = await this.#send({ ...body, max_tokens: 1 }, options);
      this.#refusesZero = answer.error === undefined;
    }
    if (answer.error !== undefined) throw this.#options.explain(answer.error);
    if (answer.usage === undefined) return;
    this.#remember(prefix, cachedTokens(answer.usage) > 0 ? sentMs : "not_cached");
    this.saw(body, answer.usage, sentMs);
    options.onUsage?.(answer.usage);
  }

  async #send(
    body: WarmupBody,
    { signal, clock }: LlmOptions,
  ): Promise<{ readonly error?: ProviderError; readonly usage?: LlmUsage }> {
    const { url, connection } = this.#options;
    const { http, identity, headers } = connection;
    const response = await http.request({
      method: "POST",
      url,
      headers,
      body: JSON.stringify(body),
      signal,
      clock,
      headersTimeoutMs: WARMUP_TIMEOUT_MS,
    });
    response.expectProgress(WARMUP_TIMEOUT_MS);
    if (response.status !== 200) return { error: await responseError(identity, response, clock) };
    const answer = parseJson(await readText(response, MAX_ANSWER_BYTES));
    response.discard();
    const meter = new UsageMeter();
    if (isRecord(answer)) {
      meter.start(answer["usage"]);
      meter.end(answer["usage"]);
    }
    const usage = meter.usage();
    return usage === undefined ? {} : { usage };
  }

  #warnOfMinimum(promptTokens: number, minTokens: number): void {
    const { model, warn } = this.#options;
    const choice =
      minTokens > LOWEST_CACHE_MINIMUM
        ? `choose a model with a lower minimum (${LOWEST_CACHE_MINIMUM} for claude-haiku-5-5 and claude-sonnet-5-5), or pass`
        : "pass";
    warn(
      "prompt_below_cache_minimum",
      `nothing was cached: the prompt has ${promptTokens} tokens, and ${model} caches prompts of ${minTokens} or more. If the prompt stays so short, ${choice} { promptCaching: false }.`,
    );
  }

  #remember(prefix: string, lastUse: number | "not_cached"): void {
    this.#prefixes.delete(prefix);
    this.#prefixes.set(prefix, lastUse);
    const [oldest] = this.#prefixes.keys();
    if (this.#prefixes.size > MAX_PREFIXES && oldest !== undefined) this.#prefixes.delete(oldest);
  }
}

function cachedTokens({ cacheReadTokens = 0, cacheWrite5mTokens = 0, cacheWrite1hTokens = 0 }: LlmUsage): number {
  return cacheReadTokens + cacheWrite5mTokens + cacheWrite1hTokens;
}

/** What calls have in common: tools, and the system prompt without the values of one call behind it. */
function prefixText({ tools, system }: WarmupBody): string {
  return JSON.stringify([tools, system?.[0]]);
}

function prefixOf(body: WarmupBody): string {
  return createHash("sha256").update(prefixText(body)).digest("base64");
}

function ignoreAbort(signal: AbortSignal): (error: unknown) => void {
  return (error) => {
    if (!signal.aborted) throw error;
  };
}
