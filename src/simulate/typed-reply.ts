import type { Agent } from "../agent/agent.js";
import type { History } from "../agent/history.js";
import { fillVariables } from "../agent/prompt.js";
import { spokenText } from "../agent/speech-text.js";
import type { ToolRunner } from "../agent/tool-runner.js";
import { type AnswerEnd, answer } from "../call/answer.js";
import { errorEvent } from "../call/error-event.js";
import { SentenceSplitter } from "../call/sentences.js";
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
}

/**
 * Writes one reply, sentence by sentence as `sentence_ready` events, enters it into the history and returns its text.
 * What was written counts as heard. A failed model is answered with the agent's error message; it never rejects.
 */
export async function typedReply(options: TypedReplyOptions): Promise<string> {
  const { reply, source, agent, history, signal, emit } = options;
  const rounds: string[][] = [];
  const write = (round: number, sentence: string): boolean => {
    const spoken = spokenText(sentence, agent.textTransforms, (error) => emit(errorEvent("callback", error)));
    if (spoken.trim() === "") return false;
    while (rounds.length <= round) rounds.push([]);
    rounds[round]?.push(sentence.trim());
    emit({ type: "sentence_ready", reply, text: spoken });
    return true;
  };
  const roundText = (round: number): string => rounds[round]?.join(" ") ?? "";

  emit({ type: "reply_started", reply, source: source.type });
  let reason: ReplyEndReason = "completed";
  let end: AnswerEnd = { providerData: undefined };
  try {
    if (source.type === "llm") end = await answer({ ...options, llm: source.llm, onSentence: write, roundText });
    else for (const sentence of sentences(fillVariables(source.text, agent.variables))) write(0, sentence);
  } catch (error) {
    reason = signal.aborted ? "hung_up" : "failed";
    if (reason === "failed") {
      emit(errorEvent("llm", error));
      write(history.toolRounds(reply), agent.llmErrorMessage);
    }
  }
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

function sentences(text: string): string[] {
  const splitter = new SentenceSplitter();
  return [...splitter.push(text), ...splitter.flush()];
}
