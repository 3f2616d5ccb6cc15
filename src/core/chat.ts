/** One message of a conversation, in the OpenAI chat shape. */
export type ChatMessage =
  | { readonly role: "system"; readonly content: string }
  | { readonly role: "user"; readonly content: string }
  | AssistantMessage
  | ToolMessage;

export interface AssistantMessage {
  readonly role: "assistant";
  readonly content: string | null;
  readonly tool_calls?: readonly ToolCallMessage[];
  /** What the model's provider wants back with this message, such as signed thinking. */
  readonly providerData?: unknown;
}

export interface ToolMessage {
  readonly role: "tool";
  readonly tool_call_id: string;
  readonly content: string;
  readonly isError?: boolean;
}

export interface ToolCallMessage {
  readonly id: string;
  readonly type: "function";
  /** `arguments` is JSON text. */
  readonly function: { readonly name: string; readonly arguments: string };
}

/** A tool as a model sees it, in the OpenAI function shape. */
export interface ToolSpec {
  readonly type: "function";
  readonly function: {
    readonly name: string;
    readonly description?: string;
    readonly parameters: JsonSchema;
    /** Whether the vendor holds the model to the schema. Only a part of JSON Schema can be held to, not the same for each vendor. */
    readonly strict?: boolean;
  };
}

/** A JSON Schema document. */
export type JsonSchema = { readonly [keyword: string]: unknown };
