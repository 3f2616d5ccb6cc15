import { ProviderError } from "../../core/errors.js";
import { isRecord, parseJson } from "../../core/json.js";
import { type ProviderIdentity, type VendorFailure, vendorError } from "../../provider-kit/http-errors.js";
import type { CharacterTimes } from "../../provider-kit/spoken-text.js";

/** What the vendor's names for failures stand for, where they come without an HTTP status. */
const STATUSES: Readonly<Record<string, number>> = {
  invalid_api_key: 401,
  missing_permissions: 403,
  quota_exceeded: 401,
  payment_required: 402,
  paid_plan_required: 402,
  voice_not_found: 404,
  input_timeout_exceeded: 408,
  max_active_conversations: 429,
  too_many_concurrent_requests: 429,
  concurrent_limit_exceeded: 429,
  rate_limit_exceeded: 429,
  system_busy: 503,
};
/** The first is answered with 401, like a wrong key. */
const ADVICE: Readonly<Record<string, string>> = {
  quota_exceeded: "Buy characters, or raise the plan's limit.",
  paid_plan_required: "Choose a voice that the plan includes, or a larger plan.",
  voice_not_found: "Check { voiceId }: older default voices have been retired.",
};
/** They pass by themselves: a place becomes free, or the vendor recovers. */
const PASSING = ["too_many_concurrent_requests", "concurrent_limit_exceeded", "max_active_conversations", "system_busy"];

/**
 * What an error body says: `{ detail: { status | code, message } }`, `{ detail: [{ loc, msg }] }` of a body that does not
 * fit, or `{ detail: "…" }`.
 */
export function readFailure(body: string): Omit<VendorFailure, "status"> {
  const parsed = parseJson(body);
  const detail = isRecord(parsed) ? parsed["detail"] : undefined;
  if (Array.isArray(detail)) return { type: "validation_error", message: detail.map(problemText).join("; ") };
  if (!isRecord(detail)) return { message: typeof detail === "string" ? detail : body };
  const type = [detail["code"], detail["status"]].find((name) => typeof name === "string");
  return failureOf(type, detail["message"], detail["request_id"]);
}

/** The error that a socket's message names, or its closing frame. */
export function socketError(identity: ProviderIdentity, name: string | undefined, message: string): ProviderError {
  const status = STATUSES[name ?? ""] ?? 500;
  return explained(vendorError(identity, { status, ...failureOf(name, message) }));
}

/** Says what to do about a failure of which the vendor's status alone tells the wrong thing. */
export function explained(error: ProviderError): ProviderError {
  const { provider, status, vendorCode, requestId, message } = error;
  const advice = ADVICE[vendorCode ?? ""];
  if (advice === undefined) return error;
  // What was said stands in brackets; what to do follows.
  const said = message.slice(0, message.lastIndexOf("). ") + 2);
  return new ProviderError(`${said} ${advice}`, { provider, status, vendorCode, requestId });
}

function failureOf(type: unknown, message: unknown, requestId?: unknown): Omit<VendorFailure, "status"> {
  return {
    ...(typeof type === "string" && { type, ...(PASSING.includes(type) && { retryable: true }) }),
    ...(typeof message === "string" && { message }),
    ...(typeof requestId === "string" && { requestId }),
  };
}

function problemText(problem: unknown): string {
  if (!isRecord(problem)) return String(problem);
  const where = Array.isArray(problem["loc"]) ? problem["loc"].join(".") : "";
  return `${where}: ${String(problem["msg"])}`;
}

/** The audio in a message. */
export function audioBytes(base64: unknown): Uint8Array | undefined {
  return typeof base64 === "string" && base64 !== "" ? Buffer.from(base64, "base64") : undefined;
}

/** The ways in which a streamed HTTP response tells its characters, best first. */
export function httpTimes(message: Readonly<Record<string, unknown>>): readonly CharacterTimes[] {
  return [message["alignment"], message["normalized_alignment"]].flatMap((alignment) => {
    if (!isRecord(alignment)) return [];
    const starts = numbers(alignment["character_start_times_seconds"]);
    const ends = numbers(alignment["character_end_times_seconds"]);
    const startMs = starts.map((seconds) => seconds * 1000);
    const durationMs = starts.map((seconds, index) => ((ends[index] ?? seconds) - seconds) * 1000);
    return timesOf(alignment["characters"], startMs, durationMs);
  });
}

/** The ways in which a socket's message tells its characters, best first. */
export function socketTimes(message: Readonly<Record<string, unknown>>): readonly CharacterTimes[] {
  return [message["alignment"], message["normalizedAlignment"]].flatMap((alignment) => {
    if (!isRecord(alignment)) return [];
    const { charStartTimesMs, charDurationsMs } = alignment;
    return timesOf(alignment["chars"], numbers(charStartTimesMs), numbers(charDurationsMs));
  });
}

function timesOf(characters: unknown, startMs: readonly number[], durationMs: readonly number[]): readonly CharacterTimes[] {
  if (!Array.isArray(characters) || characters.length === 0 || characters.length !== startMs.length) return [];
  return [{ characters: characters.map(String), startMs, durationMs }];
}

function numbers(value: unknown): readonly number[] {
  return Array.isArray(value) ? value.map(Number) : [];
}
