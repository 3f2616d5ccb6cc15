import type { Clock } from "../../core/clock.js";
import type { AnthropicOutcome, AnthropicRequest } from "./request.js";
import type { AnthropicRequestBody, AnthropicUsage } from "./wire.js";

/** Where a response goes: a socket, or a `Response` in process. */
export interface ResponseSink {
  head(status: number, headers: Readonly<Record<string, string>>): void;
  write(text: string): void;
  end(): void;
  /** Breaks the connection (over HTTP/2, the stream). */
  reset(): void;
  /** Aborts when the client has left or the server is closed. */
  readonly left: AbortSignal;
}

/** What came in, before it is understood. */
export interface IncomingRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bodyText: string;
  readonly protocol: AnthropicRequest["protocol"];
}

/** One request and the response to it. */
export class Exchange implements AnthropicRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bodyText: string;
  readonly protocol: AnthropicRequest["protocol"];
  readonly body: AnthropicRequestBody;
  /** Whether the body is a JSON object. */
  readonly isJson: boolean;
  readonly id: string;
  readonly atMs: number;
  readonly ended: Promise<AnthropicOutcome>;
  readonly #clock: Clock;
  readonly #sink: ResponseSink;
  #end: (outcome: AnthropicOutcome) => void = () => {};
  #status: number | undefined;
  #usage: AnthropicUsage | undefined;
  #outcome: AnthropicOutcome | undefined;

  constructor(incoming: IncomingRequest, id: string, clock: Clock, sink: ResponseSink) {
    this.method = incoming.method;
    this.path = incoming.path;
    this.headers = incoming.headers;
    this.bodyText = incoming.bodyText;
    this.protocol = incoming.protocol;
    const parsed = parseObject(incoming.bodyText);
    this.isJson = parsed !== undefined;
    this.body = parsed ?? {};
    this.id = id;
    this.atMs = clock.now();
    this.#clock = clock;
    this.#sink = sink;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  get status(): number | undefined {
    return this.#status;
  }

  get usage(): AnthropicUsage | undefined {
    return this.#usage;
  }

  get outcome(): AnthropicOutcome | undefined {
    return this.#outcome;
  }

  /** Waits, pinging meanwhile if asked to; throws when the client leaves. */
  async wait(ms: number, pingEveryMs = Number.POSITIVE_INFINITY): Promise<void> {
    let leftMs = ms;
    for (; leftMs > pingEveryMs; leftMs -= pingEveryMs) {
      await this.#clock.sleep(pingEveryMs, this.#sink.left);
      this.send("ping", { type: "ping" });
    }
    if (leftMs > 0) await this.#clock.sleep(leftMs, this.#sink.left);
    this.#sink.left.throwIfAborted();
  }

  head(status: number, headers: Readonly<Record<string, string>>): void {
    this.#status = status;
    this.#sink.head(status, { "request-id": this.id, "anthropic-organization-id": "org_test", ...headers });
  }

  /** The whole of a response that is not a stream. */
  respond(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
    this.head(status, { "content-type": "application/json", ...headers });
    this.#sink.write(typeof body === "string" ? body : JSON.stringify(body));
    this.finish();
  }

  /** One event of a stream. */
  send(type: string, event: unknown): void {
    this.#sink.write(`event: ${type}\ndata: ${JSON.stringify(event)}\n\n`);
  }

  /** Notes what has been used so far. */
  use(usage: AnthropicUsage): void {
    this.#usage = usage;
  }

  /** Ends the response, as it should or before it should. */
  finish(outcome: AnthropicOutcome = "complete"): void {
    this.#settle(outcome);
    this.#sink.end();
  }

  reset(): void {
    this.#settle("cut");
    this.#sink.reset();
  }

  /** The client has left. */
  abandon(): void {
    this.#settle("aborted");
  }

  #settle(outcome: AnthropicOutcome): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    this.#end(outcome);
  }
}

function parseObject(text: string): AnthropicRequestBody | undefined {
  try {
    const value: unknown = JSON.parse(text);
    // Every use of it either follows the validation or expects anything.
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as AnthropicRequestBody) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
