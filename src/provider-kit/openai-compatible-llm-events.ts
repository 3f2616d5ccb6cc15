import { isRecord } from "../core/json.js";
import type { LlmChunk, LlmStopReason, LlmUsage } from "../core/llm.js";
import { parseMessage, type ProviderIdentity, vendorError, vendorMessage } from "./http-errors.js";
import type { AnswerDecoder } from "./http-llm.js";
import type { ServerSentEvent } from "./sse.js";

type Fields = Readonly<Record<string, unknown>>;

const STOP_REASONS: Readonly<Record<string, LlmStopReason>> = {
  stop: "end_turn",
  length: "max_tokens",
  tool_calls: "tool_use",
  function_call: "tool_use",
  content_filter: "refusal",
};

/** Characters of English text in a token, roughly: for answers whose count never came. */
const CHARACTERS_PER_TOKEN = 4;

/** Decodes the events of one streamed chat completion. Reasoning that a server sends beside the text is skipped. */
export class ChatCompletionDecoder implements AnswerDecoder {
  /** Reasoning comes in pieces here, and is not announced. */
  readonly isThinking = false;
  readonly #identity: ProviderIdentity;
  /** The id of the call that each index of the wire stands for; some servers give several calls one index. */
  readonly #calls: { readonly index: unknown; readonly id: unknown }[] = [];
  #stopReason: LlmStopReason | undefined;
  #usage: LlmUsage | undefined;
  #characters = 0;
  #isComplete = false;

  constructor(identity: ProviderIdentity) {
    this.#identity = identity;
  }

  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Some servers close the stream behind the finish reason, without `[DONE]`. */
  get mayEnd(): boolean {
    return this.#stopReason !== undefined;
  }

  get hasContent(): boolean {
    return this.#characters > 0 || this.#calls.length > 0;
  }

  decode({ data }: ServerSentEvent): readonly LlmChunk[] {
    if (data.trim() === "[DONE]") {
      this.#isComplete = true;
      return [];
    }
    const event = parseMessage(this.#identity, data);
    if (event["error"] !== undefined) throw this.#streamError(event["error"], data);
    this.#readUsage(event["usage"]);
    const [choice] = list(event["choices"]);
    if (!isRecord(choice)) return [];
    const reason = choice["finish_reason"];
    if (typeof reason === "string") this.#stopReason = STOP_REASONS[reason] ?? "other";
    const delta = isRecord(choice["delta"]) ? choice["delta"] : {};
    return [
      ...this.#text(delta["content"]),
      ...list(delta["tool_calls"]).flatMap((call) => (isRecord(call) ? this.#toolCall(call) : [])),
    ];
  }

  done(requestId: string | undefined): LlmChunk {
    const usage = this.usage();
    // Not every server says tool_calls when it has made some.
    const stopReason = this.#stopReason === "end_turn" && this.#calls.length > 0 ? "tool_use" : this.#stopReason;
    return {
      type: "done",
      ...(stopReason === undefined ? {} : { stopReason }),
      ...(usage === undefined ? {} : { usage }),
      ...(requestId === undefined ? {} : { requestId }),
    };
  }

  /** What the server counted; before its count only the output is known, by its length. */
  usage(): LlmUsage | undefined {
    if (this.#usage !== undefined) return this.#usage;
    if (this.#characters === 0) return undefined;
    return { inputTokens: 0, outputTokens: Math.ceil(this.#characters / CHARACTERS_PER_TOKEN), isEstimated: true };
  }

  #text(content: unknown): readonly LlmChunk[] {
    if (typeof content !== "string" || content === "") return [];
    this.#characters += content.length;
    return [{ type: "text", content }];
  }

  #toolCall(call: Fields): readonly LlmChunk[] {
    const { name, arguments: json } = isRecord(call["function"]) ? call["function"] : {};
    const id = typeof call["id"] === "string" && call["id"] !== "" ? call["id"] : undefined;
    const wireIndex = call["index"] ?? 0;
    let index = this.#calls.findLastIndex((known) => known.index === wireIndex && (id === undefined || known.id === id));
    const isNew = index < 0;
    if (isNew) index = this.#calls.push({ index: wireIndex, id }) - 1;
    if (typeof json === "string") this.#characters += json.length;
    return [
      {
        type: "tool_call",
        index,
        ...(isNew && id !== undefined ? { id } : {}),
        ...(isNew && typeof name === "string" ? { name } : {}),
        ...(typeof json === "string" ? { arguments: json } : {}),
      },
    ];
  }

  #readUsage(usage: unknown): void {
    if (!isRecord(usage)) return;
    const prompt = count(usage["prompt_tokens"]);
    const cached = count(record(usage["prompt_tokens_details"])["cached_tokens"]);
    const thinking = count(record(usage["completion_tokens_details"])["reasoning_tokens"]);
    this.#usage = {
      inputTokens: prompt - cached,
      outputTokens: count(usage["completion_tokens"]),
      ...(cached > 0 ? { cacheReadTokens: cached } : {}),
      ...(thinking > 0 ? { thinkingTokens: thinking } : {}),
    };
  }

  #streamError(error: unknown, data: string): Error {
    const status = isRecord(error) && typeof error["code"] === "number" ? error["code"] : 500;
    return vendorError(this.#identity, { status, ...vendorMessage(data) });
  }
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function record(value: unknown): Fields {
  return isRecord(value) ? value : {};
}

function count(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
