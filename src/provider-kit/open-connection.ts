import type { LlmOptions } from "../core/llm.js";
import type { HttpClient, HttpRequest } from "./http.js";
import { type ProviderIdentity, readText, responseError } from "./http-errors.js";
import { HEADERS_TIMEOUT_MS } from "./llm-attempt.js";

const MAX_BYTES = 65_536;

/** A request for something small and free. */
export interface ConnectionRequest extends Pick<HttpRequest, "url" | "headers"> {
  readonly http: HttpClient;
  readonly identity: ProviderIdentity;
}

/**
 * Asks for something small, only so that the connection is open. An abort ends it quietly.
 * @throws ProviderError where there is no connection, and for a credential that is refused; any other answer is as good.
 */
export async function openConnection(request: ConnectionRequest, options: LlmOptions = {}): Promise<void> {
  const { http, identity, url, headers } = request;
  const { signal, clock } = options;
  try {
    const response = await http.request({ method: "GET", url, headers, signal, clock, headersTimeoutMs: HEADERS_TIMEOUT_MS });
    if (response.status === 401 || response.status === 403) throw await responseError(identity, response, clock);
    await readText(response, MAX_BYTES);
    response.discard();
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  }
}
