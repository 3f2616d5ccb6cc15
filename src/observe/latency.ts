import type { CallEvent } from "../core/call-event.js";

/** Where the time of one turn went, in ms. What did not happen is absent. */
export interface TurnLatency {
  readonly turn: number;
  readonly reply: number;
  /** The caller's last speech sample to the decision that the turn had ended. */
  readonly endpointingMs?: number;
  /** The first request to the model to its first token. */
  readonly llmFirstTokenMs?: number;
  /** The first sentence given to the voice to its first audio. */
  readonly ttsFirstAudioMs?: number;
  /** The end of the turn to the first audio sent, less what the model and the voice took. */
  readonly overheadMs?: number;
  /** The caller's last speech sample to the first audio sent. */
  readonly voiceToVoiceMs?: number;
}

interface ReplyTimes {
  readonly turn: number;
  readonly reply: number;
  readonly committedMs: number;
  readonly speechEndedMs: number | undefined;
  requestedMs?: number;
  firstTokenMs?: number;
  sentenceMs?: number;
  firstAudioMs?: number;
  playedMs?: number;
}

/** Computes the latency of every answered turn from a call's events. */
export function turnLatencies(events: Iterable<CallEvent>): TurnLatency[] {
  const replies = new Map<number, ReplyTimes>();
  let committed: { readonly atMs: number; readonly speechEndedMs: number | undefined; readonly turn: number } | undefined;
  for (const event of events) {
    if (event.type === "turn_committed") {
      committed = { atMs: event.atMs, speechEndedMs: event.speechEndedAtMs, turn: event.turn ?? 0 };
      continue;
    }
    if (event.type === "reply_started" && event.source === "llm" && committed !== undefined) {
      const { turn, atMs, speechEndedMs } = committed;
      replies.set(event.reply, { turn, reply: event.reply, committedMs: atMs, speechEndedMs });
      continue;
    }
    const times = "reply" in event ? replies.get(event.reply) : undefined;
    if (times !== undefined) note(times, event);
  }
  return [...replies.values()].map(latencyOf);
}

function note(times: ReplyTimes, { type, atMs }: CallEvent): void {
  if (type === "llm_requested") times.requestedMs ??= atMs;
  else if (type === "llm_first_token") times.firstTokenMs ??= atMs;
  else if (type === "sentence_ready") times.sentenceMs ??= atMs;
  else if (type === "tts_first_audio") times.firstAudioMs ??= atMs;
  else if (type === "playout_started") times.playedMs ??= atMs;
}

function latencyOf(times: ReplyTimes): TurnLatency {
  const { turn, reply, committedMs, speechEndedMs, requestedMs, firstTokenMs, sentenceMs, firstAudioMs, playedMs } = times;
  const llmMs = span(requestedMs, firstTokenMs);
  const ttsMs = span(sentenceMs, firstAudioMs);
  const replyMs = span(committedMs, playedMs);
  return {
    turn,
    reply,
    ...defined("endpointingMs", span(speechEndedMs, committedMs)),
    ...defined("llmFirstTokenMs", llmMs),
    ...defined("ttsFirstAudioMs", ttsMs),
    ...defined(
      "overheadMs",
      replyMs === undefined || llmMs === undefined || ttsMs === undefined ? undefined : replyMs - llmMs - ttsMs,
    ),
    ...defined("voiceToVoiceMs", span(speechEndedMs, playedMs)),
  };
}

function span(fromMs: number | undefined, toMs: number | undefined): number | undefined {
  return fromMs === undefined || toMs === undefined ? undefined : toMs - fromMs;
}

function defined<Name extends string>(name: Name, value: number | undefined): { readonly [key in Name]?: number } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [key in Name]?: number };
}
