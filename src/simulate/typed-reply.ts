import type { Agent } from "../agent/agent.js";
import type { History } from "../agent/history.js";
import { fillVariables } from "../agent/prompt.js";
import { spokenText } from "../agent/speech-text.js";
import type { ToolRunner } from "../agent/tool-runner.js";
import { type AnswerEnd, answer } from "../call/answer.js";
import { errorEvent } from "../call/error-event.js";
import { sentencesOf } from "../call/sentences.js";
import type { CallEventBody, ReplyEndReason } from "../core/call-event.js";
import type { Clock } from "../core/clock.js";
import type { LLM } from "../core/llm.js";

/** Where a reply's words come from. */
export type TypedReplySource =
  | { readonly type: "greeting" | "say"; readonly text: string }
  | { readonly type: "llm"; readonly llm: LLM };

export interface TypedReplyOptions {
  readonly reply: number;
  readonly source: TypedReplySource;
  readonly callId: string;
  readonly agent: Agent;
  readonly history: History;
  readonly tools: ToolRunner;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  emit(body: CallEventBody): void;
  /** Takes what says something beside the answer while tools run, and `undefined` when they have all answered. */
  onTools(interject: ((text: string) => void) | undefined): void;
}

/** Hold lines in one reply, at most; as in a spoken call. */
const MAX_HOLDS = 3;

/**
 * Writes one reply, sentence by sentence as `sentence_ready` events, enters it into the history and returns its text.
 * What was written counts as heard. A failed model is answered with the agent's error message; it never rejects.
 */
export async function typedReply(options: TypedReplyOptions): Promise<string> {
  const { reply, source, agent, history, signal, emit } = options;
  const rounds: string[][] = [];
  using hold = new HoldTimer(options, (text) => write(history.toolRounds(reply), text, true));
  const write = (round: number, sentence: string, isHold = false): boolean => {
    const spoken = spokenText(sentence, agent.textTransforms, (error) => emit(errorEvent("callback", error)));
    if (spoken.trim() === "") return false;
    while (rounds.length <= round) rounds.push([]);
    rounds[round]?.push(sentence.trim());
    emit({ type: "sentence_ready", reply, text: spoken, ...(isHold && { isHold }) });
    hold.restart();
    return true;
  };
  const interject = (text: string): void => {
    for (const sentence of sentencesOf(text)) write(history.toolRounds(reply), sentence);
  };
  const onTools = (areRunning: boolean): void => options.onTools(areRunning ? interject : undefined);
  const roundText = (round: number): string => rounds[round]?.join(" ") ?? "";

  emit({ type: "reply_started", reply, source: source.type });
  let reason: ReplyEndReason = "completed";
  let end: AnswerEnd = { providerData: undefined };
  try {
    if (source.type === "llm") end = await answer({ ...options, llm: source.llm, onSentence: write, onTools, roundText });
    else for (const sentence of sentencesOf(fillVariables(source.text, agent.variables))) write(0, sentence);
  } catch (error) {
    reason = signal.aborted ? "hung_up" : "failed";
    if (reason === "failed") {
      emit(errorEvent("llm", error));
      write(history.toolRounds(reply), agent.llmErrorMessage);
    }
  }
  options.onTools(undefined);
  history.settle(
    reply,
    rounds.map((_, round) => roundText(round)),
  );
  history.addAssistant(reply, roundText(history.toolRounds(reply)), end.providerData);
  const text = rounds
    .map((_, round) => roundText(round))
    .filter(Boolean)
    .join(" ");
  emit({ type: "reply_ended", reply, reason, text, heard: text, isEstimated: false, audioMs: 0 });
  return text;
}

/** Has the hold line written when a model's answer is silent for too long. */
class HoldTimer implements Disposable {
  readonly #options: TypedReplyOptions;
  readonly #write: (text: string) => void;
  #timer: Disposable | undefined;
  #holds = 0;

  constructor(options: TypedReplyOptions, write: (text: string) => void) {
    this.#options = options;
    this.#write = write;
    this.restart();
  }

  restart(): void {
    this[Symbol.dispose]();
    const { agent, clock, source } = this.#options;
    const { longTurnMessage, longTurnMessageAfterMs } = agent;
    if (source.type !== "llm" || longTurnMessage === null || this.#holds === MAX_HOLDS) return;
    this.#timer = clock.setTimer(longTurnMessageAfterMs, () => {
      this.#holds++;
      this.#write(longTurnMessage);
    });
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
  }
}
