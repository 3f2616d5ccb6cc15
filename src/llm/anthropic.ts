import type { ChatMessage, ToolSpec } from "../core/chat.js";
import { ConfigError } from "../core/errors.js";
import type { LLM, LlmChunk, LlmOptions } from "../core/llm.js";
import { credential } from "../provider-kit/credentials.js";
import { HttpClient, parseUrl } from "../provider-kit/http.js";
import type { ProviderIdentity } from "../provider-kit/http-errors.js";
import { openConnection, streamAnswer } from "../provider-kit/http-llm.js";
import { AnthropicDecoder } from "./anthropic/events.js";
import { messagesBody } from "./anthropic/messages.js";

const IDENTITY: ProviderIdentity = { provider: "anthropic", className: "AnthropicLLM" };

/** Options of `AnthropicLLM`. */
export interface AnthropicLLMOptions {
  /** Default: the environment variable `ANTHROPIC_API_KEY`. */
  readonly apiKey?: string;
  /** Any Claude model's id or alias. Default `claude-haiku-4-5-20251001`. */
  readonly model?: string;
  /** The longest answer, in tokens. Default 1024. */
  readonly maxTokens?: number;
  /** 0 to 1. Unset by default; newer models refuse it. */
  readonly temperature?: number;
  /** A host, or the whole URL of a Messages endpoint. Default `https://api.anthropic.com`. */
  readonly baseUrl?: string;
  /**
   * Marks the system prompt and the last tool as cacheable (`cache_control: ephemeral`). Default true.
   * Prompts below the model's minimum, 4,096 tokens for Haiku 4.5, are never cached.
   */
  readonly promptCaching?: boolean;
  /** The `anthropic-version` header. Default `2023-06-01`. */
  readonly anthropicVersion?: string;
  /** Used in place of the built-in HTTP client. */
  readonly fetch?: typeof fetch;
}

/**
 * Claude over the Messages API: streamed text and tool calls, in parallel where the model makes several.
 *
 * A request that fails before its first content is tried once more when that can help. A stream that stays silent
 * for 8 s fails with a `ProviderTimeoutError`, one that is cut short with a `ProtocolError`; an abort ends it
 * without an error.
 */
export class AnthropicLLM implements LLM, AsyncDisposable {
  readonly provider = IDENTITY.provider;
  readonly model: string;
  readonly #maxTokens: number;
  readonly #temperature: number | undefined;
  readonly #promptCaching: boolean;
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #http: HttpClient;

  /** @throws ConfigError without a credential, or for an option out of its range. */
  constructor(options: AnthropicLLMOptions = {}) {
    const apiKey = credential({
      provider: IDENTITY.className,
      option: "apiKey",
      env: "ANTHROPIC_API_KEY",
      value: options.apiKey,
    });
    this.model = options.model ?? "claude-haiku-4-5-20251001";
    this.#maxTokens = checkMaxTokens(options.maxTokens ?? 1024);
    this.#temperature = checkTemperature(options.temperature);
    this.#promptCaching = options.promptCaching ?? true;
    this.#url = messagesUrl(options.baseUrl ?? "https://api.anthropic.com");
    this.#headers = {
      "x-api-key": apiKey,
      "anthropic-version": options.anthropicVersion ?? "2023-06-01",
      "content-type": "application/json",
      ...(this.#promptCaching ? { "anthropic-beta": "prompt-caching-2024-07-31" } : {}),
    };
    this.#http = new HttpClient(IDENTITY, { fetch: options.fetch });
  }

  /** Streams one answer: `text` and `tool_call` chunks, then `done` with the stop reason, the usage and the request's id. */
  stream(
    messages: readonly ChatMessage[],
    tools?: readonly ToolSpec[] | null,
    options?: LlmOptions,
  ): AsyncGenerator<LlmChunk, void, undefined> {
    const body = messagesBody(messages, tools ?? [], {
      parameters: {
        model: this.model,
        max_tokens: this.#maxTokens,
        ...(this.#temperature === undefined ? {} : { temperature: this.#temperature }),
      },
      ...(this.#promptCaching ? { caching: { ttl: "5m" } } : {}),
      acceptsPrefill: false,
      acceptsMidCallSystem: false,
      warn: () => {},
    });
    return streamAnswer(
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
            toolName: (name) => name,
            firstToolCall: toolCalls,
            keepsThinking: earlier.length === 0,
          }),
      },
      options,
    );
  }

  /** Opens the connection while the phone rings, so that the first answer does not wait for it. Costs no tokens. */
  async warmup(_messages?: readonly ChatMessage[], _tools?: readonly ToolSpec[] | null, options?: LlmOptions): Promise<void> {
    await openConnection(
      this.#http,
      { url: this.#url.replace(/\/messages$/, "/models?limit=1"), headers: this.#headers },
      options,
    );
  }

  /** Closes the connections; answers in flight fail. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#http[Symbol.asyncDispose]();
  }
}

export { AnthropicLLM as LLM };

function messagesUrl(baseUrl: string): string {
  const url = parseUrl(IDENTITY.className, "baseUrl", baseUrl);
  const path = url.pathname.replace(/\/+$/, "");
  if (path.endsWith("/messages")) url.pathname = path;
  else url.pathname = path.endsWith("/v1") ? `${path}/messages` : `${path}/v1/messages`;
  return url.href;
}

function checkMaxTokens(maxTokens: number): number {
  if (Number.isInteger(maxTokens) && maxTokens > 0) return maxTokens;
  throw new ConfigError(`${IDENTITY.className} cannot use { maxTokens: ${maxTokens} }: pass a whole number above 0.`);
}

function checkTemperature(temperature: number | undefined): number | undefined {
  if (temperature === undefined || (temperature >= 0 && temperature <= 1)) return temperature;
  throw new ConfigError(`${IDENTITY.className} cannot use { temperature: ${temperature} }: pass a number from 0 to 1.`);
}
