import { type Clock, systemClock } from "../core/clock.js";
import {
  AuthenticationError,
  errorMessage,
  ProtocolError,
  ProviderError,
  type ProviderErrorOptions,
  ProviderTimeoutError,
  RateLimitError,
} from "../core/errors.js";
import { isRecord, parseJson } from "../core/json.js";
import type { HttpResponse } from "./http.js";

/** Who is asked, in errors. */
export interface ProviderIdentity {
  /** The name in events and prices, such as `anthropic`. */
  readonly provider: string;
  /** The class as the user wrote it, such as `AnthropicLLM`. */
  readonly className: string;
}

/** What a vendor said about a failure, whatever carried it. */
export interface VendorFailure {
  /** The HTTP status, or the one that a failure inside a stream stands for. */
  readonly status: number;
  /** The vendor's name for it, such as `overloaded_error`. */
  readonly type?: string | undefined;
  readonly message?: string | undefined;
  readonly requestId?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  /** The vendor's own word on trying again; else the status decides. */
  readonly retryable?: boolean | undefined;
}

const MAX_ERROR_BYTES = 65_536;
const MAX_MESSAGE_LENGTH = 300;

/** The error for a failure that the vendor reported: the class follows from the status. */
export function vendorError(identity: ProviderIdentity, failure: VendorFailure): ProviderError {
  const { status } = failure;
  const { advice, Type } = describe(status);
  const said = [failure.type, failure.message?.slice(0, MAX_MESSAGE_LENGTH)].filter(Boolean).join(": ");
  const message = `${identity.className} was answered with ${status}${said === "" ? "" : ` (${said})`}. ${advice}`;
  const options: ProviderErrorOptions = {
    provider: identity.provider,
    status,
    vendorCode: failure.type,
    requestId: failure.requestId,
    retryAfterMs: failure.retryAfterMs,
    retryable: failure.retryable ?? isRetryable(failure),
  };
  return new Type(message, options);
}

/**
 * Reads a response that is no success and makes the error for it. Understands the error bodies
 * `{ "error": { "type", "message" } }` and `{ "error": "…" }`; anything else is quoted as it is.
 */
export async function responseError(
  identity: ProviderIdentity,
  response: HttpResponse,
  clock: Clock = systemClock,
): Promise<ProviderError> {
  const body = await readText(response, MAX_ERROR_BYTES);
  const shouldRetry = response.header("x-should-retry");
  return vendorError(identity, {
    status: response.status,
    requestId: response.header("request-id") ?? response.header("x-request-id"),
    retryAfterMs: requestedWaitMs(response, clock),
    retryable: shouldRetry === "true" ? true : shouldRetry === "false" ? false : undefined,
    ...vendorMessage(body),
  });
}

/** The type and message inside an error body. */
export function vendorMessage(body: string): { readonly type?: string; readonly message?: string } {
  const parsed = parseJson(body);
  const error = isRecord(parsed) ? (parsed["error"] ?? parsed) : parsed;
  if (!isRecord(error)) return { message: typeof error === "string" ? error : body };
  const { type, message } = error;
  return {
    ...(typeof type === "string" ? { type } : {}),
    ...(typeof message === "string" ? { message } : {}),
  };
}

/** The error for an exchange that failed below HTTP: no address, no connection, a connection that broke. */
export function connectionError(identity: ProviderIdentity, origin: string, cause: unknown): ProviderError {
  const options = { provider: identity.provider, cause, retryable: true };
  if (isRecord(cause) && cause["code"] === "UND_ERR_CONNECT_TIMEOUT") {
    return new ProviderTimeoutError(
      `${identity.className} got no connection to ${origin} in time. Check the network or { baseUrl }.`,
      options,
    );
  }
  return new ProviderError(
    `${identity.className} lost or could not open its connection to ${origin} (${reason(cause)}). Check the network or { baseUrl }.`,
    options,
  );
}

/** The error for a request to a client that was closed: no retry mends it. */
export function closedError({ className, provider }: ProviderIdentity): ProviderError {
  return new ProviderError(`${className} was closed. Make a new one, or close it later.`, { provider, retryable: false });
}

/** Parses a message of a vendor's protocol. @throws ProtocolError when it is no JSON object. */
export function parseMessage(identity: ProviderIdentity, text: string): Readonly<Record<string, unknown>> {
  const parsed = parseJson(text);
  if (isRecord(parsed)) return parsed;
  throw new ProtocolError(
    `${identity.className} received an event that is no JSON object: ${JSON.stringify(text.slice(0, 100))}. Check { baseUrl }.`,
    {
      provider: identity.provider,
      retryable: true,
    },
  );
}

/** The response's body as text, cut at `maxBytes`. */
export async function readText(response: HttpResponse, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for (let bytes = await response.read(); bytes !== undefined; bytes = await response.read()) {
    text += decoder.decode(bytes, { stream: true });
    size += bytes.length;
    if (size > maxBytes) break;
  }
  return text + decoder.decode();
}

function describe(status: number): { readonly advice: string; readonly Type: typeof ProviderError } {
  if (status === 401 || status === 403)
    return { Type: AuthenticationError, advice: "Check the credential and what it may be used for." };
  if (status === 429) return { Type: RateLimitError, advice: "Slow down, or raise the limit with the vendor." };
  if (status === 408 || status === 504) return { Type: ProviderTimeoutError, advice: "Try again." };
  if (status >= 500) return { Type: ProviderError, advice: "The vendor is at fault: try again, or fall back to another model." };
  return { Type: ProviderError, advice: "Change the request: the vendor does not accept it as it is." };
}

function isRetryable({ status, retryAfterMs }: VendorFailure): boolean {
  // A spent budget is a 429 as well, and no waiting helps against it: only a limit that passes says when.
  if (status === 429) return retryAfterMs !== undefined;
  return status === 408 || status === 409 || status >= 500;
}

/** How long the vendor asks to wait, in ms: a header of its own in ms, else seconds or a date. */
export function requestedWaitMs(response: Pick<HttpResponse, "header">, clock: Clock): number | undefined {
  const milliseconds = waitMs(response.header("retry-after-ms"), 1);
  if (milliseconds !== undefined) return milliseconds;
  const header = response.header("retry-after");
  const seconds = waitMs(header, 1000);
  if (seconds !== undefined || header === undefined) return seconds;
  const dateMs = Date.parse(header);
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - clock.epochMs());
}

function waitMs(header: string | undefined, unitMs: number): number | undefined {
  const count = header === undefined || header.trim() === "" ? Number.NaN : Number(header);
  return Number.isFinite(count) ? Math.max(0, count * unitMs) : undefined;
}

function reason(cause: unknown): string {
  const code = isRecord(cause) ? cause["code"] : undefined;
  if (typeof code === "string") return code;
  // fetch wraps the socket's error.
  if (cause instanceof Error && cause.cause !== undefined) return reason(cause.cause);
  return errorMessage(cause);
}
