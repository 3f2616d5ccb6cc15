import { errorMessage } from "../core/errors.js";
import type { Logger } from "../core/logger.js";
import type { Output } from "./output.js";

/**
 * Writes warnings and errors as lines for a person, and with `showsInfo` that a call began or ended. Personal data is left
 * out.
 */
export function terminalLogger(err: Output, showsInfo = false, fields: object = {}): Logger {
  const write = (label: string, more: object, message: string): void => {
    err.line(`${label} ${message}${err.style("dim", fieldText({ ...fields, ...more }))}`);
  };
  return {
    error: (more, message) => write(err.style("red", "error"), more, message),
    warn: (more, message) => write(err.style("yellow", "warn "), more, message),
    info: (more, message) => {
      if (showsInfo) write(err.style("green", "info "), more, message);
    },
    debug: () => {},
    child: (more) => terminalLogger(err, showsInfo, { ...fields, ...more }),
  };
}

function fieldText(fields: object): string {
  const shown = Object.entries(fields).filter(([name]) => name !== "pii" && name !== "callId" && name !== "carrier");
  return shown.map(([name, value]) => `  ${name}=${valueText(value)}`).join("");
}

function valueText(value: unknown): string {
  if (value instanceof Error) return errorMessage(value);
  return typeof value === "string" ? value : JSON.stringify(value);
}
