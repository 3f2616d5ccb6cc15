import type { Call } from "../core/call.js";
import type { ToolCallMessage } from "../core/chat.js";
import type { Clock } from "../core/clock.js";
import { errorMessage, ToolError } from "../core/errors.js";
import { abortable, ChildController } from "../core/signals.js";
import type { ToolOutcome } from "./history.js";
import { type AnyTool, validateArguments } from "./tools.js";

const DEFAULT_TIMEOUT_MS = 10_000;

/** What the runner reports while tools run. */
export interface ToolObserver {
  started(reply: number, call: ToolCallMessage, args: unknown): void;
  ended(reply: number, call: ToolCallMessage, outcome: ToolOutcome, durationMs: number): void;
}

export interface ToolRunnerOptions {
  readonly tools: readonly AnyTool[];
  readonly call: Call;
  readonly clock: Clock;
  readonly observer: ToolObserver;
}

interface RunningTool {
  readonly controller: ChildController;
  readonly cancelOnBargeIn: boolean;
  readonly done: Promise<ToolOutcome>;
}

/**
 * Runs tool calls, each at most once: a call id that has been started is never started again.
 * A tool outlives the reply that called it; the end of the call aborts it.
 */
export class ToolRunner {
  readonly #options: ToolRunnerOptions;
  readonly #started = new Map<string, Promise<ToolOutcome>>();
  readonly #running = new Map<string, RunningTool>();

  constructor(options: ToolRunnerOptions) {
    this.#options = options;
  }

  /** Starts every call of a reply at once and resolves when all have answered. Never rejects: failures are outcomes. */
  async run(reply: number, calls: readonly ToolCallMessage[]): Promise<void> {
    await Promise.all(calls.map((call) => this.#once(reply, call)));
  }

  /** Resolves when no tool is running. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all([...this.#running.values()].map((running) => running.done));
  }

  /** Aborts the tools that asked for it. */
  bargeIn(): void {
    for (const running of this.#running.values()) {
      if (running.cancelOnBargeIn) running.controller.abort(new ToolError("The caller interrupted; the action was cancelled."));
    }
  }

  #once(reply: number, call: ToolCallMessage): Promise<ToolOutcome> {
    const existing = this.#started.get(call.id);
    if (existing !== undefined) return existing;
    const controller = new ChildController(this.#options.call.signal);
    const definition = this.#options.tools.find((candidate) => candidate.name === call.function.name);
    const done = this.#execute(reply, call, definition, controller).finally(() => {
      controller[Symbol.dispose]();
      this.#running.delete(call.id);
    });
    this.#started.set(call.id, done);
    this.#running.set(call.id, { controller, cancelOnBargeIn: definition?.cancelOnBargeIn ?? false, done });
    return done;
  }

  async #execute(
    reply: number,
    call: ToolCallMessage,
    definition: AnyTool | undefined,
    controller: ChildController,
  ): Promise<ToolOutcome> {
    const { clock, observer } = this.#options;
    const startedMs = clock.now();
    const args = parseArguments(call.function.arguments);
    observer.started(reply, call, args.ok ? args.value : call.function.arguments);
    let outcome: ToolOutcome;
    try {
      if (definition === undefined) throw new ToolError(`There is no tool named "${call.function.name}".`);
      if (!args.ok) throw new ToolError("The arguments are not valid JSON.");
      outcome = { content: asText(await this.#handle(call, definition, args.value, controller)), isError: false };
    } catch (error) {
      outcome = { content: errorMessage(error), isError: true };
    }
    observer.ended(reply, call, outcome, clock.now() - startedMs);
    return outcome;
  }

  async #handle(call: ToolCallMessage, definition: AnyTool, value: unknown, controller: ChildController): Promise<unknown> {
    const { clock } = this.#options;
    const { signal } = controller;
    const timeoutMs = definition.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const timer = clock.setTimer(timeoutMs, () =>
      controller.abort(new ToolError(`The tool "${definition.name}" did not answer within ${timeoutMs} ms.`)),
    );
    try {
      const args = await abortable(validateArguments(definition, value), signal);
      signal.throwIfAborted();
      const context = {
        callId: this.#options.call.id,
        call: this.#options.call,
        signal,
        idempotencyKey: `${this.#options.call.id}:${call.id}`,
      };
      const result = Promise.resolve(definition.handler(args, context));
      return await abortable(result, signal);
    } finally {
      timer[Symbol.dispose]();
    }
  }
}

type ParsedArguments = { readonly ok: true; readonly value: unknown } | { readonly ok: false };

function parseArguments(text: string): ParsedArguments {
  // A tool without arguments is called with none or with the empty string.
  if (text.trim() === "") return { ok: true, value: {} };
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    // Broken JSON is the model's mistake; it is told so in the result.
    return { ok: false };
  }
}

function asText(result: unknown): string {
  if (result === undefined || result === null) return "";
  if (typeof result === "string") return result;
  // Not everything has a JSON text, whatever the type says.
  const json: unknown = JSON.stringify(result);
  return typeof json === "string" ? json : "";
}
