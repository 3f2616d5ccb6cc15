/**
 * What a program should know but that stops nothing: Node's process warnings, each told once per object that owns this.
 * They appear on stderr as `(node:1) [code] GetpatterWarning: source: message`; `process.on("warning")` receives them.
 */
export class Warnings {
  readonly #source: string;
  readonly #told = new Set<string>();

  /** @param source Who warns, such as `AnthropicLLM`. */
  constructor(source: string) {
    this.#source = source;
  }

  /** Warns, unless it has done so with this code. The message says what happened, with the value, then what to do. */
  once(code: string, message: string): void {
    if (this.#told.has(code)) return;
    this.#told.add(code);
    process.emitWarning(`${this.#source}: ${message}`, { type: "GetpatterWarning", code });
  }
}
