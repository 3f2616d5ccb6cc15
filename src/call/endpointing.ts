import type { EndpointingOptions } from "../agent/agent.js";
import type { Utterance } from "./utterance.js";

/** Without a VAD silence shows only in words that stay away, and words come late and in bursts: this much longer, in ms. */
const WORDS_LATE_MS = 600;

/**
 * When the caller's turn may be taken as over, on the clock's scale; `undefined` while a voice is heard.
 * With a VAD the silence counts from the last speech sample, otherwise from the last words.
 */
export function turnEndsAt(utterance: Utterance, settings: Required<EndpointingOptions>, nowMs: number): number | undefined {
  if (utterance.isSpeaking) return undefined;
  if (utterance.endedMs === undefined) return nowMs + settings.silenceMs + WORDS_LATE_MS;
  return utterance.endedMs + settings.silenceMs;
}
