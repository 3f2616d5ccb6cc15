import type { CallEventBody, CallStage } from "../core/call-event.js";
import { errorMessage, PatterError } from "../core/errors.js";

/** The event of an error that a reply lives with: a vendor's, unless the error says more. */
export function errorEvent(stage: CallStage, error: unknown): CallEventBody {
  const code = error instanceof PatterError ? error.code : stage === "callback" ? "call" : "provider";
  return { type: "call_error", stage, code, message: errorMessage(error), fatal: false };
}
