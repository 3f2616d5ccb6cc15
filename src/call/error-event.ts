import type { CallEventBody, CallStage } from "../core/call-event.js";
import { type ErrorCode, errorMessage, PatterError, ProviderError } from "../core/errors.js";

/** The event of an error, by default of one that the call lives with. */
export function errorEvent(stage: CallStage, error: unknown, options: { readonly fatal?: boolean } = {}): CallEventBody {
  const code = error instanceof PatterError ? error.code : codeOf(stage);
  const { requestId, status } = error instanceof ProviderError ? error : {};
  return {
    type: "call_error",
    stage,
    code,
    message: errorMessage(error),
    fatal: options.fatal ?? false,
    ...(requestId !== undefined && { requestId }),
    ...(status !== undefined && { status }),
  };
}

/** The code of an error that carries none: it is the vendor's, unless no vendor works in that stage. */
function codeOf(stage: CallStage): ErrorCode {
  switch (stage) {
    case "call":
    case "callback":
      return "call";
    case "carrier":
    case "transport":
      return "carrier";
    case "tool":
      return "tool";
    case "stt":
    case "vad":
    case "llm":
    case "tts":
      return "provider";
  }
}
