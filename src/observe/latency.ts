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
  /**
   * The end of the turn to the first audio sent, less what the model and the voice took.
   * Absent where the first audio is the hold line or waited for a tool: the rest is then no overhead.
   */
  readonly overheadMs?: number;
  /** The caller's last speech sample to the first audio sent, be it the answer's or the hold line's. */
  readonly voiceToVoiceMs?: number;
  /** The first audio is the hold line's; the answer came later. */
  readonly wasHeld?: true;
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
  wasHeld?: true;
  /** A tool was called before there was anything to say. */
  waitedForTool?: true;
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

function note(times: ReplyTimes, event: CallEvent): void {
  const { type, atMs } = event;
  if (type === "llm_requested") times.requestedMs ??= atMs;
  else if (type === "llm_first_token") times.firstTokenMs ??= atMs;
  else if (type === "tts_first_audio") times.firstAudioMs ??= atMs;
  else if (type === "playout_started") times.playedMs ??= atMs;
  else if (type === "tool_started" && times.sentenceMs === undefined) times.waitedForTool = true;
  else if (type === "sentence_ready") {
    if (event.isHold === true && times.playedMs === undefined) times.wasHeld = true;
    times.sentenceMs ??= atMs;
  }
}

function latencyOf(times: ReplyTimes): TurnLatency {
  const { turn, reply, committedMs, speechEndedMs, requestedMs, firstTokenMs, sentenceMs, firstAudioMs, playedMs } = times;
  return {
    turn,
    reply,
    ...defined("endpointingMs", span(speechEndedMs, committedMs)),
    ...defined("llmFirstTokenMs", span(requestedMs, firstTokenMs)),
    ...defined("ttsFirstAudioMs", span(sentenceMs, firstAudioMs)),
    ...defined("overheadMs", overheadOf(times)),
    ...defined("voiceToVoiceMs", span(speechEndedMs, playedMs)),
    ...(times.wasHeld && { wasHeld: true }),
  };
}

function overheadOf(times: ReplyTimes): number | undefined {
  const replyMs = span(times.committedMs, times.playedMs);
  const llmMs = span(times.requestedMs, times.firstTokenMs);
  const ttsMs = span(times.sentenceMs, times.firstAudioMs);
  if (times.wasHeld || times.waitedForTool || replyMs === undefined || llmMs === undefined || ttsMs === undefined)
    return undefined;
  return replyMs - llmMs - ttsMs;
}

function span(fromMs: number | undefined, toMs: number | undefined): number | undefined {
  return fromMs === undefined || toMs === undefined ? undefined : toMs - fromMs;
}

function defined<Name extends string>(name: Name, value: number | undefined): { readonly [key in Name]?: number } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [key in Name]?: number };
}
