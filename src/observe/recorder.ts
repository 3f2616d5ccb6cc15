import type { CallEndReason, CallEvent, CallEventOf } from "../core/call-event.js";
import type { LlmUsage } from "../core/llm.js";
import { cacheHitShare, totalUsage } from "../core/llm-usage.js";
import { type CallCost, callCost, llmUsageOf } from "./call-cost.js";
import { type TurnLatency, turnLatencies } from "./latency.js";
import { Pricing, totalCost } from "./pricing.js";

/** One side's words, as they were understood (user) or heard (assistant). */
export interface TranscriptEntry {
  readonly role: "user" | "assistant";
  readonly text: string;
  /** Ms since the call was connected. */
  readonly atMs: number;
}

/** What a call consumed at one provider. */
export interface ProviderUsage {
  readonly stage: "stt" | "llm" | "tts";
  readonly provider: string;
  readonly model: string;
  readonly requests?: number;
  readonly tokens?: LlmUsage;
  readonly audioMs?: number;
  readonly characters?: number;
}

/** An answered turn: where its time went, and what its requests to the model used. */
export interface TurnRecord extends TurnLatency {
  readonly tokens?: LlmUsage;
  /** The share of its prompts that was read from the cache, 0 to 1. */
  readonly cacheHitShare?: number;
  /** Absent when it is not known. */
  readonly costUsd?: number;
  /** At the vendor's published rates, where the price is not from there. */
  readonly published?: { readonly costUsd: number };
}

/** What went wrong in a call; the request's id and status where a vendor answered one with an error. */
export type CallErrorEntry = Pick<CallEventOf<"call_error">, "stage" | "code" | "message" | "requestId" | "status">;

/** A call as it is remembered. Times ending in `At` are ms since 1970. */
export interface CallRecord {
  readonly callId: string;
  readonly carrier: string;
  readonly from: string;
  readonly to: string;
  readonly direction: "inbound" | "outbound";
  readonly startedAt: number;
  readonly endedAt?: number;
  readonly durationMs?: number;
  readonly endReason?: CallEndReason;
  readonly transcript: readonly TranscriptEntry[];
  readonly turns: readonly TurnRecord[];
  readonly bargeIns: number;
  readonly usage: readonly ProviderUsage[];
  readonly cost: CallCost;
  readonly errors: readonly CallErrorEntry[];
}

/**
 * Folds a call's events into its record. The same events give the same record.
 * @param pricing What models cost. Default: the built-in prices.
 */
export function recordOf(events: readonly CallEvent[], pricing: Pricing = new Pricing()): CallRecord {
  const started = events.find((event) => event.type === "call_started");
  const ended = events.find((event) => event.type === "call_ended");
  return {
    callId: events[0]?.callId ?? "",
    carrier: started?.carrier ?? "",
    from: started?.from ?? "",
    to: started?.to ?? "",
    direction: started?.direction ?? "inbound",
    startedAt: started?.startedAt ?? 0,
    ...(ended && { endedAt: ended.endedAt, durationMs: ended.durationMs, endReason: ended.reason }),
    transcript: events.map(transcriptEntry).filter((entry) => entry !== undefined),
    turns: turnLatencies(events).map((latency) => ({ ...latency, ...replyCost(events, latency.reply, pricing) })),
    bargeIns: events.filter((event) => event.type === "barge_in").length,
    usage: usageOf(events),
    cost: callCost(events, pricing),
    errors: events.flatMap((event) => (event.type === "call_error" ? [errorEntry(event)] : [])),
  };
}

/** The line an event adds to the transcript, if any. */
export function transcriptEntry(event: CallEvent): TranscriptEntry | undefined {
  if (event.type === "turn_committed") return { role: "user", text: event.transcript, atMs: event.atMs };
  if (event.type === "reply_ended" && event.heard !== "") return { role: "assistant", text: event.heard, atMs: event.atMs };
  return undefined;
}

/** What one reply's requests to the model used and cost. */
export function replyCost(
  events: readonly CallEvent[],
  reply: number,
  pricing: Pricing,
): Pick<TurnRecord, "tokens" | "cacheHitShare" | "costUsd" | "published"> {
  const requests = events
    .filter((event) => event.type === "llm_usage" && event.reply === reply)
    .flatMap((event) => llmUsageOf(event) ?? []);
  const tokens = requests.reduce<LlmUsage | undefined>((sum, { usage }) => totalUsage(usage, sum), undefined);
  if (tokens === undefined) return {};
  const share = cacheHitShare(tokens);
  const { costUsd, published } = totalCost(requests.map(({ provider, model, usage }) => pricing.costOf(provider, model, usage)));
  return {
    tokens,
    ...(share !== undefined && { cacheHitShare: share }),
    ...(costUsd !== undefined && { costUsd }),
    ...(published && { published }),
  };
}

function usageOf(events: readonly CallEvent[]): ProviderUsage[] {
  const usage = new Map<string, ProviderUsage>();
  const add = (
    stage: ProviderUsage["stage"],
    event: { provider: string; model: string },
    change: (known: ProviderUsage) => ProviderUsage,
  ): void => {
    const key = `${stage} ${event.provider} ${event.model}`;
    usage.set(key, change(usage.get(key) ?? { stage, provider: event.provider, model: event.model }));
  };
  for (const event of events) {
    const used = llmUsageOf(event);
    if (used !== undefined) {
      add("llm", used, (known) => ({
        ...known,
        requests: (known.requests ?? 0) + 1,
        tokens: totalUsage(used.usage, known.tokens),
      }));
    } else if (event.type === "stt_usage")
      add("stt", event, (known) => ({ ...known, audioMs: (known.audioMs ?? 0) + event.audioMs }));
    else if (event.type === "tts_usage")
      add("tts", event, (known) => ({ ...known, characters: (known.characters ?? 0) + event.characters }));
  }
  return [...usage.values()];
}

/** What is kept of an error. */
export function errorEntry({ stage, code, message, requestId, status }: CallEventOf<"call_error">): CallErrorEntry {
  return { stage, code, message, ...(requestId !== undefined && { requestId }), ...(status !== undefined && { status }) };
}
