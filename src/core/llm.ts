import type { ChatMessage, ToolSpec } from "./chat.js";
import type { Clock } from "./clock.js";

/** A language model: configuration and requests. A model written once serves every call. */
export interface LLM {
  readonly provider: string;
  readonly model: string;
  /** Streams one answer. Ending the iteration early aborts the request. */
  stream(messages: readonly ChatMessage[], tools?: readonly ToolSpec[] | null, options?: LlmOptions): AsyncIterable<LlmChunk>;
  /** Opens the connection and fills caches while the phone rings. No call waits for it, and none fails when it rejects. */
  warmup?(messages: readonly ChatMessage[], tools?: readonly ToolSpec[] | null, options?: LlmOptions): Promise<void>;
}

export interface LlmOptions {
  /** Ends the stream at once. */
  readonly signal?: AbortSignal;
  readonly callId?: string;
  readonly clock?: Clock;
  /** The caller may still be speaking; the answer may be thrown away. */
  readonly speculative?: boolean;
  /**
   * Called once per answer that was asked for, also after an abort or a failure; then with an estimate of what the vendor
   * has not counted. Not called when nothing can have been spent: no connection, or a refusal.
   */
  readonly onUsage?: (usage: LlmUsage) => void;
}

/** Tokens of one answer. `inputTokens` excludes what was read from or written to a cache. */
export interface LlmUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens?: number;
  readonly cacheWrite5mTokens?: number;
  readonly cacheWrite1hTokens?: number;
  readonly thinkingTokens?: number;
  /** Set when tokens were counted here and not by the vendor, as after an abort. */
  readonly isEstimated?: boolean;
  /** Of each request, where an answer took more than one (retry, hedge, follow-up): a price may depend on a request's size. */
  readonly requests?: readonly LlmUsage[];
}

/** Where the time to the first content of an answer went, each span counted from where the one before it ended. */
export interface LlmTiming {
  /** Waiting for the connection; 0 when one was open. Absent with an injected `fetch`. */
  readonly connectMs?: number;
  /** From there to the response's headers. */
  readonly headersMs: number;
  /** From there to the first text or tool call. Absent for an answer without any. */
  readonly firstContentMs?: number;
}

export type LlmChunk =
  | { readonly type: "text"; readonly content: string }
  /** Chunks of one `index` are one call; `arguments` are pieces of JSON text to concatenate. */
  | {
      readonly type: "tool_call";
      readonly index: number;
      readonly id?: string;
      readonly name?: string;
      readonly arguments?: string;
    }
  | {
      readonly type: "done";
      readonly stopReason?: LlmStopReason;
      /** The vendor's own words on why it stopped, such as a refusal's category. */
      readonly stopDetail?: string;
      readonly usage?: LlmUsage;
      readonly requestId?: string;
      readonly timing?: LlmTiming;
      /** Why the request was sent again, in order: error codes, `empty_answer`, `pause_turn`, `hedge`. Absent when it was sent once. */
      readonly retries?: readonly string[];
      /** Opaque; stored with the assistant message and given back to the same model. */
      readonly providerData?: unknown;
    };

export type LlmStopReason =
  | "end_turn"
  | "tool_use"
  /** Cut by the token limit; tool calls of such an answer are not run. */
  | "max_tokens"
  | "stop_sequence"
  | "refusal"
  | "other";
