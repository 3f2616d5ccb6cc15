import { ProtocolError, type ProviderError } from "../../core/errors.js";
import { isRecord } from "../../core/json.js";
import type { LlmChunk, LlmStopReason, LlmUsage } from "../../core/llm.js";
import { parseMessage, type ProviderIdentity, vendorError } from "../../provider-kit/http-errors.js";
import type { AnswerDecoder } from "../../provider-kit/http-llm.js";
import type { ServerSentEvent } from "../../provider-kit/sse.js";
import { type AnswerBlock, asText, OpenBlock } from "./answer-blocks.js";
import type { AnthropicData } from "./replay.js";
import { UsageMeter } from "./usage.js";

type Fields = Readonly<Record<string, unknown>>;

/** What an answer's decoder must know of its request. */
export interface AnswerContext {
  readonly identity: ProviderIdentity;
  readonly model: string;
  /** The caller's own name of a tool, by the one that was sent. */
  readonly toolName: (wireName: string) => string;
  /** The index of the first tool call. */
  readonly firstToolCall: number;
  /** Whether the thinking may go back to the model: not what it thought about text that the history does not hold. */
  readonly keepsThinking: boolean;
}

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
  conflict_error: 409,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
};

const NONE: readonly LlmChunk[] = [];
const NO_FIELDS: Fields = {};
const NO_BLOCKS: readonly AnswerBlock[] = [];

/**
 * Decodes the events of one Messages API answer. Blocks are found by their index, so that they may interleave; types of
 * events and deltas that are not known are skipped, as the API's versioning asks, and such blocks are only kept.
 */
export class AnthropicDecoder implements AnswerDecoder {
  readonly mayEnd = false;
  readonly #context: AnswerContext;
  /** In their order. */
  readonly #blocks: OpenBlock[] = [];
  /** The block that an index stands for at present. */
  readonly #blockAt = new Map<unknown, OpenBlock>();
  readonly #usage = new UsageMeter();
  #messageId: unknown;
  #hasStarted = false;
  #openThinking = 0;
  #toolCalls: number;
  #hasContent = false;
  #hasWords = false;
  #stop: Fields = NO_FIELDS;
  #isComplete = false;

  constructor(context: AnswerContext) {
    this.#context = context;
    this.#toolCalls = context.firstToolCall;
  }

  get isComplete(): boolean {
    return this.#isComplete;
  }

  get isThinking(): boolean {
    return this.#openThinking > 0;
  }

  get hasContent(): boolean {
    return this.#hasContent;
  }

  /** Says whether a tool call has come, or text that is not blank. */
  get hasWords(): boolean {
    return this.#hasWords;
  }

  /** Says whether the model ended its turn without a word or a call: the caller would hear nothing. */
  get isEmpty(): boolean {
    return this.#isComplete && !this.#hasWords && this.#stop["stop_reason"] === "end_turn";
  }

  /**
   * The content so far of an answer that the vendor paused while its own tools run: it goes on when this is sent back.
   * `undefined` for every other answer.
   */
  pausedContent(): readonly AnswerBlock[] | undefined {
    if (!this.#isComplete || this.#stop["stop_reason"] !== "pause_turn") return undefined;
    if (this.#toolCalls > this.#context.firstToolCall) return undefined;
    const content = this.#blocks.flatMap((block) => block.whole() ?? NO_BLOCKS);
    return content.length === 0 ? undefined : content;
  }

  decode({ data }: ServerSentEvent): readonly LlmChunk[] {
    const event = parseMessage(this.#context.identity, data);
    switch (event["type"]) {
      case "content_block_delta":
        return this.#extendBlock(this.#blockAt.get(event["index"]), asRecord(event["delta"]));
      case "content_block_start":
        return this.#startBlock(event["index"], asRecord(event["content_block"]));
      case "content_block_stop":
        return this.#endBlock(this.#blockAt.get(event["index"]));
      case "message_start":
        this.#startMessage(asRecord(event["message"]));
        return NONE;
      case "message_delta":
        this.#endMessage(asRecord(event["delta"]), event["usage"]);
        return NONE;
      case "message_stop":
        this.#isComplete = true;
        return NONE;
      case "error":
        throw this.#streamError(event);
      default:
        return NONE;
    }
  }

  done(requestId: string | undefined): LlmChunk {
    const reason = asText(this.#stop["stop_reason"]);
    const stopDetail = stopDetailOf(this.#stop["stop_details"]);
    const usage = this.usage();
    const providerData = this.#providerData();
    return {
      type: "done",
      ...(reason === "" ? {} : { stopReason: STOP_REASONS[reason] ?? "other" }),
      ...(stopDetail === undefined ? {} : { stopDetail }),
      ...(usage === undefined ? {} : { usage }),
      ...(requestId === undefined ? {} : { requestId }),
      ...(providerData === undefined ? {} : { providerData }),
    };
  }

  usage(): LlmUsage | undefined {
    return this.#usage.usage();
  }

  #startMessage(message: Fields): void {
    const id = message["id"];
    if (this.#hasStarted) {
      // Gateways have been seen to repeat the first event; another message inside this one is something else.
      if (id === this.#messageId) return;
      throw this.#protocolError(`a second message ${JSON.stringify(id)} inside the message ${JSON.stringify(this.#messageId)}`);
    }
    this.#hasStarted = true;
    this.#messageId = id;
    this.#usage.start(message["usage"]);
  }

  #endMessage(delta: Fields, usage: unknown): void {
    if (typeof delta["stop_reason"] === "string") this.#stop = delta;
    this.#usage.end(usage);
  }

  #startBlock(index: unknown, fields: Fields): readonly LlmChunk[] {
    // Some gateways give every block the same index, one behind the other.
    if (this.#blockAt.get(index)?.isClosed === false)
      throw this.#protocolError(`a second block with the index ${JSON.stringify(index)}`);
    const block = new OpenBlock(fields);
    this.#blocks.push(block);
    this.#blockAt.set(index, block);
    switch (block.kind) {
      case "text":
        return this.#write(asText(fields["text"]));
      case "thinking":
        this.#openThinking++;
        return NONE;
      case "tool_call":
        block.call = this.#toolCalls++;
        this.#hasContent = true;
        this.#hasWords = true;
        return [
          {
            type: "tool_call",
            index: block.call,
            id: asText(fields["id"]),
            name: this.#context.toolName(asText(fields["name"])),
          },
        ];
      case "other":
        return NONE;
    }
  }

  #extendBlock(block: OpenBlock | undefined, delta: Fields): readonly LlmChunk[] {
    switch (delta["type"]) {
      case "text_delta": {
        const piece = asText(delta["text"]);
        if (block !== undefined) block.text += piece;
        return this.#write(piece);
      }
      case "input_json_delta": {
        const piece = asText(delta["partial_json"]);
        if (block === undefined || piece === "") return NONE;
        block.json += piece;
        return block.kind === "tool_call" ? this.#writeArguments(block.call, piece) : NONE;
      }
      case "thinking_delta": {
        const piece = asText(delta["thinking"]);
        if (block !== undefined) block.thinking += piece;
        this.#usage.wrote(piece);
        return NONE;
      }
      case "signature_delta":
        if (block !== undefined) block.signature += asText(delta["signature"]);
        return NONE;
      case "citations_delta":
        block?.citations.push(delta["citation"]);
        return NONE;
      default:
        return NONE;
    }
  }

  #endBlock(block: OpenBlock | undefined): readonly LlmChunk[] {
    if (block === undefined || block.isClosed) return NONE;
    block.isClosed = true;
    if (block.kind === "thinking") this.#openThinking--;
    // A tool without arguments may send none, or all of them with the block's start.
    if (block.kind === "tool_call" && block.json === "")
      return this.#writeArguments(block.call, JSON.stringify(asRecord(block.fields["input"])));
    return NONE;
  }

  #write(content: string): readonly LlmChunk[] {
    if (content === "") return NONE;
    this.#hasContent = true;
    this.#hasWords ||= content.trim() !== "";
    this.#usage.wrote(content);
    return [{ type: "text", content }];
  }

  #writeArguments(index: number, json: string): readonly LlmChunk[] {
    this.#usage.wrote(json);
    return [{ type: "tool_call", index, arguments: json }];
  }

  #providerData(): AnthropicData | undefined {
    if (!this.#context.keepsThinking || this.#stop["stop_reason"] === "refusal") return undefined;
    const blocks = this.#blocks;
    if (!blocks.some((block) => block.wholeThinking() !== undefined)) return undefined;
    return { model: this.#context.model, parts: blocks.flatMap((block) => block.part() ?? []) };
  }

  #streamError(event: Fields): ProviderError {
    const { type, message } = asRecord(event["error"]);
    const requestId = event["request_id"];
    return vendorError(this.#context.identity, {
      status: ERROR_STATUS[asText(type)] ?? 500,
      type: asText(type),
      message: asText(message),
      requestId: typeof requestId === "string" ? requestId : undefined,
    });
  }

  #protocolError(what: string): ProtocolError {
    const { className, provider } = this.#context.identity;
    return new ProtocolError(`${className} received ${what}. Check { baseUrl }: something on the way mixes answers up.`, {
      provider,
      retryable: true,
    });
  }
}

function stopDetailOf(details: unknown): string | undefined {
  const { category, explanation } = asRecord(details);
  const said = [asText(category), asText(explanation)].filter((part) => part !== "");
  return said.length === 0 ? undefined : said.join(": ");
}

function asRecord(value: unknown): Fields {
  return isRecord(value) ? value : NO_FIELDS;
}
