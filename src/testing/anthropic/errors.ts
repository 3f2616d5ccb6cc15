import type { WireEvent } from "./wire.js";

/** Why a request is refused. */
export interface AnthropicProblem {
  readonly status: number;
  readonly type: string;
  readonly message: string;
  /** Says more to programs: `{ error_code: … }`. */
  readonly details?: Readonly<Record<string, unknown>>;
}

interface DocumentedError {
  readonly type: string;
  readonly message: string;
}

const INVALID: DocumentedError = { type: "invalid_request_error", message: "The request is not valid." };
const UNKNOWN: DocumentedError = { type: "api_error", message: "Internal server error" };

/** The documented type of each status, with a message of the kind that the API gives. */
const BY_STATUS: Readonly<Record<number, DocumentedError>> = {
  400: INVALID,
  401: { type: "authentication_error", message: "invalid x-api-key" },
  402: { type: "billing_error", message: "There is a problem with your billing or payment information." },
  403: { type: "permission_error", message: "Your API key does not have permission to use the specified resource." },
  404: { type: "not_found_error", message: "Not found" },
  405: { type: "invalid_request_error", message: "Method Not Allowed" },
  409: { type: "conflict_error", message: "The request conflicts with the current state of the resource." },
  413: { type: "request_too_large", message: "Request exceeds the maximum size" },
  429: { type: "rate_limit_error", message: "This request would exceed your account's rate limit. Please try again later." },
  500: { type: "api_error", message: "Internal server error" },
  504: { type: "timeout_error", message: "The request timed out while processing." },
  529: { type: "overloaded_error", message: "Overloaded" },
};

/** A problem of a status, in the API's words unless others are given. */
export function problem(status: number, message?: string, type?: string): AnthropicProblem {
  const documented = BY_STATUS[status] ?? (status < 500 ? INVALID : UNKNOWN);
  return { status, type: type ?? documented.type, message: message ?? documented.message };
}

/** A refusal of what the request says. */
export function invalid(message: string): AnthropicProblem {
  return problem(400, message);
}

/** The status that an error event would have had as a response of its own. */
export function statusOf(type: string): number {
  const entry = Object.entries(BY_STATUS).find(([, documented]) => documented.type === type);
  return entry === undefined ? 500 : Number(entry[0]);
}

/** The body of a refusal. */
export function errorBody({ type, message, details }: AnthropicProblem, requestId: string): WireEvent {
  return { type: "error", error: { type, message, ...(details === undefined ? {} : { details }) }, request_id: requestId };
}
