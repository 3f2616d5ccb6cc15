import type { CallEndReason, CallEventBody, CallStage } from "../core/call-event.js";
import type { LLM } from "../core/llm.js";
import type { AsyncQueue } from "../core/queue.js";
import type { Scope } from "../core/scope.js";
import type { SttEvent } from "../core/stt.js";
import { isBackchannel, type Judgement, judge } from "./barge-in.js";
import type { EchoMeter } from "./echo.js";
import { turnEndsAt } from "./endpointing.js";
import { errorEvent } from "./error-event.js";
import type { Listener } from "./listen.js";
import type { ReplyServices } from "./reply.js";
import { situationOf } from "./situation.js";
import { Speaker } from "./speaker.js";
import { Timers } from "./timers.js";
import type { TurnInput, TurnTimer } from "./turn-input.js";
import { Utterance } from "./utterance.js";

/** A voice that brings no words within this time, in ms, was none: the reply goes on. */
const NO_WORDS_MS = 2000;
/** Sound that brings no new words for so long, in ms, is no longer the caller's turn. */
const NOISE_MS = 3000;
const END_REASONS = {
  caller: "caller_hung_up",
  carrier: "carrier_ended",
  lost: "connection_lost",
  local: "agent_hung_up",
} as const;

export interface PipelineOptions {
  readonly inbox: AsyncQueue<TurnInput>;
  readonly listener: Listener;
  readonly echo: EchoMeter;
  readonly services: ReplyServices;
  readonly llm: LLM | undefined;
  readonly scope: Scope;
  readonly toAtMs: (clockMs: number) => number;
  readonly emit: (body: CallEventBody) => void;
  /** Called when a caller's turn is committed, before its reply begins. */
  readonly onTurn: () => void;
}

/**
 * The turn loop: the only reader of the inbox, and the only place that decides whose turn it is.
 * It never waits for a reply; replies run beside it and report into the inbox.
 */
export class Pipeline {
  readonly #options: PipelineOptions;
  readonly #timers: Timers<TurnTimer>;
  readonly #speaker: Speaker;
  #utterance = new Utterance();
  /** Finals on their way that belong to utterances already dismissed. */
  #staleFinals = 0;
  #hasVad: boolean;
  #hangUpWhenSilent: CallEndReason | undefined;
  #ended: CallEndReason | undefined;

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.#speaker = new Speaker(options);
    this.#hasVad = options.services.agent.vad !== undefined;
    this.#timers = new Timers(options.services.clock, (name) => options.inbox.push({ type: "timer", name }));
  }

  /** Runs until the call ends, and says why it did. */
  async run(): Promise<CallEndReason> {
    using _timers = this.#timers;
    try {
      await this.#read();
    } finally {
      this.#speaker.close();
    }
    return this.#ended ?? "error";
  }

  async #read(): Promise<void> {
    for await (const input of this.#options.inbox) {
      this.#handle(input);
      this.#speakNext();
      if (this.#ended === undefined) continue;
      for (const unread of this.#options.inbox.drain()) if (unread.type === "say") unread.onHeard(undefined);
      return;
    }
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
        // It may have been interrupted in the very moment.
        if (this.#speaker.isUnderWay(input.reply)) this.#options.emit({ type: "playout_started", reply: input.reply });
        return;
      case "playout_finished":
      case "reply_generated":
        this.#speaker.onProgress(input);
        return;
      case "say":
        this.#speaker.sayLater(input.source, input.onHeard);
        return;
      case "hang_up":
        if (input.when === "after_reply" && this.#speaker.hasMoreToSay) this.#hangUpWhenSilent = input.reason;
        else this.#ended = input.reason;
        return;
      case "stage_failed":
        this.#onStageFailed(input.stage, input.error);
        return;
    }
  }

  // The caller's voice

  #onSpeechStart(audioMs: number, clockMs: number): void {
    this.#options.emit({ type: "speech_started", audioMs });
    // An echo that has just died away is no part of what the caller begins to say, nor are its last words that are still to come.
    if (this.#judge() === "echo") {
      if (this.#utterance.awaitsFinal) this.#staleFinals++;
      this.#dismiss("echo");
    }
    this.#timers.cancel("endpoint");
    this.#timers.cancel("final");
    this.#timers.set("words", NOISE_MS);
    this.#utterance.isSpeaking = true;
    this.#utterance.startedMs ??= clockMs;
    this.#utterance.endedMs = undefined;
    this.#utterance.overlapsReply ||= this.#speaker.isReplying;
    this.#pause();
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
    if (this.#isStale(event)) return;
    switch (event.type) {
      case "partial":
        this.#utterance.setPartial(event.transcript);
        // Without a VAD new words say that the caller goes on, though the last ones were waited for already.
        if (!this.#hasVad) this.#timers.cancel("final");
        emit({ type: "transcript_partial", transcript: this.#utterance.transcript });
        this.#onWords();
        return;
      case "final":
        this.#onFinal(event);
        return;
      case "turn_end":
        if (event.transcript !== undefined) this.#utterance.replace(event.transcript);
        // The end of a turn that is long committed says nothing of a voice that has no words yet.
        if (this.#utterance.transcript !== "") this.#endTurn(event.reason);
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

  /** Whether it still speaks of an utterance that was dismissed. */
  #isStale(event: SttEvent): boolean {
    if (this.#staleFinals === 0 || (event.type !== "partial" && event.type !== "final")) return false;
    if (event.finalized === true) this.#staleFinals--;
    return true;
  }

  #onFinal(event: Extract<SttEvent, { type: "partial" | "final" }>): void {
    const { emit } = this.#options;
    this.#utterance.addFinal(event.transcript);
    if (event.finalized === true) this.#utterance.awaitsFinal = false;
    if (event.transcript.trim() !== "") {
      const { confidence } = event;
      emit({
        type: "transcript_final",
        transcript: event.transcript.trim(),
        ...(confidence === undefined ? {} : { confidence }),
      });
    }
    this.#onWords();
    // The silence was long enough before the words were there.
    if (this.#timers.has("final") && !this.#utterance.awaitsFinal) this.#endTurn("silence");
  }

  /** New words: they may be what interrupts the reply, and the silence counts anew from them where there is no VAD. */
  #onWords(): void {
    if (this.#utterance.transcript === "") return;
    this.#utterance.wordsMs = this.#options.services.clock.now();
    if (this.#utterance.isSpeaking) this.#timers.set("words", NOISE_MS);
    this.#utterance.overlapsReply ||= this.#speaker.isReplying;
    if (!this.#hasVad || this.#options.services.agent.stt?.turnEndWithinMs !== undefined) this.#timers.cancel("endpoint");
    if (!this.#timers.has("endpoint") && !this.#timers.has("final")) this.#awaitEndpoint();
    if (this.#interrupts()) this.#bargeIn();
  }

  /** Whether the words so far mean to take the turn from the reply. A backchannel is given the time to end. */
  #interrupts(): boolean {
    return this.#speaker.isReplying && !isBackchannel(this.#utterance.transcript) && this.#judge() === "turn";
  }

  #judge(): Judgement {
    const { echo, services } = this.#options;
    return judge(situationOf(this.#utterance, this.#speaker, echo, services.clock.now()));
  }

  // The end of the caller's turn

  #awaitEndpoint(): void {
    const { services } = this.#options;
    const nowMs = services.clock.now();
    const { endpointing, stt } = services.agent;
    const endsAtMs = turnEndsAt(this.#utterance, { ...endpointing, turnEndWithinMs: stt?.turnEndWithinMs }, nowMs);
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
      case "words":
        // Sound goes on without words: a noise, and behind it the turn has long been over.
        if (!this.#utterance.isSpeaking) return;
        this.#utterance.isSpeaking = false;
        this.#awaitEndpoint();
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
    for (const name of ["endpoint", "final", "words"] as const) this.#timers.cancel(name);
    const utterance = this.#utterance;
    const { transcript } = utterance;
    const judgement = this.#judge();
    if (judgement !== "turn") {
      this.#dismiss(judgement);
      this.#resume();
      return;
    }
    this.#bargeIn();
    this.#utterance = new Utterance();
    services.history.addUser(transcript);
    this.#options.onTurn();
    const speechEnded = utterance.endedMs === undefined ? {} : { speechEndedAtMs: this.#options.toAtMs(utterance.endedMs) };
    this.#options.emit({ type: "turn_committed", transcript, reason, ...speechEnded });
    if (this.#options.llm !== undefined) this.#speaker.begin({ type: "llm", llm: this.#options.llm });
  }

  /** Forgets an utterance that is no turn. */
  #dismiss(reason: Exclude<Judgement, "turn">): void {
    const { transcript } = this.#utterance;
    if (reason !== "nothing") this.#options.emit({ type: "utterance_dismissed", transcript, reason });
    this.#utterance = new Utterance();
  }

  // The agent's side

  /** Silences the reply until it is known whether the voice means to interrupt it. */
  #pause(): void {
    if (this.#speaker.pause()) this.#timers.set("resume", NO_WORDS_MS);
  }

  #resume(): void {
    this.#timers.cancel("resume");
    this.#speaker.resume();
  }

  #bargeIn(): void {
    const { transcript, startedMs } = this.#utterance;
    this.#timers.cancel("resume");
    this.#hangUpWhenSilent = undefined;
    this.#speaker.yield(transcript, startedMs === undefined ? undefined : this.#options.toAtMs(startedMs));
  }

  /** Says what waits to be said, or hangs up if that was asked for, once neither side speaks. */
  #speakNext(): void {
    const { isSpeaking, transcript, awaitsFinal } = this.#utterance;
    if (this.#ended !== undefined || this.#speaker.isReplying) return;
    if (isSpeaking || transcript !== "" || awaitsFinal) return;
    if (!this.#speaker.sayNext()) this.#ended = this.#hangUpWhenSilent;
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
    const fatal = stage !== "vad";
    this.#options.emit(errorEvent(stage, error, { fatal }));
    if (fatal) {
      this.#ended = "error";
      return;
    }
    this.#hasVad = false;
    this.#utterance.isSpeaking = false;
    if (this.#utterance.transcript !== "") this.#awaitEndpoint();
  }

  #sttNames(): { provider: string; model: string } {
    const { stt } = this.#options.services.agent;
    return { provider: stt?.provider ?? "", model: stt?.model ?? "" };
  }
}
