import type { Agent } from "../agent/agent.js";
import type { History } from "../agent/history.js";
import { fillVariables } from "../agent/prompt.js";
import { spokenText } from "../agent/speech-text.js";
import type { ToolRunner } from "../agent/tool-runner.js";
import { type AnswerEnd, answer } from "../call/answer.js";
import { errorEvent } from "../call/error-event.js";
import { HoldLine } from "../call/hold-line.js";
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

/**
 * Writes one reply, sentence by sentence as `sentence_ready` events, enters it into the history and returns its text.
 * What was written counts as heard. A failed model is answered with the agent's error message; it never rejects.
 */
export async function typedReply(options: TypedReplyOptions): Promise<string> {
  const { reply, source, agent, history, signal, emit } = options;
  const rounds: string[][] = [];
  // What is written is read at once: from one sentence to the next it is silent.
  const holdLine = (): HoldLine =>
    new HoldLine({ ...options, isSilent: () => true, say: (line) => write(history.toolRounds(reply), line, true) });
  using hold = source.type === "llm" ? holdLine() : undefined;
  const write = (round: number, sentence: string, isHold = false): boolean => {
    const spoken = spokenText(sentence, agent.textTransforms, (error) => emit(errorEvent("callback", error)));
    if (spoken.trim() === "") return false;
    while (rounds.length <= round) rounds.push([]);
    rounds[round]?.push(sentence.trim());
    emit({ type: "sentence_ready", reply, text: spoken, ...(isHold && { isHold }) });
    hold?.restart();
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
