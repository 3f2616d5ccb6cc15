import type { ChatMessage, ToolSpec } from "../core/chat.js";
import { ConfigError } from "../core/errors.js";
import type { LLM, LlmChunk, LlmOptions } from "../core/llm.js";
import { wellFormed } from "./conversation.js";
import { HttpClient, parseUrl } from "./http.js";
import type { ProviderIdentity } from "./http-errors.js";
import { streamAnswer } from "./http-llm.js";
import { openConnection } from "./open-connection.js";
import { ChatCompletionDecoder } from "./openai-compatible-llm-events.js";

/** What every vendor with an OpenAI-compatible API is told. */
export interface ChatCompletionsOptions {
  /** A host, its `/v1`, or the whole URL of a chat completions endpoint. */
  readonly baseUrl: string;
  readonly model: string;
  /** Sent as a bearer token. */
  readonly apiKey?: string | undefined;
  /** 0 to 2. Unset by default. */
  readonly temperature?: number | undefined;
  /** The longest answer, in tokens. Unset by default. */
  readonly maxTokens?: number | undefined;
  /** Sent with every request, over the usual ones. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Used in place of the built-in HTTP client. */
  readonly fetch?: typeof fetch | undefined;
}

/** A model behind `/v1/chat/completions`, streamed. A vendor's class extends it with its name, address and credential. */
export class ChatCompletionsLLM implements LLM, AsyncDisposable {
  readonly provider: string;
  readonly model: string;
  readonly #identity: ProviderIdentity;
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #settings: Readonly<Record<string, number>>;
  readonly #http: HttpClient;

  constructor(identity: ProviderIdentity, options: ChatCompletionsOptions) {
    const { className } = identity;
    if (options.model.trim() === "")
      throw new ConfigError(`${className} needs a model: pass { model } as the server lists it under /v1/models.`);
    const { temperature, maxTokens } = options;
    if (temperature !== undefined && !(temperature >= 0 && temperature <= 2)) {
      throw new ConfigError(`${className} cannot use { temperature: ${temperature} }: pass a number from 0 to 2.`);
    }
    if (maxTokens !== undefined && !(Number.isInteger(maxTokens) && maxTokens > 0)) {
      throw new ConfigError(`${className} cannot use { maxTokens: ${maxTokens} }: pass a whole number above 0.`);
    }
    this.#identity = identity;
    this.provider = identity.provider;
    this.model = options.model;
    this.#url = endpoint(parseUrl(className, "baseUrl", options.baseUrl), "/chat/completions");
    this.#settings = {
      ...(temperature === undefined ? {} : { temperature }),
      ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
    };
    this.#headers = {
      "content-type": "application/json",
      ...(options.apiKey === undefined ? {} : { authorization: `Bearer ${options.apiKey}` }),
      ...options.headers,
    };
    this.#http = new HttpClient(identity, { fetch: options.fetch });
  }

  /** Streams one answer. Failures, aborts and the one retry are those of `streamAnswer`. */
  stream(
    messages: readonly ChatMessage[],
    tools?: readonly ToolSpec[] | null,
    options?: LlmOptions,
  ): AsyncGenerator<LlmChunk, void, undefined> {
    const body = {
      model: this.model,
      messages: wellFormed(messages).map(wireMessage),
      ...(tools === null || tools === undefined || tools.length === 0 ? {} : { tools }),
      ...this.#settings,
      stream: true,
      stream_options: { include_usage: true },
    };
    return streamAnswer(
      {
        http: this.#http,
        identity: this.#identity,
        url: this.#url,
        headers: this.#headers,
        body: JSON.stringify(body),
        decoder: () => new ChatCompletionDecoder(this.#identity),
      },
      options,
    );
  }

  /** Opens the connection while the phone rings. Costs no tokens. @throws ProviderError where there is none, or the credential is refused. */
  async warmup(_messages?: readonly ChatMessage[], _tools?: readonly ToolSpec[] | null, options?: LlmOptions): Promise<void> {
    const url = this.#url.replace(/\/chat\/completions$/, "/models");
    await openConnection({ http: this.#http, identity: this.#identity, url, headers: this.#headers }, options);
  }

  /** Closes the connections; answers in flight fail. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#http[Symbol.asyncDispose]();
  }
}

/** The URL of `path` below a host, below its `/v1`, or itself when it already ends with `path`. */
export function endpoint(url: URL, path: string): string {
  const base = url.pathname.replace(/\/+$/, "");
  const result = new URL(url);
  if (base.endsWith(path)) result.pathname = base;
  else result.pathname = /\/v\d+$/.test(base) ? `${base}${path}` : `${base}/v1${path}`;
  return result.href;
}

/** The fields of a message that the API knows; ours beside them would be refused by strict servers. */
function wireMessage(message: ChatMessage): object {
  switch (message.role) {
    case "assistant": {
      const { role, content, tool_calls } = message;
      return { role, content, ...(tool_calls === undefined || tool_calls.length === 0 ? {} : { tool_calls }) };
    }
    case "tool": {
      const { role, tool_call_id, content, isError } = message;
      return { role, tool_call_id, content: isError === true ? `Error: ${content}` : content };
    }
    default:
      return message;
  }
}
