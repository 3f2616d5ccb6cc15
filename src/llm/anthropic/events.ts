import type { ProviderError } from "../../core/errors.js";
import type { LlmChunk, LlmStopReason, LlmUsage } from "../../core/llm.js";
import { isRecord, parseMessage, type ProviderIdentity, vendorError } from "../../provider-kit/http-errors.js";
import type { AnswerDecoder } from "../../provider-kit/http-llm.js";
import type { ServerSentEvent } from "../../provider-kit/sse.js";
import type { AnthropicData } from "./messages.js";
import type { ThinkingBlock } from "./wire.js";

type Fields = Readonly<Record<string, unknown>>;

/** A block of the answer while it grows. */
type OpenBlock =
  | { readonly type: "text" }
  | { readonly type: "tool_use"; readonly index: number; readonly input: unknown; hasArguments: boolean }
  | { readonly type: "thinking"; thinking: string; signature: string }
  | { readonly type: "redacted_thinking"; readonly data: string };

/** Characters of English text in a token, roughly: for answers whose count never came. */
const CHARACTERS_PER_TOKEN = 4;

const STOP_REASONS: Readonly<Record<string, LlmStopReason>> = {
  end_turn: "end_turn",
  tool_use: "tool_use",
  max_tokens: "max_tokens",
  model_context_window_exceeded: "max_tokens",
  stop_sequence: "stop_sequence",
  refusal: "refusal",
};

/** The status that a failure inside a stream, where the HTTP status is already 200, stands for. */
const ERROR_STATUS: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
};

/**
 * Decodes the events of one Messages API answer. Blocks are kept by their index, so that they may interleave;
 * types of events, blocks and deltas that are not known are skipped, as the API's versioning asks.
 */
export class AnthropicDecoder implements AnswerDecoder {
  readonly mayEnd = false;
  readonly #identity: ProviderIdentity;
  readonly #model: string;
  readonly #blocks = new Map<unknown, OpenBlock>();
  readonly #thinking: ThinkingBlock[] = [];
  readonly #usage: Record<string, number> = {};
  #toolCalls = 0;
  #characters = 0;
  #stopReason: LlmStopReason | undefined;
  #hasStarted = false;
  #hasFinalUsage = false;
  #isComplete = false;

  constructor(identity: ProviderIdentity, model: string) {
    this.#identity = identity;
    this.#model = model;
  }

  get isComplete(): boolean {
    return this.#isComplete;
  }

  decode({ data }: ServerSentEvent): readonly LlmChunk[] {
    const event = parseMessage(this.#identity, data);
    switch (event["type"]) {
      case "message_start":
        this.#hasStarted = true;
        this.#addUsage(record(record(event["message"])["usage"]));
        return [];
      case "content_block_start":
        return this.#startBlock(event["index"], record(event["content_block"]));
      case "content_block_delta":
        return this.#extendBlock(this.#blocks.get(event["index"]), record(event["delta"]));
      case "content_block_stop":
        return this.#endBlock(event["index"]);
      case "message_delta":
        this.#endMessage(record(event["delta"]), event["usage"]);
        return [];
      case "message_stop":
        this.#isComplete = true;
        return [];
      case "error":
        throw this.#streamError(event);
      default:
        return [];
    }
  }

  done(requestId: string | undefined): LlmChunk {
    const usage = this.usage();
    const providerData: AnthropicData | undefined =
      this.#thinking.length === 0 ? undefined : { model: this.#model, thinking: this.#thinking };
    return {
      type: "done",
      ...(this.#stopReason === undefined ? {} : { stopReason: this.#stopReason }),
      ...(usage === undefined ? {} : { usage }),
      ...(requestId === undefined ? {} : { requestId }),
      ...(providerData === undefined ? {} : { providerData }),
    };
  }

  usage(): LlmUsage | undefined {
    if (!this.#hasStarted) return undefined;
    const {
      input_tokens: input = 0,
      output_tokens: output = 0,
      cache_read_input_tokens: read,
      thinking_tokens: thinking,
    } = this.#usage;
    const estimated = Math.max(output, Math.ceil(this.#characters / CHARACTERS_PER_TOKEN));
    const write1h = this.#usage["ephemeral_1h_input_tokens"];
    const writes = this.#usage["cache_creation_input_tokens"];
    // What is not told apart was written for five minutes: the only lifetime that is asked for.
    const write5m = writes === undefined ? undefined : writes - (write1h ?? 0);
    return {
      inputTokens: input,
      outputTokens: this.#hasFinalUsage ? output : estimated,
      ...(read === undefined ? {} : { cacheReadTokens: read }),
      ...(write5m === undefined ? {} : { cacheWrite5mTokens: write5m }),
      ...(write1h === undefined ? {} : { cacheWrite1hTokens: write1h }),
      ...(thinking === undefined ? {} : { thinkingTokens: thinking }),
      ...(this.#hasFinalUsage ? {} : { isEstimated: true }),
    };
  }

  #startBlock(index: unknown, block: Fields): readonly LlmChunk[] {
    switch (block["type"]) {
      case "text":
        this.#blocks.set(index, { type: "text" });
        return this.#text(block["text"]);
      case "tool_use":
        return this.#startToolCall(index, block);
      case "thinking":
        this.#blocks.set(index, { type: "thinking", thinking: text(block["thinking"]), signature: text(block["signature"]) });
        return [];
      case "redacted_thinking":
        this.#blocks.set(index, { type: "redacted_thinking", data: text(block["data"]) });
        return [];
      default:
        return [];
    }
  }

  #startToolCall(index: unknown, block: Fields): readonly LlmChunk[] {
    const call = this.#toolCalls++;
    this.#blocks.set(index, { type: "tool_use", index: call, input: block["input"], hasArguments: false });
    return [{ type: "tool_call", index: call, id: text(block["id"]), name: text(block["name"]) }];
  }

  #extendBlock(block: OpenBlock | undefined, delta: Fields): readonly LlmChunk[] {
    switch (delta["type"]) {
      case "text_delta":
        return this.#text(delta["text"]);
      case "input_json_delta":
        return block?.type === "tool_use" ? this.#arguments(block, text(delta["partial_json"])) : [];
      case "thinking_delta":
        if (block?.type === "thinking") block.thinking += text(delta["thinking"]);
        this.#characters += text(delta["thinking"]).length;
        return [];
      case "signature_delta":
        if (block?.type === "thinking") block.signature += text(delta["signature"]);
        return [];
      default:
        return [];
    }
  }

  #endBlock(index: unknown): readonly LlmChunk[] {
    const block = this.#blocks.get(index);
    this.#blocks.delete(index);
    if (block?.type === "thinking" || block?.type === "redacted_thinking") this.#thinking.push({ ...block });
    // A tool without arguments may send none, or all of them with the block's start.
    if (block?.type === "tool_use" && !block.hasArguments) return this.#arguments(block, JSON.stringify(record(block.input)));
    return [];
  }

  #endMessage(delta: Fields, usage: unknown): void {
    const reason = delta["stop_reason"];
    if (typeof reason === "string") this.#stopReason = STOP_REASONS[reason] ?? "other";
    if (!isRecord(usage)) return;
    this.#addUsage(usage);
    this.#hasFinalUsage = typeof usage["output_tokens"] === "number";
  }

  #text(value: unknown): readonly LlmChunk[] {
    const content = text(value);
    this.#characters += content.length;
    return content === "" ? [] : [{ type: "text", content }];
  }

  #arguments(block: Extract<OpenBlock, { type: "tool_use" }>, json: string): readonly LlmChunk[] {
    if (json === "") return [];
    block.hasArguments = true;
    this.#characters += json.length;
    return [{ type: "tool_call", index: block.index, arguments: json }];
  }

  /** Counts are cumulative: the last that is not null stands. */
  #addUsage(usage: Fields): void {
    for (const counts of [usage, record(usage["cache_creation"]), record(usage["output_tokens_details"])]) {
      for (const [name, count] of Object.entries(counts)) if (typeof count === "number") this.#usage[name] = count;
    }
  }

  #streamError(event: Fields): ProviderError {
    const { type, message } = record(event["error"]);
    const requestId = event["request_id"];
    return vendorError(this.#identity, {
      status: ERROR_STATUS[text(type)] ?? 500,
      type: text(type),
      message: text(message),
      requestId: typeof requestId === "string" ? requestId : undefined,
    });
  }
}

function record(value: unknown): Fields {
  return isRecord(value) ? value : {};
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
