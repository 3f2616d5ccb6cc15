import { ConfigError } from "../../core/errors.js";

/** Answered to a request, or to the handshake of a socket, in place of speech. */
export interface ElevenLabsRefusal {
  readonly status: number;
  /** The vendor's name for it, such as `quota_exceeded`. Default: the usual one of the status. */
  readonly code?: string;
  readonly message?: string;
  /** Headers beside the usual ones, such as `retry-after`. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** The next speech begins this late. */
export interface ElevenLabsDelay {
  readonly firstByteMs: number;
}

/** The connection breaks after this much audio of the next speech. */
export interface ElevenLabsCut {
  readonly cutAfterMs: number;
}

/** Nothing more ever comes of the next speech, after this much audio of it. On a socket the whole connection falls silent. */
export interface ElevenLabsSilence {
  readonly silentAfterMs: number;
}

/** The socket is closed with this code after this much audio of the next speech, as after a message that names an error. */
export interface ElevenLabsClose {
  readonly closeCode: number;
  /** The vendor's name for it, such as `quota_exceeded`. */
  readonly code?: string;
  readonly message?: string;
  /** Default 0: before any audio. */
  readonly afterMs?: number;
}

/** What goes wrong with the next request, handshake or speech. */
export type ElevenLabsFailure = ElevenLabsRefusal | ElevenLabsDelay | ElevenLabsCut | ElevenLabsSilence | ElevenLabsClose;

const FIELDS = ["status", "code", "message", "headers", "firstByteMs", "cutAfterMs", "silentAfterMs", "closeCode", "afterMs"];
const KINDS = ["status", "firstByteMs", "cutAfterMs", "silentAfterMs", "closeCode"];

const CODES: Readonly<Record<number, string>> = {
  400: "invalid_request",
  401: "invalid_api_key",
  402: "payment_required",
  403: "missing_permissions",
  404: "voice_not_found",
  429: "too_many_concurrent_requests",
  500: "internal_server_error",
  503: "system_busy",
};

/** @throws ConfigError for a failure that is none, or is several. */
function checkFailure(failure: ElevenLabsFailure): void {
  const names = Object.keys(failure);
  const unknown = names.find((name) => !FIELDS.includes(name));
  if (unknown !== undefined)
    throw new ConfigError(`An ElevenLabsServer failure has no field "${unknown}": it takes ${FIELDS.join(", ")}.`);
  if (names.filter((name) => KINDS.includes(name)).length !== 1)
    throw new ConfigError(`An ElevenLabsServer failure takes one of ${KINDS.join(", ")}.`);
}

/** The body that names a failure, as the API writes it. */
export function failureBody({ status, code, message }: ElevenLabsRefusal): string {
  if (status === 422 && code === undefined) {
    const detail = [{ loc: ["body"], msg: message ?? "value is not valid", type: "value_error" }];
    return JSON.stringify({ detail });
  }
  const name = code ?? CODES[status] ?? "error";
  return JSON.stringify({ detail: { status: name, message: message ?? `The test server was told to answer ${status}.` } });
}

/** Failures in the order they are to happen, each taken by what it can happen to. */
export class FailureQueue {
  readonly #failures: ElevenLabsFailure[] = [];

  add(failures: readonly ElevenLabsFailure[]): void {
    for (const failure of failures) checkFailure(failure);
    this.#failures.push(...failures);
  }

  /** Taken by an HTTP request. */
  forRequest(): ElevenLabsFailure | undefined {
    return this.#failures.shift();
  }

  /** Taken by a socket's handshake. */
  forHandshake(): ElevenLabsRefusal | undefined {
    const [next] = this.#failures;
    if (next === undefined || !("status" in next)) return undefined;
    this.#failures.shift();
    return next;
  }

  /** Taken by speech on a socket. */
  forSpeech(): Exclude<ElevenLabsFailure, ElevenLabsRefusal> | undefined {
    const [next] = this.#failures;
    if (next === undefined || "status" in next) return undefined;
    this.#failures.shift();
    return next;
  }
}
