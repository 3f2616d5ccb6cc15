import type { Agent } from "../agent/agent.js";
import { requestPrefix } from "../agent/prompt.js";
import type { CallEventBody } from "../core/call-event.js";
import type { Clock } from "../core/clock.js";
import type { LlmUsage } from "../core/llm.js";
import { totalUsage } from "../core/llm-usage.js";
import { abortable, within } from "../core/signals.js";

/** How long an aborted warm-up may take to say what it cost, in ms. */
const LAST_WORDS_MS = 1000;

export interface WarmUpOptions {
  readonly agent: Agent;
  readonly clock: Clock;
  /** Ends it. */
  readonly signal: AbortSignal;
  readonly callId?: string;
  /** The first request will tell of a failure that lasts. */
  readonly onFailure?: (error: unknown) => void;
}

/**
 * Has the agent's model open its connection and fill its cache with what every request of a call begins with.
 * Resolves with the event that tells of it: when the model is ready, and after an abort or a failure that has cost tokens.
 * Nothing of a call waits for it. Never rejects; a model that cannot be warmed up is left alone.
 */
export async function warmUp(options: WarmUpOptions): Promise<CallEventBody | undefined> {
  const { agent, clock, signal, callId, onFailure } = options;
  const { llm } = agent;
  if (llm?.warmup === undefined) return undefined;
  const startedMs = clock.now();
  const { system, tools } = requestPrefix(agent);
  let usage: LlmUsage | undefined;
  const onUsage = (more: LlmUsage): void => {
    usage = totalUsage(more, usage);
  };
  const llmOptions = { signal, clock, onUsage, ...(callId !== undefined && { callId }) };
  const warming = (async () => llm.warmup?.(system, tools, llmOptions))();
  let isWarm = false;
  try {
    await abortable(warming, signal);
    isWarm = true;
  } catch (error) {
    if (!signal.aborted) onFailure?.(error);
    // What it still throws is the abort.
    const over = warming.catch(() => {});
    await within(clock, LAST_WORDS_MS, over);
  }
  if (!isWarm && usage === undefined) return undefined;
  const { provider, model } = llm;
  return { type: "llm_warmed_up", provider, model, durationMs: clock.now() - startedMs, ...(usage && { usage }) };
}
