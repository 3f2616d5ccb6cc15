import type { Agent } from "../agent/agent.js";
import type { History } from "../agent/history.js";
import { requestPrefix } from "../agent/prompt.js";
import type { ToolRunner } from "../agent/tool-runner.js";
import type { CallEventBody } from "../core/call-event.js";
import type { ToolCallMessage } from "../core/chat.js";
import type { Clock } from "../core/clock.js";
import { AnswerError, ProviderError, ProviderTimeoutError } from "../core/errors.js";
import type { LLM, LlmChunk, LlmUsage } from "../core/llm.js";
import { abortable, untilAborted } from "../core/signals.js";
import { SentenceSplitter } from "./sentences.js";

/** Rounds of tool calls in one reply before it is given up. */
const MAX_ROUNDS = 10;
/** A model that sends nothing for so long, in ms, has failed. The deadlines of our own providers are shorter. */
const SILENCE_MS = 15_000;

export interface AnswerOptions {
  readonly reply: number;
  readonly callId: string;
  readonly llm: LLM;
  readonly agent: Agent;
  readonly history: History;
  readonly tools: ToolRunner;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  emit(body: CallEventBody): void;
  /** Takes a sentence of the given round; says whether there is anything to speak in it. */
  onSentence(round: number, sentence: string): boolean;
  /** Tools begin to run, or have all answered. */
  readonly onTools?: (areRunning: boolean) => void;
  /** The text of a round so far, as it will stand in the conversation. */
  roundText(round: number): string;
}

/** The end of an answer: what the model wants back with its last message. */
export interface AnswerEnd {
  readonly providerData: unknown;
}

/**
 * Asks the model, runs the tools it calls and asks again, until it calls none.
 * Text is handed on sentence by sentence while the model still writes.
 *
 * @throws AnswerError when the model refuses, writes nothing at all, or reaches its token limit within a tool call.
 */
export async function answer(options: AnswerOptions): Promise<AnswerEnd> {
  const { llm, history, tools, signal, reply } = options;
  // Each call in the history needs its result, and a tool of an interrupted reply may still be running.
  await abortable(tools.idle(), signal);
  let hasText = false;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const asked = await ask(options, round);
    signal.throwIfAborted();
    hasText ||= asked.isSpoken;
    const failure = failureOf(asked, hasText, llm);
    if (failure !== undefined) throw failure;
    const { calls, end } = asked;
    // What a refused answer says of itself is no part of the conversation.
    if (end.stopReason === "refusal") return { providerData: undefined };
    if (calls.length === 0) return { providerData: end.providerData };
    history.addToolCalls(reply, options.roundText(round), calls, end.providerData);
    options.onTools?.(true);
    await abortable(tools.run(reply, calls), signal);
    options.onTools?.(false);
  }
  throw new ProviderError(`The model called tools ${MAX_ROUNDS} times in one reply without an answer.`, {
    provider: llm.provider,
  });
}

type AnswerDone = Extract<LlmChunk, { readonly type: "done" }>;

interface Asked {
  readonly end: AnswerDone;
  readonly calls: ToolCallMessage[];
  /** Whether the model had anything to say; the hold line is not its own. */
  readonly isSpoken: boolean;
}

/** One request to the model. */
async function ask(options: AnswerOptions, round: number): Promise<Asked> {
  const { llm, agent, history, emit, clock, callId, signal, reply } = options;
  const names = { reply, provider: llm.provider, model: llm.model };
  const { system, tools } = requestPrefix(agent);
  const messages = [...system, ...history.messages()];
  emit({ type: "llm_requested", ...names, messages: messages.length });
  let hasUsage = false;
  // A provider may report it through the callback, with its last chunk, or both.
  const onUsage = (usage: LlmUsage): void => {
    if (hasUsage) return;
    hasUsage = true;
    emit({ type: "llm_usage", ...names, usage });
  };
  const splitter = new SentenceSplitter();
  const calls = new ToolCallAssembler(`call_${reply}_${round}`);
  let end: AnswerDone = { type: "done" };
  let hasContent = false;
  let isSpoken = false;
  const say = (sentences: readonly string[]): void => {
    for (const sentence of sentences) isSpoken = options.onSentence(round, sentence) || isSpoken;
  };
  const chunks = llm.stream(messages, tools, { signal, callId, clock, onUsage });
  for await (const chunk of untilAborted(chunks, signal, { clock, ms: SILENCE_MS, late: () => silent(llm) })) {
    // The reply may have ended while the chunk was on its way here.
    signal.throwIfAborted();
    if (chunk.type === "done") {
      end = chunk;
      break;
    }
    if (!hasContent) emit({ type: "llm_first_token", reply });
    hasContent = true;
    if (chunk.type === "tool_call") calls.add(chunk);
    else say(splitter.push(chunk.content));
  }
  signal.throwIfAborted();
  // A sentence that a refusal cuts off is not finished.
  if (end.stopReason !== "refusal") say(splitter.flush());
  if (end.usage !== undefined) onUsage(end.usage);
  const { stopReason, stopDetail, requestId, timing, retries } = end;
  emit({
    type: "llm_ended",
    ...names,
    ...(stopReason && { stopReason }),
    ...(stopDetail !== undefined && { stopDetail }),
    ...(requestId && { requestId }),
    ...(timing && { timing }),
    ...(retries && { retries }),
  });
  return { end, calls: calls.assembled((id) => history.hasToolCall(id)), isSpoken };
}

/** Why an answer leaves the caller without one, if it does. `hasText`: whether this reply has said anything by now. */
function failureOf({ end, calls, isSpoken }: Asked, hasText: boolean, { provider, model }: LLM): AnswerError | undefined {
  const { stopReason, stopDetail, requestId } = end;
  const options = { provider, requestId };
  // What was said before a tool ran is no answer to what the caller asked for.
  if (stopReason === "refusal" && !isSpoken) {
    const detail = stopDetail === undefined ? "" : ` (${stopDetail})`;
    const message = `${model} refused to answer${detail}. Look at the system prompt, the tools' results and what the caller asked for.`;
    return new AnswerError("refusal", message, options);
  }
  if (stopReason === "max_tokens" && (calls.length > 0 || !isSpoken)) {
    const cut =
      calls.length > 0 ? `in its call of "${calls.at(-1)?.function.name}", so that no tool was run` : "before it said anything";
    return new AnswerError("max_tokens", `${model} reached its token limit ${cut}: raise maxTokens.`, options);
  }
  if (calls.length > 0 || hasText) return undefined;
  const message = `${model} gave an empty answer: look at the system prompt, and at what it was told last.`;
  return new AnswerError("empty_answer", message, options);
}

function silent({ provider }: LLM): ProviderTimeoutError {
  return new ProviderTimeoutError(`${provider} sent nothing for ${SILENCE_MS / 1000} s.`, { provider });
}

/** Joins the pieces of tool calls that a model streams. */
class ToolCallAssembler {
  readonly #prefix: string;
  readonly #calls = new Map<number, { id: string | undefined; name: string; args: string }>();

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  add(chunk: Extract<LlmChunk, { type: "tool_call" }>): void {
    const call = this.#calls.get(chunk.index) ?? { id: undefined, name: "", args: "" };
    call.id ??= chunk.id;
    if (chunk.name !== undefined) call.name = chunk.name;
    call.args += chunk.arguments ?? "";
    this.#calls.set(chunk.index, call);
  }

  /** The calls in order, each with an id of its own: some servers give the same ids with every answer, or none. */
  assembled(isTaken: (id: string) => boolean): ToolCallMessage[] {
    const ids = new Set<string>();
    return [...this.#calls.entries()]
      .sort(([a], [b]) => a - b)
      .map(([index, call]) => {
        const isNew = call.id !== undefined && call.id !== "" && !ids.has(call.id) && !isTaken(call.id);
        const id = isNew ? (call.id as string) : `${this.#prefix}_${index}`;
        ids.add(id);
        return { id, type: "function", function: { name: call.name, arguments: call.args } };
      });
  }
}
