import type { AnthropicRequestBody, AnthropicUsage } from "./wire.js";

/** How an exchange came to its end: answered, left by the client, or broken off as scripted. */
export type AnthropicOutcome = "complete" | "aborted" | "cut";

/** A request as the server saw it. */
export interface AnthropicRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** `{}` where there was no JSON object. */
  readonly body: AnthropicRequestBody;
  /** The body's bytes as they came. */
  readonly bodyText: string;
  readonly protocol: "HTTP/1.1" | "HTTP/2" | "in-process";
  /** Ms on the server's clock. */
  readonly atMs: number;
  /** Of the response, once it has begun. */
  readonly status: number | undefined;
  /** What the request has used, once its response has begun; the output counts what has been sent so far. */
  readonly usage: AnthropicUsage | undefined;
  /** Undefined while the exchange goes on. */
  readonly outcome: AnthropicOutcome | undefined;
  /** Resolves at the exchange's end. */
  readonly ended: Promise<AnthropicOutcome>;
}
