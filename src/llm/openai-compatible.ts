import { type Clock, systemClock } from "../core/clock.js";
import { ProviderError } from "../core/errors.js";
import { isRecord, parseJson } from "../core/json.js";
import { abortable, ChildController } from "../core/signals.js";
import { HttpClient, parseUrl } from "../provider-kit/http.js";
import { type ProviderIdentity, readText } from "../provider-kit/http-errors.js";
import { ChatCompletionsLLM, endpoint } from "../provider-kit/openai-compatible-llm.js";

const IDENTITY: ProviderIdentity = { provider: "openai-compatible", className: "OpenAICompatibleLLM" };

/** Options of `OpenAICompatibleLLM`. */
export interface OpenAICompatibleLLMOptions {
  /** A host, its `/v1`, or the whole URL of a chat completions endpoint, such as `http://localhost:11434`. */
  readonly baseUrl: string;
  /** As the server lists it under `/v1/models`. */
  readonly model: string;
  /** Sent as a bearer token; local servers need none. */
  readonly apiKey?: string;
  /** 0 to 2. Unset by default. */
  readonly temperature?: number;
  /** The longest answer, in tokens. Unset by default. */
  readonly maxTokens?: number;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Used in place of the built-in HTTP client. */
  readonly fetch?: typeof fetch;
}

/** Any model behind an OpenAI-compatible chat completions API: Ollama, LM Studio, llama.cpp, vLLM, or a vendor's. */
export class OpenAICompatibleLLM extends ChatCompletionsLLM {
  /** @throws ConfigError for a missing model, or an option out of its range. */
  constructor(options: OpenAICompatibleLLMOptions) {
    super(IDENTITY, options);
  }
}

export { OpenAICompatibleLLM as LLM };

/** A model server on this machine, and the model it lists first. */
export interface LocalModel {
  readonly baseUrl: string;
  readonly model: string;
}

export interface FindLocalModelOptions {
  readonly signal?: AbortSignal;
  /** Where to look, best first. Default: the usual ports of Ollama, LM Studio, llama.cpp and vLLM on 127.0.0.1. */
  readonly urls?: readonly string[];
  /** How long the whole search may take, in ms. Default 300. */
  readonly timeoutMs?: number;
  readonly clock?: Clock;
  readonly fetch?: typeof fetch;
}

const LOCAL_SERVERS = ["http://127.0.0.1:11434", "http://127.0.0.1:1234", "http://127.0.0.1:8080", "http://127.0.0.1:8000"];
const MAX_LIST_BYTES = 1_048_576;

/**
 * Asks the usual local model servers which models they have, all at once.
 * The first address in order that lists one wins; `undefined` when none answers in time.
 */
export async function findLocalModel(options: FindLocalModelOptions = {}): Promise<LocalModel | undefined> {
  const { urls = LOCAL_SERVERS, timeoutMs = 300, clock = systemClock } = options;
  using search = new ChildController(options.signal ?? new AbortController().signal);
  using _timer = clock.setTimer(timeoutMs, () => search.abort());
  // Node's own fetch: loading undici takes a third of the time there is.
  await using http = new HttpClient(IDENTITY, { fetch: options.fetch ?? fetch });
  const probes = urls.map((url) => probe(http, url, { signal: search.signal, clock, timeoutMs }));
  for (const found of await Promise.all(probes)) if (found !== undefined) return found;
  return undefined;
}

interface ProbeOptions {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly timeoutMs: number;
}

async function probe(
  http: HttpClient,
  baseUrl: string,
  { signal, clock, timeoutMs }: ProbeOptions,
): Promise<LocalModel | undefined> {
  const url = endpoint(parseUrl(IDENTITY.className, "urls", baseUrl), "/models");
  try {
    const response = await http.request({ method: "GET", url, headers: {}, signal, clock, headersTimeoutMs: timeoutMs });
    const body = await abortable(readText(response, MAX_LIST_BYTES), signal);
    response.discard();
    const model = response.status === 200 ? firstModel(parseJson(body)) : undefined;
    return model === undefined ? undefined : { baseUrl, model };
  } catch (error) {
    // Nobody listens there, or not in time: that is the answer.
    if (error instanceof ProviderError || signal.aborted) return undefined;
    throw error;
  }
}

/** The first model in the list that is not for embeddings. */
function firstModel(body: unknown): string | undefined {
  const models = isRecord(body) && Array.isArray(body["data"]) ? (body["data"] as readonly unknown[]) : [];
  const ids = models.map((model) => (isRecord(model) ? model["id"] : undefined));
  return ids.find((id): id is string => typeof id === "string" && !/embed/i.test(id));
}
