import type { CallEndReason, CallEventBody, CallStage } from "../core/call-event.js";
import { errorMessage, PatterError } from "../core/errors.js";
import type { LLM } from "../core/llm.js";
import type { AsyncQueue } from "../core/queue.js";
import type { Scope } from "../core/scope.js";
import type { SttEvent } from "../core/stt.js";
import { isBackchannel, isEcho } from "./barge-in.js";
import { turnEndsAt } from "./endpointing.js";
import type { Listener } from "./listen.js";
import { Reply, type ReplyServices, type ReplySource } from "./reply.js";
import { Timers } from "./timers.js";
import type { TurnInput, TurnTimer } from "./turn-input.js";
import { Utterance } from "./utterance.js";

/** A voice that brings no words within this time, in ms, was none: the reply goes on. */
const NO_WORDS_MS = 2000;
/** After so many pauses without words, voice alone pauses a reply no more: it hears itself, or a noisy room. */
const MAX_FALSE_PAUSES = 2;
/** An echo dies away within this time of the audio that caused it, in ms. */
const ECHO_TAIL_MS = 500;
/** "Yes" in the last moments of a reply is an answer to it, in ms. */
const REPLY_TAIL_MS = 1000;

const END_REASONS = {
  caller: "caller_hung_up",
  carrier: "carrier_ended",
  lost: "connection_lost",
  local: "agent_hung_up",
} as const;

export interface PipelineOptions {
  readonly inbox: AsyncQueue<TurnInput>;
  readonly listener: Listener;
  readonly services: ReplyServices;
  readonly llm: LLM | undefined;
  readonly scope: Scope;
  readonly toAtMs: (clockMs: number) => number;
  readonly emit: (body: CallEventBody) => void;
  /** Called when a caller's turn is committed, before its reply begins. */
  readonly onTurn: () => void;
}

interface Said {
  readonly source: ReplySource;
  readonly onHeard: (heard: string | undefined) => void;
}

/**
 * The turn loop: the only reader of the inbox, and the only place that decides whose turn it is.
 * It never waits for a reply; replies run beside it and report into the inbox.
 */
export class Pipeline {
  readonly #options: PipelineOptions;
  readonly #timers: Timers<TurnTimer>;
  #utterance = new Utterance();
  #reply: Reply | undefined;
  #replies = 0;
  #failedReply = -1;
  /** What the agent said last, and since when it has been silent: its echo may still arrive. */
  #lastSpoken = "";
  #silentSinceMs = Number.NEGATIVE_INFINITY;
  #hasVad: boolean;
  #waiting: Said[] = [];
  #said: Said | undefined;
  #hangUpWhenSilent: CallEndReason | undefined;
  #ended: CallEndReason | undefined;

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.#hasVad = options.services.agent.vad !== undefined;
    this.#timers = new Timers(options.services.clock, (name) => options.inbox.push({ type: "timer", name }));
  }

  /** Runs until the call ends, and says why it did. */
  async run(): Promise<CallEndReason> {
    using _timers = this.#timers;
    for await (const input of this.#options.inbox) {
      this.#handle(input);
      this.#speakNext();
      if (this.#ended !== undefined) break;
    }
    this.#endReply("hung_up");
    for (const said of this.#waiting) said.onHeard(undefined);
    return this.#ended ?? "error";
  }

  #handle(input: TurnInput): void {
    switch (input.type) {
      case "stt":
        this.#onStt(input.event);
        return;
      case "vad":
        if (input.event.type === "speech_start") this.#onSpeechStart(input.event.audioMs, input.clockMs);
        else this.#onSpeechEnd(input.event.audioMs, input.clockMs);
        return;
      case "transport":
        this.#onTransport(input.event);
        return;
      case "timer":
        this.#onTimer(input.name);
        return;
      case "playout_started":
        this.#options.emit({ type: "playout_started", reply: input.reply });
        return;
      case "playout_finished":
      case "reply_generated":
        this.#onReplyProgress(input);
        return;
      case "say":
        this.#waiting.push({ source: input.source, onHeard: input.onHeard });
        return;
      case "hang_up":
        if (input.when === "after_reply" && this.#reply !== undefined) this.#hangUpWhenSilent = input.reason;
        else this.#ended = input.reason;
        return;
      case "stage_failed":
        this.#onStageFailed(input.stage, input.error);
        return;
    }
  }

  // The caller's voice

  #onSpeechStart(audioMs: number, clockMs: number): void {
    const { emit, services } = this.#options;
    emit({ type: "speech_started", audioMs });
    this.#timers.cancel("endpoint");
    this.#timers.cancel("final");
    this.#utterance.isSpeaking = true;
    this.#utterance.startedMs ??= clockMs;
    this.#utterance.endedMs = undefined;
    const reply = this.#reply;
    if (reply === undefined) return;
    this.#utterance.overlapsReply = true;
    if (services.playout.isPaused || reply.falsePauses >= MAX_FALSE_PAUSES) return;
    this.#pause(reply);
  }

  #onSpeechEnd(audioMs: number, clockMs: number): void {
    const { emit, toAtMs, listener } = this.#options;
    emit({ type: "speech_ended", audioMs, spokenAtMs: toAtMs(clockMs) });
    this.#utterance.isSpeaking = false;
    this.#utterance.endedMs = clockMs;
    this.#utterance.awaitsFinal = true;
    listener.finalize();
    this.#awaitEndpoint();
  }

  // The caller's words

  #onStt(event: SttEvent): void {
    const { emit } = this.#options;
    switch (event.type) {
      case "partial":
        this.#utterance.setPartial(event.transcript);
        emit({ type: "transcript_partial", transcript: this.#utterance.transcript });
        this.#onWords();
        return;
      case "final":
        this.#onFinal(event);
        return;
      case "turn_end":
        if (event.transcript !== undefined) this.#utterance.setPartial(event.transcript);
        this.#endTurn(event.reason);
        return;
      case "usage":
        emit({ type: "stt_usage", ...this.#sttNames(), audioMs: event.audioMs });
        return;
      case "speech_start":
      case "eager_turn_end":
      case "turn_resumed":
        // A VAD or the words themselves say the same.
        return;
    }
  }

  #onFinal(event: Extract<SttEvent, { type: "partial" | "final" }>): void {
    const { emit, services } = this.#options;
    this.#utterance.addFinal(event.transcript);
    if (event.finalized === true) this.#utterance.awaitsFinal = false;
    if (event.transcript.trim() !== "") {
      const { confidence } = event;
      emit({ type: "transcript_final", transcript: event.transcript.trim(), ...(confidence === undefined ? {} : { confidence }) });
    }
    this.#onWords();
    // The silence was long enough before the words were there.
    if (this.#timers.has("final") && !this.#utterance.awaitsFinal) this.#endTurn("silence");
  }

  /** New words: they may be what interrupts the reply, and the silence counts anew from them where there is no VAD. */
  #onWords(): void {
    if (this.#utterance.transcript === "") return;
    this.#utterance.overlapsReply ||= this.#reply !== undefined;
    if (!this.#hasVad) this.#timers.cancel("endpoint");
    if (!this.#timers.has("endpoint") && !this.#timers.has("final")) this.#awaitEndpoint();
    if (this.#reply !== undefined && this.#interrupts()) this.#bargeIn(this.#reply);
  }

  /** Whether the words so far mean to take the turn from the reply. */
  #interrupts(): boolean {
    const { transcript } = this.#utterance;
    if (transcript === "" || isBackchannel(transcript)) return false;
    return !this.#mayBeEcho();
  }

  /** The agent's own words, come back while it speaks or just after. A voice that outlasts the agent's is no echo. */
  #mayBeEcho(): boolean {
    const { playout, clock } = this.#options.services;
    const { transcript, isSpeaking, endedMs, overlapsReply } = this.#utterance;
    if (!overlapsReply || !isEcho(transcript, this.#reply?.spoken ?? this.#lastSpoken)) return false;
    if (playout.isAudible) return true;
    const voiceUntilMs = isSpeaking ? clock.now() : endedMs;
    return voiceUntilMs === undefined || voiceUntilMs <= this.#silentSinceMs + ECHO_TAIL_MS;
  }

  // The end of the caller's turn

  #awaitEndpoint(): void {
    const { services } = this.#options;
    const nowMs = services.clock.now();
    const endsAtMs = turnEndsAt(this.#utterance, services.agent.endpointing, nowMs);
    if (endsAtMs !== undefined) this.#timers.set("endpoint", endsAtMs - nowMs);
  }

  #onTimer(name: TurnTimer): void {
    const { services, listener } = this.#options;
    switch (name) {
      case "resume":
        this.#resume();
        return;
      case "final":
        this.#utterance.awaitsFinal = false;
        this.#endTurn("silence");
        return;
      case "endpoint":
        if (this.#utterance.isSpeaking) return;
        if (!this.#utterance.awaitsFinal && this.#utterance.hasPartial) {
          this.#utterance.awaitsFinal = true;
          listener.finalize();
        }
        if (this.#utterance.awaitsFinal) this.#timers.set("final", services.agent.endpointing.finalTimeoutMs);
        else this.#endTurn("silence");
        return;
    }
  }

  /** The caller's utterance is over: a turn, a listener's "mm-hm", an echo, or nothing. */
  #endTurn(reason: string): void {
    const { services } = this.#options;
    this.#timers.cancel("endpoint");
    this.#timers.cancel("final");
    const utterance = this.#utterance;
    const { transcript } = utterance;
    if (transcript === "" || this.#mayBeEcho() || this.#isListening(transcript)) {
      this.#utterance = new Utterance();
      this.#resume();
      return;
    }
    if (this.#reply !== undefined) this.#bargeIn(this.#reply);
    this.#utterance = new Utterance();
    services.history.addUser(transcript);
    this.#options.onTurn();
    const speechEnded = utterance.endedMs === undefined ? {} : { speechEndedAtMs: this.#options.toAtMs(utterance.endedMs) };
    this.#options.emit({ type: "turn_committed", transcript, reason, ...speechEnded });
    if (this.#options.llm !== undefined) this.#startReply({ type: "llm", llm: this.#options.llm });
  }

  /** A backchannel while the reply still has something to say; at its very end it is an answer. */
  #isListening(transcript: string): boolean {
    const reply = this.#reply;
    if (reply === undefined || !isBackchannel(transcript)) return false;
    return !reply.isGenerated || this.#options.services.playout.remainingMs > REPLY_TAIL_MS;
  }

  // The agent's replies

  #startReply(source: ReplySource, said?: Said): void {
    const { scope, inbox, services } = this.#options;
    const reply = new Reply(this.#replies++, source, services);
    this.#reply = reply;
    this.#said = said;
    scope.run(async () => {
      const succeeded = await reply.run();
      inbox.push({ type: "reply_generated", reply: reply.id, failed: !succeeded });
    });
    // The caller is speaking already: nothing is played into their words.
    if (this.#utterance.isSpeaking) this.#pause(reply);
  }

  /** Says what waits to be said once neither side speaks. */
  #speakNext(): void {
    if (this.#reply !== undefined || this.#ended !== undefined) return;
    if (this.#utterance.isSpeaking || this.#utterance.transcript !== "" || this.#utterance.awaitsFinal) return;
    const next = this.#waiting.shift();
    if (next !== undefined) this.#startReply(next.source, next);
    else if (this.#hangUpWhenSilent !== undefined) this.#ended = this.#hangUpWhenSilent;
  }

  #onReplyProgress(input: Extract<TurnInput, { type: "playout_finished" | "reply_generated" }>): void {
    const reply = this.#reply;
    if (reply?.id !== input.reply) return;
    const isPlayed = this.#options.services.playout.isFinished;
    if (input.type === "reply_generated" && input.failed) this.#failedReply = reply.id;
    if (reply.isGenerated && isPlayed) this.#endReply(this.#failedReply === reply.id ? "failed" : "completed");
  }

  #bargeIn(reply: Reply): void {
    const { emit, toAtMs, services } = this.#options;
    const { transcript, startedMs } = this.#utterance;
    const wasHeard = services.playout.position().audioMs > 0;
    this.#hangUpWhenSilent = undefined;
    services.tools.bargeIn();
    if (wasHeard) {
      emit({ type: "barge_in", reply: reply.id, transcript, ...(startedMs === undefined ? {} : { speechStartedAtMs: toAtMs(startedMs) }) });
    }
    this.#endReply("barge_in");
  }

  /** Silences the reply until it is known whether the voice means to interrupt it. */
  #pause(reply: Reply): void {
    const { emit, services } = this.#options;
    services.playout.pause();
    this.#silentSinceMs = services.clock.now();
    emit({ type: "reply_paused", reply: reply.id, atAudioMs: services.playout.position().audioMs });
    this.#timers.set("resume", NO_WORDS_MS);
  }

  #resume(): void {
    const { emit, services } = this.#options;
    this.#timers.cancel("resume");
    const reply = this.#reply;
    if (reply === undefined || !services.playout.isPaused) return;
    reply.falsePauses++;
    emit({ type: "reply_resumed", reply: reply.id, atAudioMs: services.playout.position().audioMs });
    services.playout.resume();
  }

  #endReply(reason: "completed" | "barge_in" | "hung_up" | "failed"): void {
    const reply = this.#reply;
    if (reply === undefined) return;
    this.#timers.cancel("resume");
    const { playout, clock } = this.#options.services;
    this.#lastSpoken = reply.spoken;
    if (!playout.isPaused) this.#silentSinceMs = clock.now();
    this.#reply = undefined;
    reply.abort(reason);
    const heard = reply.settle(reason);
    this.#said?.onHeard(heard);
    this.#said = undefined;
  }

  // The line

  #onTransport(event: Extract<TurnInput, { readonly type: "transport" }>["event"]): void {
    const { emit, services } = this.#options;
    switch (event.type) {
      case "mark":
        services.playout.markPlayed(event.name);
        return;
      case "dtmf":
        emit({ type: "dtmf_received", digit: event.digit });
        return;
      case "restarted":
        emit({ type: "stream_restarted" });
        services.playout.restarted();
        return;
      case "closed":
        this.#ended = END_REASONS[event.reason];
        return;
    }
  }

  /** Without ears the call is over; without a VAD the words alone say when the caller speaks. */
  #onStageFailed(stage: CallStage, error: unknown): void {
    const code = error instanceof PatterError ? error.code : "call";
    const fatal = stage !== "vad";
    this.#options.emit({ type: "call_error", stage, code, message: errorMessage(error), fatal });
    if (fatal) {
      this.#ended = "error";
      return;
    }
    this.#hasVad = false;
    this.#utterance.isSpeaking = false;
  }

  #sttNames(): { provider: string; model: string } {
    const { stt } = this.#options.services.agent;
    return { provider: stt?.provider ?? "", model: stt?.model ?? "" };
  }
}
