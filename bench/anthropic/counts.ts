import { Pricing } from "../../src/observe/pricing.js";
import { AnthropicServer } from "../../src/testing/anthropic/server.js";
import type { AnthropicUsage } from "../../src/testing/anthropic/wire.js";
import { MODEL } from "./conversation.mjs";
import { BARE_LOOPS, type CachingKind, CACHING, type ClientKind, OURS, RIVALS } from "./kinds.js";
import { startClient } from "./processes.js";

export const CONCURRENT_REPLIES = 30;

const ANSWER = "Certainly, I can do that for you. We have a free slot on Tuesday at a quarter past nine, if that suits you.";
/** Slow enough that an answer is still coming when the caller interrupts it. */
const LATENCY = { headersMs: 10, firstTokenMs: 10, tokenMs: 5 };

export interface Connections {
  readonly ofBargeIns: number;
  readonly ofConcurrent: number;
}

/** TLS connections that a server accepted: in a call with barge-ins, and for answers at once. */
export async function countConnections(certificateFile: string): Promise<ReadonlyMap<ClientKind, Connections>> {
  const kinds = [OURS, ...RIVALS, ...BARE_LOOPS];
  const inAll = async (task: object): Promise<number[]> =>
    (await Promise.all(kinds.map((kind) => countsOf(kind, task, certificateFile)))).map(({ connections }) => connections);
  const bargeIns = await inAll({ task: "bargeIns" });
  const concurrent = await inAll({ task: "concurrent", count: CONCURRENT_REPLIES });
  return new Map(
    kinds.map((kind, index) => [kind, { ofBargeIns: bargeIns[index] as number, ofConcurrent: concurrent[index] as number }]),
  );
}

export interface InputCost {
  readonly kind: CachingKind;
  /** Of the whole prefix, tools and system prompt and the first words. */
  readonly firstPromptTokens: number;
  readonly turns: number;
  /** Input side only, from turn 2 on. */
  readonly costUsd: number;
  /** Of the prompts from turn 2 on. */
  readonly cachedShare: number;
}

/** What the input of a call costs, by the usage that the server counted. */
export async function inputCosts(certificateFile: string): Promise<InputCost[]> {
  return Promise.all(
    CACHING.map(async (kind) => {
      const { usages } = await countsOf(kind, { task: "call" }, certificateFile);
      const later = usages.slice(1);
      const read = sum(later.map((usage) => usage.cache_read_input_tokens ?? 0));
      return {
        kind,
        firstPromptTokens: promptTokens(usages[0] as AnthropicUsage),
        turns: usages.length,
        costUsd: sum(later.map(inputCostUsd)),
        cachedShare: read / sum(later.map(promptTokens)),
      };
    }),
  );
}

function inputCostUsd(usage: AnthropicUsage): number {
  const { costUsd } = new Pricing().costOf("anthropic", MODEL, {
    inputTokens: usage.input_tokens,
    outputTokens: 0,
    cacheReadTokens: usage.cache_read_input_tokens ?? 0,
    cacheWrite5mTokens: usage.cache_creation?.ephemeral_5m_input_tokens ?? 0,
    cacheWrite1hTokens: usage.cache_creation?.ephemeral_1h_input_tokens ?? 0,
  });
  if (costUsd === undefined) throw new Error(`The price of ${MODEL} is not known.`);
  return costUsd;
}

function promptTokens(usage: AnthropicUsage): number {
  return usage.input_tokens + (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

interface Counts {
  readonly connections: number;
  readonly usages: readonly AnthropicUsage[];
}

/** What a fresh server has counted after one task of a fresh client. @throws Error when it has refused a request. */
async function countsOf(kind: CachingKind, task: object, certificateFile: string): Promise<Counts> {
  await using server = await AnthropicServer.start({ http2: true, defaultReply: { text: ANSWER }, latency: LATENCY });
  await using client = await startClient(kind, { url: server.url, certificateFile });
  await client.ask(task);
  const refused = server.requests.find(({ status }) => status !== 200);
  if (refused !== undefined) throw new Error(`${kind.name} was answered ${refused.status} to ${refused.bodyText.slice(0, 400)}`);
  return { connections: server.connections, usages: server.requests.flatMap(({ usage }) => usage ?? []) };
}
