import { onAbort } from "../../core/signals.js";
import type { IncomingRequest, ResponseSink } from "./exchange.js";

/** A `fetch` that hands requests to a handler in this process, whatever their origin. */
export function inProcessFetch(handle: (request: IncomingRequest, sink: ResponseSink) => void): typeof fetch {
  return async (input, init = {}) => {
    const request = input instanceof Request ? input : undefined;
    const signal = init.signal ?? request?.signal;
    signal?.throwIfAborted();
    const url = new URL(request?.url ?? input);
    const headers = new Headers(init.headers ?? request?.headers);
    const bodyText = await textOf(init.body ?? request);
    signal?.throwIfAborted();
    return await new Promise<Response>((resolve, reject) => {
      const sink = new ResponseSinkInProcess(signal, resolve, reject);
      const incoming: IncomingRequest = {
        method: init.method ?? request?.method ?? "GET",
        path: `${url.pathname}${url.search}`,
        headers: Object.fromEntries(headers),
        bodyText,
        protocol: "in-process",
      };
      handle(incoming, sink);
    });
  };
}

async function textOf(body: RequestInit["body"] | Request): Promise<string> {
  if (body === undefined || body === null) return "";
  if (typeof body === "string") return body;
  return await (body instanceof Request ? body : new Response(body)).text();
}

/** A response whose body is read piece by piece; an abort reaches it until its last piece has been read. */
class ResponseSinkInProcess implements ResponseSink {
  readonly #resolve: (response: Response) => void;
  readonly #reject: (error: unknown) => void;
  readonly #left = new AbortController();
  readonly #link: Disposable | undefined;
  readonly #encoder = new TextEncoder();
  readonly #pieces: string[] = [];
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #wake: (() => void) | undefined;
  #isEnded = false;

  constructor(signal: AbortSignal | undefined, resolve: (response: Response) => void, reject: (error: unknown) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
    this.#link = signal === undefined ? undefined : onAbort(signal, () => this.#fail(signal.reason));
  }

  get left(): AbortSignal {
    return this.#left.signal;
  }

  head(status: number, headers: Readonly<Record<string, string>>): void {
    const body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: (controller) => this.#pull(controller),
        cancel: () => this.#leave(),
      },
      { highWaterMark: 0 },
    );
    this.#resolve(new Response(body, { status, headers }));
  }

  write(text: string): void {
    this.#pieces.push(text);
    this.#wake?.();
  }

  end(): void {
    this.#isEnded = true;
    this.#wake?.();
  }

  reset(): void {
    this.#fail(new TypeError("fetch failed", { cause: new Error("The connection was reset.") }));
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    if (this.#pieces.length === 0 && !this.#isEnded && !this.left.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const piece = this.#pieces.shift();
    if (this.left.aborted) return;
    if (piece !== undefined) controller.enqueue(this.#encoder.encode(piece));
    if (this.#pieces.length > 0 || !this.#isEnded) return;
    this.#link?.[Symbol.dispose]();
    controller.close();
  }

  #fail(error: unknown): void {
    if (this.left.aborted) return;
    this.#reject(error);
    this.#controller?.error(error);
    this.#leave();
  }

  #leave(): void {
    this.#left.abort();
    this.#link?.[Symbol.dispose]();
    this.#wake?.();
  }
}
