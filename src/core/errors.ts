/** Every code a `PatterError` can carry; stable, so programs may branch on it. */
export type ErrorCode =
  | "config"
  | "provider"
  | "authentication"
  | "rate_limit"
  | "timeout"
  | "protocol"
  | "refusal"
  | "empty_answer"
  | "max_tokens"
  | "carrier"
  | "call"
  | "tool"
  | "signature"
  | "store";

export interface PatterErrorOptions {
  readonly cause?: unknown;
  /** Whether the same request may succeed when tried again. Default false. */
  readonly retryable?: boolean;
}

/** The base of every error this package throws. */
export class PatterError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, options: PatterErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.retryable = options.retryable ?? false;
  }
}

/** The program, its options, its files or its environment must be changed. */
export class ConfigError extends PatterError {
  constructor(message: string, options?: PatterErrorOptions) {
    super("config", message, options);
  }
}

export interface ProviderErrorOptions extends PatterErrorOptions {
  /** The provider's name, such as `anthropic`. */
  readonly provider: string;
  /** HTTP status, where there was an HTTP response. */
  readonly status?: number | undefined;
  /** The vendor's own name for the failure, such as `overloaded_error`. */
  readonly vendorCode?: string | undefined;
  /** The vendor's id of the request, for its support. */
  readonly requestId?: string | undefined;
  /** How long the vendor asked to wait, in ms. */
  readonly retryAfterMs?: number | undefined;
}

/** A speech, language or other vendor failed. */
export class ProviderError extends PatterError {
  readonly provider: string;
  readonly status: number | undefined;
  readonly vendorCode: string | undefined;
  readonly requestId: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: ProviderErrorOptions, code: ErrorCode = "provider") {
    super(code, message, options);
    this.provider = options.provider;
    this.status = options.status;
    this.vendorCode = options.vendorCode;
    this.requestId = options.requestId;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** The vendor refused the credential (401, 403). */
export class AuthenticationError extends ProviderError {
  constructor(message: string, options: ProviderErrorOptions) {
    super(message, options, "authentication");
  }
}

/** The vendor is limiting requests (429). */
export class RateLimitError extends ProviderError {
  constructor(message: string, options: ProviderErrorOptions) {
    super(message, { retryable: true, ...options }, "rate_limit");
  }
}

/** The vendor made no progress within a deadline. */
export class ProviderTimeoutError extends ProviderError {
  constructor(message: string, options: ProviderErrorOptions) {
    super(message, { retryable: true, ...options }, "timeout");
  }
}

/** The other side sent what its protocol does not allow, or cut a message short. */
export class ProtocolError extends ProviderError {
  constructor(message: string, options: ProviderErrorOptions) {
    super(message, options, "protocol");
  }
}

/** The model answered without anything to say: it refused, wrote nothing, or reached its token limit too early. */
export class AnswerError extends ProviderError {
  constructor(code: "refusal" | "empty_answer" | "max_tokens", message: string, options: ProviderErrorOptions) {
    super(message, options, code);
  }
}

/** The carrier refused or failed a command. */
export class CarrierError extends PatterError {
  constructor(message: string, options?: PatterErrorOptions) {
    super("carrier", message, options);
  }
}

/** Why a call was not transferred. `refused`: the rules for dialling do not allow the number; `failed`: anything else. */
export type TransferFailure = "busy" | "no_answer" | "refused" | "failed";

/** A call was not transferred: the caller is still with the agent. */
export class TransferError extends CarrierError {
  readonly outcome: TransferFailure;

  constructor(outcome: TransferFailure, message: string, options?: PatterErrorOptions) {
    super(message, options);
    this.outcome = outcome;
  }
}

/** A call is in no state for what was asked of it. */
export class CallError extends PatterError {
  constructor(message: string, options?: PatterErrorOptions) {
    super("call", message, options);
  }
}

/** A tool failed, timed out or was given wrong arguments. */
export class ToolError extends PatterError {
  constructor(message: string, options?: PatterErrorOptions) {
    super("tool", message, options);
  }
}

/** The message of anything that was thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
