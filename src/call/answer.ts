import type { Agent } from "../agent/agent.js";
import type { History } from "../agent/history.js";
import { systemMessages } from "../agent/prompt.js";
import type { ToolRunner } from "../agent/tool-runner.js";
import { toolSpec } from "../agent/tools.js";
import type { CallEventBody } from "../core/call-event.js";
import type { ToolCallMessage } from "../core/chat.js";
import type { Clock } from "../core/clock.js";
import { ProviderError, ProviderTimeoutError } from "../core/errors.js";
import type { LLM, LlmChunk, LlmUsage } from "../core/llm.js";
import { abortable, untilAborted } from "../core/signals.js";
import { SentenceSplitter } from "./sentences.js";

/** Rounds of tool calls in one reply before it is given up. */
const MAX_ROUNDS = 10;
/** A model that sends nothing for so long, in ms, has failed. Providers' own deadlines are shorter. */
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
 */
export async function answer(options: AnswerOptions): Promise<AnswerEnd> {
  const { llm, history, tools, signal, reply } = options;
  // Each call in the history needs its result, and a tool of an interrupted reply may still be running.
  await abortable(tools.idle(), signal);
  let hasText = false;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const { calls, providerData, isSpoken } = await ask(options, round);
    signal.throwIfAborted();
    hasText ||= isSpoken;
    if (calls.length === 0) {
      if (!hasText) throw new ProviderError(`${llm.provider} gave an empty answer.`, { provider: llm.provider });
      return { providerData };
    }
    history.addToolCalls(reply, options.roundText(round), calls, providerData);
    options.onTools?.(true);
    await abortable(tools.run(reply, calls), signal);
    options.onTools?.(false);
  }
  throw new ProviderError(`The model called tools ${MAX_ROUNDS} times in one reply without an answer.`, {
    provider: llm.provider,
  });
}

interface Asked {
  readonly calls: ToolCallMessage[];
  readonly providerData: unknown;
  /** Whether the model had anything to say; the hold line is not its own. */
  readonly isSpoken: boolean;
}

/** One request to the model. */
async function ask(options: AnswerOptions, round: number): Promise<Asked> {
  const { llm, agent, history, emit, clock, callId, signal, reply } = options;
  const names = { reply, provider: llm.provider, model: llm.model };
  const messages = [...systemMessages(agent.systemPrompt, agent.variables), ...history.messages()];
  const specs = agent.tools.length === 0 ? null : agent.tools.map(toolSpec);
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
  let end: Extract<LlmChunk, { type: "done" }> = { type: "done" };
  let hasContent = false;
  let isSpoken = false;
  const say = (sentences: readonly string[]): void => {
    for (const sentence of sentences) isSpoken = options.onSentence(round, sentence) || isSpoken;
  };
  const chunks = llm.stream(messages, specs, { signal, callId, clock, onUsage });
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
  say(splitter.flush());
  if (end.usage !== undefined) onUsage(end.usage);
  const { stopReason, requestId } = end;
  emit({ type: "llm_ended", ...names, ...(stopReason && { stopReason }), ...(requestId && { requestId }) });
  // A call that the token limit cut may lack half of its arguments.
  const assembled = stopReason === "max_tokens" ? [] : calls.assembled((id) => history.hasToolCall(id));
  return { calls: assembled, providerData: end.providerData, isSpoken };
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
