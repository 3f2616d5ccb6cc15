import type { AnthropicRequest } from "./request.js";
import type { WireEvent, WireStopDetails } from "./wire.js";

/**
 * What the server answers to one request: a text, an answer in detail, an HTTP error, a connection that fails before the
 * headers, or a function of the request that gives one of these.
 */
export type AnthropicReply =
  | string
  | AnthropicAnswer
  | AnthropicHttpError
  | AnthropicOutage
  | ((request: AnthropicRequest) => AnthropicReply);

/** When the parts of an answer come, in ms on the server's clock. All default to 0. */
export interface AnthropicLatency {
  /** From the request to the response's headers; `message_start` comes with them. */
  readonly headersMs?: number;
  /** From `message_start` to the first content block. */
  readonly firstTokenMs?: number;
  /** Between two deltas. */
  readonly tokenMs?: number;
}

/** A 200. Its blocks stand in the order thinking, text, tool calls, unless `content` gives another. */
export interface AnthropicAnswer extends AnthropicLatency {
  readonly thinking?: AnthropicThinking;
  /** A string is cut into a delta per word; a list is sent delta by delta as it is. */
  readonly text?: string | readonly string[];
  readonly toolCalls?: readonly AnthropicToolCall[];
  /** The blocks in their order, instead of the three above. */
  readonly content?: readonly AnthropicBlock[];
  /** Opens every block before the first delta and sends their deltas in turns. Default false. */
  readonly interleave?: boolean;
  /**
   * Any, also one that no client knows. Default `tool_use` with tool calls, else `end_turn`; an answer longer than
   * `max_tokens` is cut and says `max_tokens`, one that contains a stop sequence says `stop_sequence`.
   */
  readonly stopReason?: string;
  readonly stopDetails?: WireStopDetails;
  /** Default: one for each four characters of the content. */
  readonly outputTokens?: number;
  /**
   * What `message_delta` says of usage: all figures (`cumulative`, the default), the output with nulls (`nulls`, where
   * `message_start` has nulls for an unused cache too), or the output and nothing more, as the API did earlier (`output_only`).
   */
  readonly usage?: "cumulative" | "nulls" | "output_only";
  /** Sends a ping whenever that much of a wait has passed. Default: one ping behind `message_start` and no more. */
  readonly pingEveryMs?: number;
  /** Breaks the stream off. */
  readonly cut?: AnthropicCut;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface AnthropicThinking {
  /** The thoughts, as for `text`. Default none: with `display: "omitted"` a block carries only its signature. */
  readonly thinking?: string | readonly string[];
  /** An encrypted block instead. */
  readonly redacted?: true;
  /** How long the block stays open before its signature, in ms. Default 0. */
  readonly openMs?: number;
  /** What it counts for. Default: one for each four characters. */
  readonly tokens?: number;
}

export interface AnthropicToolCall {
  readonly name: string;
  /**
   * Default `{}`. An object is sent a property at a time behind an empty delta, as the API does; a list of JSON pieces is
   * sent delta by delta as it is: `[]` sends none, and the pieces need not make valid JSON.
   */
  readonly arguments?: object | readonly string[];
  /** Default: a fresh one. */
  readonly id?: string;
}

export type AnthropicBlock =
  | { readonly type: "text"; readonly text: string | readonly string[] }
  | ({ readonly type: "thinking" } & AnthropicThinking)
  | ({ readonly type: "tool_use" } & AnthropicToolCall)
  /** Events as they are, such as of a type that no client knows; they are given the index of the next block. */
  | { readonly type: "events"; readonly events: (index: number) => readonly WireEvent[] };

/** How and where a stream breaks off. Without `stream: true` it breaks before the headers, and an error is an HTTP one. */
export interface AnthropicCut {
  /** Behind the headers, behind `message_start`, or behind that many deltas of content. Default `message_start`. */
  readonly after?: "headers" | "message_start" | number;
  /**
   * `eof` ends the body, `reset` breaks the connection (over HTTP/2, the stream), `silence` sends nothing more, `pings`
   * sends pings and nothing else, each `pingEveryMs` (default 1,000); an object is sent as an `error` event.
   */
  readonly with: "eof" | "reset" | "silence" | "pings" | { readonly type: string; readonly message?: string };
}

/** An HTTP error with its documented body. */
export interface AnthropicHttpError {
  readonly status: number;
  /** Default: the documented type of the status. */
  readonly type?: string;
  readonly message?: string;
  /** Says more to programs: `{ error_code: … }`. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** Such as `{ "retry-after": "2", "x-should-retry": "false" }`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Another body than the documented one, such as a proxy's page. */
  readonly body?: string;
  readonly headersMs?: number;
}

/** No response at all: the connection breaks, or nothing ever comes. */
export interface AnthropicOutage {
  readonly connection: "reset" | "silence";
  /** Until it breaks, in ms. Default 0. */
  readonly headersMs?: number;
}
