/** The parts of the Messages API that this provider sends, as of version 2023-06-01. */

export interface CacheControl {
  readonly type: "ephemeral";
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
}

export interface ToolResultBlock {
  readonly type: "tool_result";
  readonly tool_use_id: string;
  /** Left out when the tool answered nothing: an empty text is refused. */
  readonly content?: string;
  readonly is_error?: true;
}

/** Signed reasoning; it goes back to the same model byte for byte. */
export type ThinkingBlock =
  | { readonly type: "thinking"; readonly thinking: string; readonly signature: string }
  | { readonly type: "redacted_thinking"; readonly data: string };

export type UserBlock = TextBlock | ToolResultBlock;
export type AssistantBlock = TextBlock | ToolUseBlock | ThinkingBlock;

export type WireMessage =
  | { readonly role: "user"; readonly content: readonly UserBlock[] }
  | { readonly role: "assistant"; readonly content: readonly AssistantBlock[] };

export interface WireTool {
  readonly name: string;
  readonly description?: string;
  readonly input_schema: { readonly type: "object"; readonly [keyword: string]: unknown };
  readonly cache_control?: CacheControl;
}

export interface MessagesBody {
  readonly model: string;
  readonly max_tokens: number;
  readonly system?: readonly TextBlock[];
  readonly messages: readonly WireMessage[];
  readonly tools?: readonly WireTool[];
  readonly temperature?: number;
  readonly stream: true;
}
