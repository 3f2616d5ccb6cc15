/**
 * What the server sends and reads, declared here and not taken from the vendor's SDK or from our provider: the
 * published package must not need the one, and a test server that shared tables with the other could not find its mistakes.
 */

export interface WireCacheControl {
  readonly type: "ephemeral";
  readonly ttl?: "5m" | "1h";
}

/** The body of a request, typed as the API documents it; a refused request may hold anything. */
export interface AnthropicRequestBody {
  readonly model?: string;
  readonly max_tokens?: number;
  readonly messages?: readonly AnthropicRequestMessage[];
  readonly system?: string | readonly AnthropicRequestBlock[];
  readonly tools?: readonly AnthropicRequestTool[];
  readonly tool_choice?: { readonly type: string; readonly name?: string; readonly disable_parallel_tool_use?: boolean };
  readonly stream?: boolean;
  readonly stop_sequences?: readonly string[];
  readonly temperature?: number;
  readonly top_p?: number;
  readonly top_k?: number;
  readonly thinking?: { readonly type: string; readonly budget_tokens?: number; readonly display?: string | null };
  readonly output_config?: { readonly effort?: string | null; readonly format?: unknown };
  readonly cache_control?: WireCacheControl | null;
  readonly metadata?: { readonly user_id?: string };
  readonly [field: string]: unknown;
}

export interface AnthropicRequestMessage {
  readonly role: "user" | "assistant" | "system";
  readonly content: string | readonly AnthropicRequestBlock[];
}

export interface AnthropicRequestBlock {
  readonly type: string;
  readonly text?: string;
  readonly id?: string;
  readonly name?: string;
  readonly input?: unknown;
  readonly tool_use_id?: string;
  readonly content?: unknown;
  readonly is_error?: boolean;
  readonly thinking?: string;
  readonly signature?: string;
  readonly data?: string;
  readonly cache_control?: WireCacheControl | null;
  readonly [field: string]: unknown;
}

export interface AnthropicRequestTool {
  readonly name: string;
  readonly description?: string;
  readonly input_schema?: Readonly<Record<string, unknown>>;
  readonly strict?: boolean;
  readonly cache_control?: WireCacheControl | null;
  readonly [field: string]: unknown;
}

/** What a request used, as the API counts it. */
export interface AnthropicUsage {
  /** Tokens behind the last marker: neither read from the cache nor written to it. */
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_input_tokens: number | null;
  readonly cache_creation_input_tokens: number | null;
  readonly cache_creation: { readonly ephemeral_5m_input_tokens: number; readonly ephemeral_1h_input_tokens: number } | null;
  readonly output_tokens_details: { readonly thinking_tokens: number } | null;
  readonly server_tool_use: null;
  readonly service_tier: "standard";
  readonly inference_geo: null;
  readonly speed: null;
}

export type WireStopReason =
  | "end_turn"
  | "max_tokens"
  | "stop_sequence"
  | "tool_use"
  | "pause_turn"
  | "refusal"
  | "model_context_window_exceeded";

export interface WireStopDetails {
  readonly type: "refusal";
  readonly category: "cyber" | "bio" | "frontier_llm" | "reasoning_extraction" | "general_harms" | null;
  readonly explanation: string | null;
}

export type WireContentBlock =
  | { readonly type: "text"; readonly text: string; readonly citations: null }
  | { readonly type: "thinking"; readonly thinking: string; readonly signature: string }
  | { readonly type: "redacted_thinking"; readonly data: string }
  | {
      readonly type: "tool_use";
      readonly id: string;
      readonly name: string;
      readonly input: unknown;
      readonly caller: { readonly type: "direct" };
    };

export interface WireMessage {
  readonly id: string;
  readonly type: "message";
  readonly role: "assistant";
  readonly model: string;
  readonly content: WireContentBlock[];
  readonly container: null;
  readonly diagnostics: null;
  readonly stop_reason: WireStopReason | null;
  readonly stop_sequence: string | null;
  readonly stop_details: WireStopDetails | null;
  readonly usage: AnthropicUsage;
}

export type WireDelta =
  | { readonly type: "text_delta"; readonly text: string }
  | { readonly type: "input_json_delta"; readonly partial_json: string }
  | { readonly type: "thinking_delta"; readonly thinking: string }
  | { readonly type: "signature_delta"; readonly signature: string };

/** The last figures of a stream, cumulative. */
export type WireDeltaUsage = Pick<
  AnthropicUsage,
  "output_tokens" | "cache_creation_input_tokens" | "cache_read_input_tokens" | "output_tokens_details" | "server_tool_use"
> & { readonly input_tokens: number | null };

/** The events of a whole, successful answer. */
export type WireMessageEvent =
  | { readonly type: "message_start"; readonly message: WireMessage }
  | { readonly type: "content_block_start"; readonly index: number; readonly content_block: WireContentBlock }
  | { readonly type: "content_block_delta"; readonly index: number; readonly delta: WireDelta }
  | { readonly type: "content_block_stop"; readonly index: number }
  | {
      readonly type: "message_delta";
      readonly delta: {
        readonly stop_reason: WireStopReason;
        readonly stop_sequence: string | null;
        readonly stop_details: WireStopDetails | null;
        readonly container: null;
      };
      readonly usage: WireDeltaUsage;
    }
  | { readonly type: "message_stop" };

/** Anything that can stand in a stream, also what no client knows yet. */
export type WireEvent = WireMessageEvent | { readonly type: string; readonly [field: string]: unknown };

export interface WireModel {
  readonly id: string;
  readonly type: "model";
  readonly display_name: string;
  readonly created_at: string;
  readonly capabilities: null;
  readonly lifecycle: "active" | "deprecated" | "retired";
  readonly line: null;
  readonly deprecated_at: null;
  readonly retires_at: null;
  readonly max_input_tokens: number;
  readonly max_tokens: number;
}
