import { createHash } from "node:crypto";
import type { Clock } from "../../core/clock.js";
import type { ModelRules } from "./model-rules.js";
import { type PromptBlock, promptBlocks, withAutomaticMarker, withoutOldThinking } from "./prompt.js";
import type { AnthropicRequestBody } from "./wire.js";

/** Blocks that a marker looks back for an entry, itself the first of them. */
const LOOKBACK_BLOCKS = 20;
const LIFETIME_MS = { "5m": 300_000, "1h": 3_600_000 };

type Ttl = keyof typeof LIFETIME_MS;

/** How a request's prompt divides, in tokens. */
export interface CacheUse {
  readonly input: number;
  readonly read: number;
  readonly write5m: number;
  readonly write1h: number;
  /** Makes what the request writes readable and renews what it reads: to be called when its response begins. */
  readonly commit: () => void;
}

interface Entry {
  readonly ttl: Ttl;
  expiresAtMs: number;
}

interface Position {
  /** Of everything up to this block. */
  readonly key: string;
  readonly tokens: number;
  readonly ttl: Ttl | undefined;
}

interface Found {
  readonly key: string;
  readonly entry: Entry;
  readonly tokens: number;
}

/**
 * The prompt cache of one workspace: beginnings of prompts, byte for byte, kept for each model.
 *
 * Entries are written only where a marker stands and found only by looking back from a marker. `tool_choice`, images,
 * thinking and effort belong to what stands before the messages, so that changing them loses the messages and keeps
 * tools and system; for thinking and effort the API does so on some models and loses more on others.
 */
export class PromptCache {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What a valid request reads and will write, as of now; so are the lifetimes that it begins and renews. */
  use(body: AnthropicRequestBody, rules: ModelRules): CacheUse {
    const startMs = this.#clock.now();
    const positions = promptPositions(body, rules);
    const total = positions.at(-1)?.tokens ?? 0;
    const marked = positions.filter((position) => position.ttl !== undefined && position.tokens >= rules.minimumCachedTokens);
    const found = this.#find(positions, startMs);
    const read = Math.max(0, ...found.map(({ tokens }) => tokens));
    const written = { "5m": 0, "1h": 0 };
    let done = read;
    for (const { tokens, ttl } of marked) {
      if (tokens <= done) continue;
      written[ttl as Ttl] += tokens - done;
      done = tokens;
    }
    const commit = (): void => {
      for (const { entry } of found) entry.expiresAtMs = Math.max(entry.expiresAtMs, startMs + LIFETIME_MS[entry.ttl]);
      const live = new Set(found.map(({ key }) => key));
      // A marker of another lifetime does not change that of an entry that it reads.
      for (const { key, ttl } of marked) if (!live.has(key)) this.#write(key, ttl as Ttl, startMs);
    };
    return { input: total - done, read, write5m: written["5m"], write1h: written["1h"], commit };
  }

  /** The live entry that each marker finds, if any, and how many tokens it spares. */
  #find(positions: readonly Position[], nowMs: number): readonly Found[] {
    return positions.flatMap(({ ttl }, index) => {
      if (ttl === undefined) return [];
      for (let back = index; back >= 0 && back > index - LOOKBACK_BLOCKS; back--) {
        const { key, tokens } = positions[back] as Position;
        const entry = this.#entries.get(key);
        if (entry !== undefined && entry.expiresAtMs > nowMs) return [{ key, entry, tokens }];
      }
      return [];
    });
  }

  #write(key: string, ttl: Ttl, startMs: number): void {
    const expiresAtMs = startMs + LIFETIME_MS[ttl];
    const present = this.#entries.get(key);
    if (present === undefined || present.expiresAtMs < expiresAtMs) this.#entries.set(key, { ttl, expiresAtMs });
  }
}

/** The tokens of a whole prompt. */
export function promptTokens(body: AnthropicRequestBody): number {
  return promptBlocks(body).reduce((sum, { tokens }) => sum + tokens, 0);
}

function promptPositions(body: AnthropicRequestBody, rules: ModelRules): Position[] {
  const all = withAutomaticMarker(promptBlocks(body), body);
  const blocks = rules.forgetsThinking ? withoutOldThinking(all) : all;
  let key = digest("", JSON.stringify([rules.id, body.speed ?? "standard"]));
  let tokens = 0;
  let inMessages = false;
  return blocks.map((block) => {
    if (block.section === "messages" && !inMessages) {
      inMessages = true;
      key = digest(key, messageSettings(body, rules, blocks));
    }
    key = digest(key, block.text);
    tokens += block.tokens;
    return { key, tokens, ttl: block.cacheControl === undefined ? undefined : (block.cacheControl.ttl ?? "5m") };
  });
}

/** What loses the cached messages when it changes; a default counts the same whether it is said or left out. */
function messageSettings(body: AnthropicRequestBody, rules: ModelRules, blocks: readonly PromptBlock[]): string {
  const { tool_choice: choice, thinking, output_config: output } = body;
  return JSON.stringify([
    choice?.type ?? "auto",
    choice?.name ?? "",
    choice?.disable_parallel_tool_use ?? false,
    blocks.some(({ type }) => type === "image"),
    thinking?.type ?? rules.defaultThinking,
    thinking?.budget_tokens ?? 0,
    output?.effort ?? rules.defaultEffort,
  ]);
}

function digest(before: string, text: string): string {
  return createHash("sha256").update(before).update(text).digest("base64url");
}
