import { isRecord } from "../../core/json.js";
import type { LlmUsage } from "../../core/llm.js";

/** Characters of English text in a token, roughly: for answers whose count never came. */
const CHARACTERS_PER_TOKEN = 4;

/** Adds up what one answer of the Messages API says about its tokens. */
export class UsageMeter {
  readonly #counts: Record<string, number> = {};
  #characters = 0;
  #hasStarted = false;
  #isFinal = false;

  /** Takes the `usage` of `message_start`, or of an answer that came whole. */
  start(usage: unknown): void {
    this.#hasStarted = true;
    this.#take(usage);
  }

  /** Takes the `usage` of a `message_delta`. */
  end(usage: unknown): void {
    this.#take(usage);
    this.#isFinal ||= isRecord(usage) && typeof usage["output_tokens"] === "number";
  }

  /** Counts what was written, in case the vendor's own count never comes. */
  wrote(text: string): void {
    this.#characters += text.length;
  }

  /** The tokens so far; `undefined` before the vendor has said anything. */
  usage(): LlmUsage | undefined {
    if (!this.#hasStarted) return undefined;
    const {
      input_tokens: input = 0,
      output_tokens: output = 0,
      cache_read_input_tokens: read,
      thinking_tokens: thinking,
    } = this.#counts;
    const write1h = this.#counts["ephemeral_1h_input_tokens"];
    const writes = this.#counts["cache_creation_input_tokens"];
    // What is not told apart was written for five minutes, the API's default.
    const write5m = writes === undefined ? this.#counts["ephemeral_5m_input_tokens"] : writes - (write1h ?? 0);
    return {
      inputTokens: input,
      outputTokens: this.#isFinal ? output : Math.max(output, Math.ceil(this.#characters / CHARACTERS_PER_TOKEN)),
      ...(read === undefined ? {} : { cacheReadTokens: read }),
      ...(write5m === undefined ? {} : { cacheWrite5mTokens: write5m }),
      ...(write1h === undefined ? {} : { cacheWrite1hTokens: write1h }),
      ...(thinking === undefined ? {} : { thinkingTokens: thinking }),
      ...(this.#isFinal ? {} : { isEstimated: true }),
    };
  }

  /** Counts are cumulative: the last that is not null stands. */
  #take(usage: unknown): void {
    if (!isRecord(usage)) return;
    for (const counts of [usage, usage["cache_creation"], usage["output_tokens_details"]]) {
      if (!isRecord(counts)) continue;
      for (const [name, count] of Object.entries(counts)) if (typeof count === "number") this.#counts[name] = count;
    }
  }
}
