import type {
  MessageDeltaUsage,
  RawMessageStreamEvent,
  RefusalStopDetails,
  StopReason,
  Usage,
} from "@anthropic-ai/sdk/resources/messages";

/** What the API documents beside the events that the SDK types. */
export type WireEvent =
  | RawMessageStreamEvent
  | { readonly type: "ping" }
  | { readonly type: "error"; readonly error: { readonly type: string; readonly message: string } };

const USAGE: Usage = {
  input_tokens: 25,
  output_tokens: 1,
  cache_creation: null,
  cache_creation_input_tokens: null,
  cache_read_input_tokens: null,
  inference_geo: null,
  output_tokens_details: null,
  server_tool_use: null,
  service_tier: "standard",
  speed: null,
};

export function messageStart(usage: Partial<Usage> = {}): WireEvent {
  return {
    type: "message_start",
    message: {
      id: "msg_1",
      type: "message",
      role: "assistant",
      model: "claude-haiku-4-5-20251001",
      content: [],
      container: null,
      diagnostics: null,
      stop_details: null,
      stop_reason: null,
      stop_sequence: null,
      usage: { ...USAGE, ...usage },
    },
  };
}

export function messageEnd(reason: StopReason, outputTokens: number, usage: Partial<MessageDeltaUsage> = {}): WireEvent[] {
  const counts = {
    cache_creation_input_tokens: null,
    cache_read_input_tokens: null,
    input_tokens: null,
    output_tokens_details: null,
    server_tool_use: null,
  };
  return [
    {
      type: "message_delta",
      delta: { container: null, stop_details: null, stop_reason: reason, stop_sequence: null },
      usage: { ...counts, output_tokens: outputTokens, ...usage },
    },
    { type: "message_stop" },
  ];
}

export function textBlock(index: number, ...pieces: readonly string[]): WireEvent[] {
  return [
    { type: "content_block_start", index, content_block: { type: "text", text: "", citations: null } },
    ...pieces.map((text): WireEvent => ({ type: "content_block_delta", index, delta: { type: "text_delta", text } })),
    { type: "content_block_stop", index },
  ];
}

export function toolStart(index: number, id: string, name: string): WireEvent {
  return {
    type: "content_block_start",
    index,
    content_block: { type: "tool_use", id, name, input: {}, caller: { type: "direct" } },
  };
}

export function toolPiece(index: number, json: string): WireEvent {
  return { type: "content_block_delta", index, delta: { type: "input_json_delta", partial_json: json } };
}

export function toolBlock(index: number, id: string, name: string, ...pieces: readonly string[]): WireEvent[] {
  return [toolStart(index, id, name), ...pieces.map((json) => toolPiece(index, json)), { type: "content_block_stop", index }];
}

/** A thinking block; without pieces, as new models send it: only signed. */
export function thinkingBlock(index: number, signature: string, ...pieces: readonly string[]): WireEvent[] {
  return [
    { type: "content_block_start", index, content_block: { type: "thinking", thinking: "", signature: "" } },
    ...pieces.map((thinking): WireEvent => ({ type: "content_block_delta", index, delta: { type: "thinking_delta", thinking } })),
    { type: "content_block_delta", index, delta: { type: "signature_delta", signature } },
    { type: "content_block_stop", index },
  ];
}

/** The end of an answer that the vendor's safeguards stopped. */
export function refusalEnd(details: Omit<RefusalStopDetails, "type">, outputTokens: number): WireEvent[] {
  return messageEnd("refusal", outputTokens).map((event) =>
    event.type === "message_delta"
      ? { ...event, delta: { ...event.delta, stop_details: { type: "refusal", ...details } } }
      : event,
  );
}

/** The bytes of a stream of events, as they come over the wire. */
export function streamBytes(events: readonly WireEvent[], newline = "\n"): Uint8Array<ArrayBuffer> {
  const frames = events.map((event) => `event: ${event.type}${newline}data: ${JSON.stringify(event)}${newline}${newline}`);
  return new TextEncoder().encode(frames.join(""));
}
