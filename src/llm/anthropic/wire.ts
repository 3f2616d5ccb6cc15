/** The parts of the Messages API that this provider sends, as of version 2023-06-01. */

/** How long a cached beginning is kept after its last use. */
export type CacheTtl = "5m" | "1h";

export interface CacheControl {
  readonly type: "ephemeral";
  /** Left out for five minutes, the API's default. */
  readonly ttl?: "1h";
}

export interface TextBlock {
  readonly type: "text";
  readonly text: string;
  readonly cache_control?: CacheControl;
}

export interface ToolUseBlock {
  readonly type: "tool_use";
  readonly id: string;
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly cache_control?: CacheControl;
}

export interface ToolResultBlock {
  readonly type: "tool_result";
  readonly tool_use_id: string;
  /** Left out when the tool answered nothing: an empty text is refused. */
  readonly content?: string;
  readonly is_error?: true;
  readonly cache_control?: CacheControl;
}

/** Signed reasoning; it goes back to the same model byte for byte. */
export type ThinkingBlock =
  | { readonly type: "thinking"; readonly thinking: string; readonly signature: string }
  | { readonly type: "redacted_thinking"; readonly data: string };

export type UserBlock = TextBlock | ToolResultBlock;
export type AssistantBlock = TextBlock | ToolUseBlock | ThinkingBlock;

export type WireMessage =
  | { readonly role: "user"; readonly content: readonly UserBlock[] }
  | { readonly role: "assistant"; readonly content: readonly AssistantBlock[] }
  /** Instructions in the middle of a conversation; some models only. */
  | { readonly role: "system"; readonly content: readonly TextBlock[] };

export interface WireTool {
  readonly name: string;
  readonly description?: string;
  readonly input_schema: { readonly type: "object"; readonly [keyword: string]: unknown };
  readonly strict?: true;
  readonly cache_control?: CacheControl;
}

export type Effort = "low" | "medium" | "high" | "xhigh" | "max";

export type WireThinking =
  | { readonly type: "disabled" | "between_tools" }
  | { readonly type: "adaptive"; readonly display?: "summarized" | "omitted" }
  | { readonly type: "enabled"; readonly budget_tokens: number };

export type WireToolChoice =
  | { readonly type: "auto" | "any"; readonly disable_parallel_tool_use?: true }
  | { readonly type: "tool"; readonly name: string; readonly disable_parallel_tool_use?: true }
  | { readonly type: "none" };

/** What stands beside the conversation in a request, the same for every request of one provider. */
export interface WireParameters {
  readonly model: string;
  readonly max_tokens: number;
  readonly temperature?: number;
  readonly top_p?: number;
  readonly stop_sequences?: readonly string[];
  readonly metadata?: { readonly user_id: string };
  readonly thinking?: WireThinking;
  readonly output_config?: { readonly effort: Effort };
}

export interface MessagesBody extends WireParameters {
  readonly system?: readonly TextBlock[];
  readonly messages: readonly WireMessage[];
  readonly tools?: readonly WireTool[];
  readonly tool_choice?: WireToolChoice;
  readonly stream: true;
}
