import type { ChatMessage, ToolSpec } from "../core/chat.js";
import { systemClock } from "../core/clock.js";
import type { ProviderError } from "../core/errors.js";
import type { LLM, LlmChunk, LlmOptions, LlmUsage } from "../core/llm.js";
import { Warnings } from "../core/warnings.js";
import { HttpClient } from "../provider-kit/http.js";
import type { ProviderIdentity } from "../provider-kit/http-errors.js";
import { streamAnswer } from "../provider-kit/http-llm.js";
import { type ConnectionRequest, openConnection } from "../provider-kit/open-connection.js";
import { explained, messagesUrl, modelsUrl, requestHeaders } from "./anthropic/endpoint.js";
import { AnthropicDecoder } from "./anthropic/events.js";
import { followUp } from "./anthropic/follow-ups.js";
import { type BodyOptions, endsInPlaceholder, messagesBody, warmupBody } from "./anthropic/messages.js";
import { DEFAULT_MODEL, type ModelRules, modelRules } from "./anthropic/models.js";
import { type AnthropicLLMOptions, checkOptions, CLASS_NAME } from "./anthropic/options.js";
import { requestSettings } from "./anthropic/parameters.js";
import { type ToolNames, toolNames } from "./anthropic/tools.js";
import { WarmPrefixes } from "./anthropic/warm-prefixes.js";
import type { MessagesBody } from "./anthropic/wire.js";

export type { AnthropicLLMOptions, AnthropicThinking, AnthropicToolChoice } from "./anthropic/options.js";

const IDENTITY: ProviderIdentity = { provider: "anthropic", className: CLASS_NAME };

/**
 * Claude over the Messages API: streamed text and tool calls, in parallel where the model makes several.
 *
 * A request that fails before its first content is tried once more when that can help; an answer that ends without a word
 * is asked for once more. A stream that stays silent for 8 s fails with a `ProviderTimeoutError`, one that is cut short with
 * a `ProtocolError`; an abort ends it without an error. What it should tell but not throw goes to Node's process warnings.
 */
export class AnthropicLLM implements LLM, AsyncDisposable {
  readonly provider = IDENTITY.provider;
  readonly model: string;
  readonly #rules: ModelRules | undefined;
  readonly #bodyOptions: BodyOptions;
  readonly #hedgeAfterMs: number | undefined;
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #http: HttpClient;
  /** What is asked where only the connection is of use. */
  readonly #connection: ConnectionRequest;
  readonly #warnings = new Warnings(CLASS_NAME);
  /** `undefined` when nothing is cached. */
  readonly #warmPrefixes: WarmPrefixes | undefined;

  /** @throws ConfigError without a credential, for an option that is not known, and for one out of its range. */
  constructor(options: AnthropicLLMOptions = {}) {
    checkOptions(options);
    const { promptCaching = true, cacheTtl: ttl = "5m" } = options;
    const warn = (code: string, message: string): void => this.#warnings.once(code, message);
    this.model = options.model?.trim() ?? DEFAULT_MODEL;
    this.#rules = modelRules(this.model);
    this.#url = messagesUrl(options);
    this.#headers = requestHeaders(options);
    this.#hedgeAfterMs = options.hedgeAfterMs;
    this.#bodyOptions = {
      ...requestSettings(options, { model: this.model, version: this.#headers["anthropic-version"] ?? "", warn }),
      ...(promptCaching ? { caching: { ttl } } : {}),
      warn,
    };
    this.#http = new HttpClient(IDENTITY, { fetch: options.fetch });
    this.#connection = { http: this.#http, identity: IDENTITY, url: modelsUrl(this.#url), headers: this.#headers };
    const { model } = this;
    const explain = (error: ProviderError): ProviderError => explained(error, model, systemClock.epochMs());
    const warming = { url: this.#url, connection: this.#connection, model, ttl, warn, explain };
    this.#warmPrefixes = promptCaching ? new WarmPrefixes(warming) : undefined;
  }

  /** Streams one answer: `text` and `tool_call` chunks, then `done` with the stop reason, the usage and the request's id. */
  stream(
    messages: readonly ChatMessage[],
    tools?: readonly ToolSpec[] | null,
    options: LlmOptions = {},
  ): AsyncGenerator<LlmChunk, void, undefined> {
    const body = messagesBody(messages, tools ?? [], { ...this.#bodyOptions, speculative: options.speculative === true });
    let names: ToolNames | undefined;
    const toolName = (wireName: string): string => (names ??= toolNames(tools ?? [])).own(wireName);
    return streamAnswer<AnthropicDecoder>(
      {
        http: this.#http,
        identity: IDENTITY,
        url: this.#url,
        headers: this.#headers,
        body: JSON.stringify(body),
        decoder: ({ earlier, toolCalls }) =>
          new AnthropicDecoder({
            identity: IDENTITY,
            model: this.model,
            toolName,
            firstToolCall: toolCalls,
            // Newer models refuse thinking whose prompt the history does not hold; older ones insist on it.
            keepsThinking:
              (earlier.length === 0 && !endsInPlaceholder(body)) || this.#rules?.thinking.includes("enabled") === true,
          }),
        followUp: (complete, earlier) => followUp(body, complete, earlier),
        explain: (error) => explained(error, this.model, (options.clock ?? systemClock).epochMs()),
        hedgeAfterMs: this.#hedgeAfterMs,
      },
      this.#warmPrefixes === undefined ? options : { ...options, onUsage: this.#watch(this.#warmPrefixes, body, options) },
    );
  }

  /**
   * Opens the connection and, with `promptCaching`, has the vendor read the tools and the system prompt into its cache, so
   * that the first answer waits for neither. Costs what writing them costs, and is left out when they are too short or were
   * used a moment ago. An abort ends it quietly.
   * @throws ProviderError when the vendor cannot be reached or refuses.
   */
  async warmup(messages: readonly ChatMessage[] = [], tools?: readonly ToolSpec[] | null, options?: LlmOptions): Promise<void> {
    if (this.#warmPrefixes === undefined) await openConnection(this.#connection, options);
    else await this.#warmPrefixes.warm(warmupBody(messages, tools ?? [], this.#bodyOptions), options);
  }

  /** Closes the connections; answers in flight fail. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#http[Symbol.asyncDispose]();
  }

  /** Learns from each answer what is cached. */
  #watch(prefixes: WarmPrefixes, body: MessagesBody, { clock = systemClock, onUsage }: LlmOptions): (usage: LlmUsage) => void {
    const sentMs = clock.now();
    return (usage) => {
      onUsage?.(usage);
      // Of several requests the last says what is cached: their sum may pass a minimum that none of them does.
      prefixes.saw(body, usage.requests?.at(-1) ?? usage, sentMs);
    };
  }
}

export { AnthropicLLM as LLM };
