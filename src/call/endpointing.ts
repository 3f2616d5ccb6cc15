import type { EndpointingOptions } from "../agent/agent.js";
import type { Utterance } from "./utterance.js";

/** Without a VAD silence shows only in words that stay away, and words come late and in bursts: this much longer, in ms. */
const WORDS_LATE_MS = 600;

export interface EndpointingSettings extends Required<EndpointingOptions> {
  /** Set where recognition itself says when a turn is over; see `STT`. */
  readonly turnEndWithinMs?: number | undefined;
}

/**
 * When the caller's turn may be taken as over, on the clock's scale; `undefined` while a voice is heard.
 * Recognition that hears the end in the words decides alone, unless it is late. Otherwise silence does: with a VAD it
 * counts from the last speech sample, else from the last words.
 */
export function turnEndsAt(utterance: Utterance, settings: EndpointingSettings, nowMs: number): number | undefined {
  if (utterance.isSpeaking) return undefined;
  if (settings.turnEndWithinMs !== undefined && utterance.transcript !== "")
    return nowMs + settings.turnEndWithinMs + WORDS_LATE_MS;
  if (utterance.endedMs === undefined) return nowMs + settings.silenceMs + WORDS_LATE_MS;
  return utterance.endedMs + settings.silenceMs;
}
