import { errorMessage } from "../core/errors.js";
import type { Logger } from "../core/logger.js";
import type { Output } from "./output.js";

/** Writes warnings and errors as lines for a person; what is only information stays unsaid. Personal data is left out. */
export function terminalLogger(err: Output, fields: object = {}): Logger {
  const write = (label: string, more: object, message: string): void => {
    err.line(`${label} ${message}${err.style("dim", fieldText({ ...fields, ...more }))}`);
  };
  return {
    error: (more, message) => write(err.style("red", "error"), more, message),
    warn: (more, message) => write(err.style("yellow", "warn "), more, message),
    info: () => {},
    debug: () => {},
    child: (more) => terminalLogger(err, { ...fields, ...more }),
  };
}

function fieldText(fields: object): string {
  const shown = Object.entries(fields).filter(([name]) => name !== "pii" && name !== "callId" && name !== "carrier");
  return shown.map(([name, value]) => `  ${name}=${value instanceof Error ? errorMessage(value) : String(value)}`).join("");
}
