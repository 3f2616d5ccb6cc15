import { ProviderError } from "../core/errors.js";
import type { LlmOptions } from "../core/llm.js";
import type { HttpClient, HttpRequest } from "./http.js";
import { readText } from "./http-errors.js";
import { HEADERS_TIMEOUT_MS } from "./llm-attempt.js";

const MAX_BYTES = 65_536;

/** Asks for something small, only so that the connection is open; its failure is the next request's to report. */
export async function openConnection(
  http: HttpClient,
  request: Pick<HttpRequest, "url" | "headers">,
  options: LlmOptions = {},
): Promise<void> {
  const { signal, clock } = options;
  try {
    const response = await http.request({ method: "GET", ...request, signal, clock, headersTimeoutMs: HEADERS_TIMEOUT_MS });
    await readText(response, MAX_BYTES);
    response.discard();
  } catch (error) {
    // A vendor that is down while the phone rings may be up when the caller has spoken.
    if (!(error instanceof ProviderError) && signal?.aborted !== true) throw error;
  }
}
