import type { CallEvent } from "../core/call-event.js";
import { type SpeechSpan, speechSpans } from "./speech-spans.js";
import type { PlayoutGap } from "./wav-line.js";

/** A shorter pause is part of the speech, in ms. */
const MAX_PAUSE_MS = 250;

/** A reply as its sound shows it. Times are ms from the start of the recording. */
export interface AudibleReply {
  readonly turn: number;
  readonly reply: number;
  readonly startMs: number;
  /** The caller's last audible sample to the reply's first; absent where the two overlap, or the caller said nothing before. */
  readonly latencyMs?: number;
  /** Silences within its sentences: audio that came too late. */
  readonly gaps: readonly PlayoutGap[];
}

export interface AudibleCall {
  /** Both sides, aligned, in samples of `sampleRate` Hz. */
  readonly caller: Int16Array;
  readonly agent: Int16Array;
  readonly sampleRate: number;
  readonly gaps: readonly PlayoutGap[];
  readonly events: readonly CallEvent[];
  /** What to add to an event's `atMs` to place it in the recording. */
  readonly eventOffsetMs: number;
}

/** Measures each reply in the recording of a call. The events say only which sound belongs to which reply. */
export function audibleReplies(call: AudibleCall): AudibleReply[] {
  const { caller, agent, sampleRate, gaps, events, eventOffsetMs } = call;
  const callerSpans = speechSpans(caller, sampleRate, MAX_PAUSE_MS);
  const agentSpans = speechSpans(agent, sampleRate, MAX_PAUSE_MS);
  return playedReplies(events).flatMap(({ reply, turn, startMs, endMs, sentencesMs }) => {
    const [fromMs, toMs] = [startMs + eventOffsetMs, endMs + eventOffsetMs];
    const first = agentSpans.find((span) => span.endMs > fromMs && span.startMs < toMs);
    if (first === undefined) return [];
    const inside = gaps.filter((gap) => gap.startMs >= fromMs && gap.startMs + gap.durationMs <= toMs);
    // Where the text itself came late, the silence is the model's or a tool's.
    const late = inside.filter((gap) => !sentencesMs.some((atMs) => isWithin(gap, atMs + eventOffsetMs)));
    const latencyMs = latencyOf(first, callerSpans, agentSpans);
    return [{ turn, reply, startMs: first.startMs, ...(latencyMs === undefined ? {} : { latencyMs }), gaps: late }];
  });
}

interface PlayedReply {
  readonly reply: number;
  readonly turn: number;
  readonly startMs: number;
  endMs: number;
  readonly sentencesMs: number[];
}

function playedReplies(events: readonly CallEvent[]): PlayedReply[] {
  const replies = new Map<number, PlayedReply>();
  for (const event of events) {
    if (event.type === "playout_started") {
      const played = {
        reply: event.reply,
        turn: event.turn ?? 0,
        startMs: event.atMs,
        endMs: Number.POSITIVE_INFINITY,
        sentencesMs: [],
      };
      replies.set(event.reply, played);
    }
    const played = "reply" in event ? replies.get(event.reply) : undefined;
    if (event.type === "sentence_ready") played?.sentencesMs.push(event.atMs);
    else if (event.type === "reply_ended" && played !== undefined) played.endMs = event.atMs;
  }
  return [...replies.values()];
}

/** From the end of the caller's speech before a reply, unless either of them was speaking in between. */
function latencyOf(reply: SpeechSpan, callerSpans: readonly SpeechSpan[], agentSpans: readonly SpeechSpan[]): number | undefined {
  const asked = callerSpans.findLast((span) => span.startMs < reply.startMs);
  if (asked === undefined || asked.endMs > reply.startMs) return undefined;
  const isAnswered = agentSpans.some((span) => span.endMs > asked.endMs && span.startMs < reply.startMs);
  return isAnswered ? undefined : reply.startMs - asked.endMs;
}

function isWithin(gap: PlayoutGap, atMs: number): boolean {
  return atMs >= gap.startMs && atMs <= gap.startMs + gap.durationMs;
}
