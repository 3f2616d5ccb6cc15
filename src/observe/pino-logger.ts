import type { Logger } from "../core/logger.js";

/** A pino logger that masks personal data (`pii`). Loads pino when called. */
export async function pinoLogger(options: { readonly level?: string; readonly showPii?: boolean } = {}): Promise<Logger> {
  const { pino } = await import("pino");
  const logger: Logger = pino({
    name: "getpatter",
    level: options.level ?? "info",
    ...(options.showPii === true ? {} : { redact: { paths: ["pii", "*.pii"], censor: "[masked]" } }),
  });
  return logger;
}
