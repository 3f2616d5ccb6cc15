import type { CallEventBody, ReplyEndReason } from "../core/call-event.js";
import type { AsyncQueue } from "../core/queue.js";
import type { Scope } from "../core/scope.js";
import { Reply, type ReplyServices, type ReplySource } from "./reply.js";
import type { TurnInput } from "./turn-input.js";

/** After so many pauses without words, voice alone pauses a reply no more: it hears itself, or a noisy room. */
const MAX_FALSE_PAUSES = 2;
/** The same for all replies since the caller last interrupted one in words. */
const MAX_FALSE_PAUSES_IN_A_ROW = 4;
/** So many words back can an echo reach: some ten seconds, for one that nothing has cut short. */
const PLAYED_WORDS = 25;

export interface SpeakerOptions {
  readonly services: ReplyServices;
  readonly scope: Scope;
  readonly inbox: AsyncQueue<TurnInput>;
  emit(body: CallEventBody): void;
}

interface Said {
  readonly source: ReplySource;
  readonly onHeard: (heard: string | undefined) => void;
}

/** The agent's side of the conversation: at most one reply at a time, and what waits to be said. */
export class Speaker {
  readonly #options: SpeakerOptions;
  readonly #waiting: Said[] = [];
  #reply: Reply | undefined;
  #replies = 0;
  #failedReply = -1;
  #falsePauses = 0;
  #falsePausesInARow = 0;
  #onHeard: (heard: string) => void = () => {};
  #lastHeard = "";
  #silentSinceMs = Number.NEGATIVE_INFINITY;

  constructor(options: SpeakerOptions) {
    this.#options = options;
  }

  /** Whether a reply is under way: thinking, speaking or paused. */
  get isReplying(): boolean {
    return this.#reply !== undefined;
  }

  isUnderWay(reply: number): boolean {
    return this.#reply?.id === reply;
  }

  /** The last words that have been played. */
  get played(): string {
    const words = (this.#reply?.playedText() ?? this.#lastHeard).match(/\S+/g) ?? [];
    return words.slice(-PLAYED_WORDS).join(" ");
  }

  /** Since when it cannot be heard, on the clock's scale; `undefined` while it can. */
  get silentSinceMs(): number | undefined {
    return this.#options.services.playout.isAudible ? undefined : this.#silentSinceMs;
  }

  /** How much of the reply has not been heard, in ms, without end while it is being made; `undefined` without a reply. */
  get unheardMs(): number | undefined {
    if (this.#reply === undefined) return undefined;
    return this.#reply.isGenerated ? this.#options.services.playout.remainingMs : Number.POSITIVE_INFINITY;
  }

  begin(source: ReplySource): void {
    const { scope, inbox, services } = this.#options;
    const reply = new Reply(this.#replies++, source, services);
    this.#reply = reply;
    this.#falsePauses = 0;
    scope.run(async () => {
      const succeeded = await reply.run();
      inbox.push({ type: "reply_generated", reply: reply.id, failed: !succeeded });
    });
  }

  /** Whether a reply is under way, or something waits to be said. */
  get hasMoreToSay(): boolean {
    return this.isReplying || this.#waiting.length > 0;
  }

  /** Keeps something to be said until `sayNext`; a tool's words are said at once, by the reply that waits for the tool. */
  sayLater(source: ReplySource, onHeard: (heard: string | undefined) => void): void {
    if (this.#reply?.isRunningTools === true && source.type === "say") {
      this.#reply.interject(source.text);
      onHeard(source.text);
      return;
    }
    this.#waiting.push({ source, onHeard });
  }

  /** Begins what has waited longest, if anything; says whether it did. */
  sayNext(): boolean {
    const next = this.#waiting.shift();
    if (next === undefined) return false;
    this.begin(next.source);
    this.#onHeard = next.onHeard;
    return true;
  }

  /** Takes a reply's report; a reply that is made and played is over. */
  onProgress(report: Extract<TurnInput, { type: "playout_finished" | "reply_generated" }>): void {
    const reply = this.#reply;
    if (reply?.id !== report.reply) return;
    if (report.type === "reply_generated" && report.failed) this.#failedReply = reply.id;
    if (!reply.isGenerated || !this.#options.services.playout.isFinished) return;
    this.end(this.#failedReply === reply.id ? "failed" : "completed");
  }

  /** Falls silent until it is known whether a voice means to interrupt; says whether it did. */
  pause(): boolean {
    const { emit, services } = this.#options;
    const { playout, clock } = services;
    if (this.#reply === undefined || playout.isPaused) return false;
    if (this.#falsePauses >= MAX_FALSE_PAUSES || this.#falsePausesInARow >= MAX_FALSE_PAUSES_IN_A_ROW) return false;
    playout.pause();
    this.#silentSinceMs = clock.now();
    emit({ type: "reply_paused", reply: this.#reply.id, atAudioMs: playout.position().audioMs });
    return true;
  }

  /** Goes on after a pause that nobody meant. */
  resume(): void {
    const { emit, services } = this.#options;
    const { playout } = services;
    if (this.#reply === undefined || !playout.isPaused) return;
    this.#falsePauses++;
    this.#falsePausesInARow++;
    emit({ type: "reply_resumed", reply: this.#reply.id, atAudioMs: playout.position().audioMs });
    playout.resume();
  }

  /** Gives the turn to the caller, who said `transcript`. `speechStartedAtMs` is on the scale of the events. */
  yield(transcript: string, speechStartedAtMs: number | undefined): void {
    const { emit, services } = this.#options;
    if (this.#reply === undefined) return;
    this.#falsePausesInARow = 0;
    services.tools.bargeIn();
    if (services.playout.position().audioMs > 0) {
      const speechStarted = speechStartedAtMs === undefined ? {} : { speechStartedAtMs };
      emit({ type: "barge_in", reply: this.#reply.id, transcript, ...speechStarted });
    }
    this.end("barge_in");
  }

  /** Ends the reply, if any, and settles what was heard of it. */
  end(reason: ReplyEndReason): void {
    const reply = this.#reply;
    if (reply === undefined) return;
    const { playout, clock } = this.#options.services;
    if (!playout.isPaused) this.#silentSinceMs = clock.now();
    this.#reply = undefined;
    reply.abort(reason);
    this.#lastHeard = reply.settle(reason);
    this.#onHeard(this.#lastHeard);
    this.#onHeard = () => {};
  }

  /** The call is over: nothing more will be said. */
  close(): void {
    this.end("hung_up");
    for (const said of this.#waiting.splice(0)) said.onHeard(undefined);
  }
}
