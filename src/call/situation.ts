import type { Situation } from "./barge-in.js";
import type { EchoMeter } from "./echo.js";
import type { Speaker } from "./speaker.js";
import type { Utterance } from "./utterance.js";

/** At most so long after a voice has ended does a VAD say so, in ms. */
const VAD_LATE_MS = 250;
/** About so long after they were spoken do words come, in ms. */
const WORDS_LATE_MS = 500;
/** A voice is compared with the agent's from so long before it began, in ms: an echo has been there as long as the agent. */
const LEAD_IN_MS = 600;
/** Further back than this an echo's delay may have been another, in ms: a pause and the marks move it. */
const ECHO_SPAN_MS = 1600;

/** What the caller has said and what the agent is doing, for `judge`. */
export function situationOf(utterance: Utterance, speaker: Speaker, echo: EchoMeter, nowMs: number): Situation {
  const { transcript, overlapsReply, startedMs } = utterance;
  const { played, silentSinceMs, unheardMs } = speaker;
  return {
    transcript,
    overlapsReply,
    voiceUntilMs: voiceUntilMs(utterance, nowMs),
    soundsLikeEcho: () => startedMs !== undefined && echo.isEcho(Math.min(nowMs - startedMs + LEAD_IN_MS, ECHO_SPAN_MS)),
    played,
    silentSinceMs,
    unheardMs,
  };
}

/** Until when the caller's voice is known to have sounded: a VAD says late that it has ended, and words come late. */
function voiceUntilMs({ isSpeaking, endedMs, wordsMs }: Utterance, nowMs: number): number {
  if (isSpeaking) return nowMs - VAD_LATE_MS;
  return endedMs ?? (wordsMs ?? nowMs) - WORDS_LATE_MS;
}
