import type { Agent } from "../agent/agent.js";
import type { History } from "../agent/history.js";
import { fillVariables } from "../agent/prompt.js";
import { spokenText } from "../agent/speech-text.js";
import type { ToolRunner } from "../agent/tool-runner.js";
import type { AudioFormat } from "../core/audio-frame.js";
import type { CallEventBody, CallStage, ReplyEndReason } from "../core/call-event.js";
import type { Clock } from "../core/clock.js";
import type { LLM } from "../core/llm.js";
import { ChildController } from "../core/signals.js";
import { type AnswerEnd, answer } from "./answer.js";
import { errorEvent } from "./error-event.js";
import { HoldLine } from "./hold-line.js";
import type { Playout } from "./playout.js";
import { ReplyVoice } from "./reply-voice.js";
import { sentencesOf } from "./sentences.js";
import type { SpeechOutput } from "./speech-output.js";

/** Where a reply's words come from. */
export type ReplySource =
  | { readonly type: "greeting" | "say"; readonly text: string }
  | { readonly type: "llm"; readonly llm: LLM };

/** What a reply works with; the same for every reply of a call. */
export interface ReplyServices {
  readonly callId: string;
  readonly agent: Agent;
  readonly history: History;
  readonly tools: ToolRunner;
  readonly speech: SpeechOutput;
  readonly playout: Playout;
  readonly format: AudioFormat;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  emit(body: CallEventBody): void;
}

/** A mark says late what has been played, in ms: an echo of it may be here already. */
const PLAYED_AHEAD_MS = 300;

/** One reply: from its first thought to what the caller heard of it. */
export class Reply {
  readonly id: number;
  readonly source: ReplySource;
  readonly #services: ReplyServices;
  readonly #controller: ChildController;
  readonly #voice: ReplyVoice;
  /** The text of each round of the model, sentence by sentence, in the words of the conversation. */
  readonly #rounds: string[][] = [[]];
  #end: AnswerEnd = { providerData: undefined };
  /** Whether text, tools and synthesis are done; it may still be playing. */
  isGenerated = false;
  /** Whether it waits for tools. */
  isRunningTools = false;

  constructor(id: number, source: ReplySource, services: ReplyServices) {
    this.id = id;
    this.source = source;
    this.#services = services;
    this.#controller = new ChildController(services.signal);
    const track = services.playout.begin(id);
    this.#voice = new ReplyVoice({ ...services, reply: id, track, signal: this.#controller.signal });
  }

  /** The words that have been played by now. */
  playedText(): string {
    const { audioMs, isEstimated } = this.#services.playout.position();
    return this.#voice.heardAt(audioMs + PLAYED_AHEAD_MS, isEstimated).heard;
  }

  /** Generates and synthesises; resolves with whether everything went well. An abort is no failure. */
  async run(): Promise<boolean> {
    const { emit } = this.#services;
    using controller = this.#controller;
    const { signal } = controller;
    emit({ type: "reply_started", reply: this.id, source: this.source.type });
    using _hold = this.source.type === "llm" ? this.#holdLine() : undefined;
    const spoken = this.#voice.run().then(
      () => true,
      async (error: unknown) => {
        if (signal.aborted) return true;
        this.#report("tts", error);
        // Nothing can be said any more: the model need not go on.
        controller.abort(error);
        await this.#services.speech.failed();
        return false;
      },
    );
    const written = await this.#write(signal);
    this.#voice.end();
    const isSpoken = await spoken;
    this.isGenerated = true;
    return written && isSpoken;
  }

  /** Ends generation and synthesis at once. */
  abort(reason: ReplyEndReason): void {
    this.#controller.abort(new DOMException(reason, "AbortError"));
  }

  /** Stops playout, enters what the caller heard into the history and reports the end. Call it once. */
  settle(reason: ReplyEndReason): string {
    const { playout, history, emit } = this.#services;
    const position = playout.stop();
    const { rounds, text, heard, isEstimated } = this.#voice.heardAt(position.audioMs, position.isEstimated);
    history.settle(this.id, rounds);
    // What a model wants back belongs to its whole answer only.
    const providerData = heard === text ? this.#end.providerData : undefined;
    history.addAssistant(this.id, rounds[history.toolRounds(this.id)] ?? "", providerData);
    emit({ type: "reply_ended", reply: this.id, reason, text, heard, isEstimated, audioMs: position.audioMs });
    return heard;
  }

  /** Queues the reply's sentences. A failed model is answered with the agent's error message. */
  async #write(signal: AbortSignal): Promise<boolean> {
    const { agent } = this.#services;
    try {
      if (this.source.type === "llm") this.#end = await this.#answer(this.source.llm, signal);
      else this.#recite(fillVariables(this.source.text, agent.variables));
      return true;
    } catch (error) {
      if (signal.aborted) return true;
      this.#report("llm", error);
      this.#say(this.#services.history.toolRounds(this.id), agent.llmErrorMessage);
      return false;
    }
  }

  #recite(text: string): void {
    for (const sentence of sentencesOf(text)) this.#say(0, sentence);
  }

  #answer(llm: LLM, signal: AbortSignal): Promise<AnswerEnd> {
    return answer({
      ...this.#services,
      reply: this.id,
      llm,
      signal,
      onSentence: (round, sentence) => this.#say(round, sentence),
      onTools: (areRunning) => {
        this.isRunningTools = areRunning;
      },
      roundText: (round) => (this.#rounds[round] ?? []).join(" "),
    });
  }

  /** Says something beside the answer, now: a tool's own words, while the reply waits for it. */
  interject(text: string): void {
    const round = this.#services.history.toolRounds(this.id);
    for (const sentence of sentencesOf(text)) this.#say(round, sentence);
  }

  /** Queues a sentence; says whether there is anything to speak in it. */
  #say(round: number, sentence: string, isHold = false): boolean {
    const spoken = spokenText(sentence, this.#services.agent.textTransforms, (error) => this.#report("callback", error));
    if (spoken.trim() === "") return false;
    while (this.#rounds.length <= round) this.#rounds.push([]);
    this.#rounds[round]?.push(sentence.trim());
    this.#voice.say({ round, source: sentence, spoken, isHold });
    return true;
  }

  #holdLine(): HoldLine {
    const { agent, clock, playout, history } = this.#services;
    return new HoldLine({
      agent,
      clock,
      isSilent: () => this.#voice.isIdle && playout.remainingMs <= 0 && !playout.isPaused,
      say: (text) => this.#say(history.toolRounds(this.id), text, true),
    });
  }

  #report(stage: CallStage, error: unknown): void {
    this.#services.emit(errorEvent(stage, error));
  }
}
