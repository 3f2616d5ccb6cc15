import type { Clock } from "../../src/core/clock.js";
import type { LlmChunk, LlmUsage } from "../../src/core/llm.js";
import type { ProviderIdentity } from "../../src/provider-kit/http-errors.js";
import { parseMessage, vendorError } from "../../src/provider-kit/http-errors.js";
import type { AnswerDecoder } from "../../src/provider-kit/http-llm.js";
import type { ServerSentEvent } from "../../src/provider-kit/sse.js";

export const IDENTITY: ProviderIdentity = { provider: "example", className: "ExampleLLM" };

/** An event of a made-up wire, a pause in ms, or the end of the connection. A reply without an end stays silent. */
export type Step =
  | number
  | { readonly prompt: number }
  | { readonly text: string }
  | { readonly tool: string }
  | { readonly thinking: boolean }
  | { readonly error: string }
  | { readonly end: string }
  | "ping"
  | "eof"
  | "reset";

export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Until the headers come; `Infinity` for never. Default 0. */
  readonly headersAfterMs?: number;
  /** What is streamed. */
  readonly steps?: readonly Step[];
  /** Sent whole, instead of `steps`. */
  readonly body?: string;
}

/** A vendor behind a `fetch`, on the clock that was passed in: one reply for each request, the last for all that follow. */
export class ScriptedVendor {
  readonly bodies: string[] = [];
  /** When each request came. */
  readonly atMs: number[] = [];
  /** The requests that the client cut off, by their index. */
  readonly cancelled: number[] = [];
  readonly #clock: Clock;
  readonly #replies: readonly Reply[];

  constructor(clock: Clock, ...replies: readonly Reply[]) {
    this.#clock = clock;
    this.#replies = replies;
  }

  readonly fetch: typeof fetch = async (_url, init) => {
    const index = this.bodies.push(typeof init?.body === "string" ? init.body : "") - 1;
    this.atMs.push(this.#clock.now());
    const reply = this.#replies[Math.min(index, this.#replies.length - 1)] ?? {};
    const signal = init?.signal ?? new AbortController().signal;
    signal.addEventListener("abort", () => this.cancelled.push(index));
    await this.#clock.sleep(reply.headersAfterMs ?? 0, signal);
    const { status = 200, headers = {} } = reply;
    return new Response(reply.body ?? this.#stream(reply.steps ?? [], signal), {
      status,
      headers: { "request-id": `req_${index}`, ...headers },
    });
  };

  #stream(steps: readonly Step[], signal: AbortSignal): ReadableStream<Uint8Array> {
    const encoder = new TextEncoder();
    const play = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
      for (const step of steps) {
        if (typeof step === "number") await this.#clock.sleep(step, signal);
        else if (step === "eof") return controller.close();
        else if (step === "reset") return controller.error(Object.assign(new Error("reset"), { code: "ECONNRESET" }));
        else controller.enqueue(encoder.encode(`data: ${JSON.stringify(step)}\n\n`));
      }
      await this.#clock.sleep(Number.POSITIVE_INFINITY, signal);
    };
    return new ReadableStream({
      start: (controller) => void play(controller).catch((error: unknown) => controller.error(error)),
    });
  }
}

/** Decodes the wire of `ScriptedVendor`. */
export class ScriptedDecoder implements AnswerDecoder {
  readonly mayEnd = false;
  isComplete = false;
  hasContent = false;
  isThinking = false;
  stopReason = "";
  #toolCalls: number;
  #inputTokens: number | undefined;
  #outputTokens = 0;

  constructor(toolCalls = 0) {
    this.#toolCalls = toolCalls;
  }

  decode({ data }: ServerSentEvent): readonly LlmChunk[] {
    if (data === '"ping"') return [];
    const event = parseMessage(IDENTITY, data);
    if (typeof event["prompt"] === "number") this.#inputTokens = event["prompt"];
    if (typeof event["thinking"] === "boolean") this.isThinking = event["thinking"];
    if (typeof event["error"] === "string") throw vendorError(IDENTITY, { status: 529, type: event["error"] });
    if (typeof event["end"] === "string") {
      this.stopReason = event["end"];
      this.isComplete = true;
    }
    if (typeof event["tool"] === "string")
      return this.#content({ type: "tool_call", index: this.#toolCalls++, name: event["tool"] });
    if (typeof event["text"] !== "string" || event["text"] === "") return [];
    return this.#content({ type: "text", content: event["text"] });
  }

  done(requestId: string | undefined): LlmChunk {
    return { type: "done", stopReason: "end_turn", ...(requestId !== undefined && { requestId }) };
  }

  /** One output token for each piece of content. */
  usage(): LlmUsage | undefined {
    if (this.#inputTokens === undefined) return undefined;
    const counts = { inputTokens: this.#inputTokens, outputTokens: this.#outputTokens };
    return this.isComplete ? counts : { ...counts, isEstimated: true };
  }

  #content(chunk: LlmChunk): readonly LlmChunk[] {
    this.hasContent = true;
    this.#outputTokens++;
    return [chunk];
  }
}
