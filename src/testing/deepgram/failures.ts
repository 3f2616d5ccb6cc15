import { ConfigError } from "../../core/errors.js";

/** How a handshake or a socket fails. */
export type DeepgramFailure =
  /** The handshake is refused; `code`, `message`: default as documented. `body`: another one than JSON, such as a proxy's page. */
  | {
      readonly status: number;
      readonly code?: string;
      readonly message?: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** The handshake is not answered, or its connection breaks. */
  | { readonly handshake: "silence" | "reset" }
  /**
   * The socket fails once it has received that much audio, in ms (default 0): it is closed with a code, or Flux reports an
   * error and closes, or its connection breaks (`reset`), or it stays open and says nothing any more, to pings either (`silence`).
   */
  | {
      readonly afterMs?: number;
      readonly with:
        | "reset"
        | "silence"
        | { readonly code: number; readonly reason?: string }
        | { readonly error: string; readonly description?: string };
    }
  /** Every message of this socket comes that much later, in ms. */
  | { readonly latencyMs: number };

/** @throws ConfigError for a failure that is none. */
export function checkFailure(failure: DeepgramFailure): void {
  if (["status", "handshake", "with", "latencyMs"].some((name) => name in failure)) return;
  throw new ConfigError(
    `DeepgramServer knows no failure ${JSON.stringify(failure)}: pass one with status, handshake, with or latencyMs.`,
  );
}

/** Codes and words of documented refusals. */
export function refusalText(status: number): readonly [code: string, message: string] {
  switch (status) {
    case 400:
      return ["Bad Request", "Bad Request: the request could not be understood."];
    case 401:
      return ["INVALID_AUTH", "Invalid credentials."];
    case 402:
      return [
        "ASR_PAYMENT_REQUIRED",
        "Project does not have enough credits for an ASR request and does not have an overage agreement.",
      ];
    case 403:
      return ["INSUFFICIENT_PERMISSIONS", "User does not have sufficient permissions."];
    case 429:
      return ["TOO_MANY_REQUESTS", "Too many requests. Please try again later"];
    default:
      return status >= 500 ? ["INTERNAL_SERVER_ERROR", "An internal error occurred."] : ["ERROR", "The request was refused."];
  }
}
