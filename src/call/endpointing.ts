import type { Utterance } from "./utterance.js";

export interface EndpointingSettings {
  /** Silence that ends a turn, in ms. */
  readonly silenceMs: number;
}

/**
 * When the caller's turn may be taken as over, on the clock's scale; `undefined` while a voice is heard.
 * With a VAD the silence counts from the last speech sample, otherwise from the last words.
 */
export function turnEndsAt(utterance: Utterance, settings: EndpointingSettings, nowMs: number): number | undefined {
  if (utterance.isSpeaking) return undefined;
  return (utterance.endedMs ?? nowMs) + settings.silenceMs;
}
