import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { onAbort } from "../../core/signals.js";
import { LoopbackServer } from "../loopback-server.js";

/** A request, whatever it came by. */
export interface IncomingSpeechRequest {
  readonly method: string;
  readonly url: URL;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly bodyText: string;
}

/** Where a response goes. */
export interface SpeechSink {
  head(status: number, headers: Readonly<Record<string, string>>): void;
  write(bytes: Uint8Array): void;
  end(): void;
  /** Breaks the connection. */
  reset(): void;
  /** Aborts when the client has left or the server is closed. */
  readonly left: AbortSignal;
}

export type HandleRequest = (request: IncomingSpeechRequest, sink: SpeechSink) => void;

/** Plain HTTP/1.1 on a free port of the loopback interface. */
export async function startSpeechServer(
  handle: HandleRequest,
  onUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void,
): Promise<LoopbackServer> {
  const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
    void readBody(request).then((bodyText) => {
      if (bodyText !== undefined) handle(incoming(request, bodyText), new ResponseSink(response));
    });
  });
  server.on("upgrade", onUpgrade);
  const started = new LoopbackServer(server);
  await started.listen();
  return started;
}

/** The headers of a request, each as one text. */
export function headersOf(request: IncomingMessage): Readonly<Record<string, string>> {
  const entries = Object.entries(request.headers).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : String(value)]));
}

/** A `fetch` that hands requests to the handler in this process, whatever their origin. */
export function inProcessFetch(handle: HandleRequest): typeof fetch {
  return async (input, init = {}) => {
    const signal = init.signal ?? undefined;
    signal?.throwIfAborted();
    const url = new URL(input instanceof Request ? input.url : input);
    const bodyText = typeof init.body === "string" ? init.body : "";
    return await new Promise<Response>((resolve, reject) => {
      const headers = Object.fromEntries(new Headers(init.headers));
      handle({ method: init.method ?? "GET", url, headers, bodyText }, new InProcessSink(signal, resolve, reject));
    });
  };
}

function incoming(request: IncomingMessage, bodyText: string): IncomingSpeechRequest {
  const url = new URL(request.url ?? "/", "http://127.0.0.1");
  return { method: request.method ?? "", url, headers: headersOf(request), bodyText };
}

/** The whole body, or undefined when the client leaves before its end. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = [];
  try {
    for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  } catch {
    // Its connection broke: there is nobody to answer.
    return undefined;
  }
  return Buffer.concat(parts).toString("utf8");
}

class ResponseSink implements SpeechSink {
  readonly #response: ServerResponse;
  readonly #left = new AbortController();

  constructor(response: ServerResponse) {
    this.#response = response;
    response.on("close", () => {
      if (!response.writableFinished) this.#left.abort();
    });
  }

  get left(): AbortSignal {
    return this.#left.signal;
  }

  head(status: number, headers: Readonly<Record<string, string>>): void {
    this.#response.writeHead(status, { ...headers });
    this.#response.flushHeaders();
  }

  write(bytes: Uint8Array): void {
    this.#response.write(bytes);
  }

  end(): void {
    this.#response.end();
  }

  reset(): void {
    // What was written before is still delivered.
    this.#response.socket?.destroySoon();
  }
}

/** A response whose body is read piece by piece. */
class InProcessSink implements SpeechSink {
  readonly #resolve: (response: Response) => void;
  readonly #reject: (error: unknown) => void;
  readonly #left = new AbortController();
  readonly #link: Disposable | undefined;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  constructor(signal: AbortSignal | undefined, resolve: (response: Response) => void, reject: (error: unknown) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
    this.#link = signal === undefined ? undefined : onAbort(signal, () => this.#fail(signal.reason));
  }

  get left(): AbortSignal {
    return this.#left.signal;
  }

  head(status: number, headers: Readonly<Record<string, string>>): void {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      cancel: () => this.#leave(),
    });
    this.#resolve(new Response(body, { status, headers }));
  }

  write(bytes: Uint8Array): void {
    if (!this.left.aborted) this.#controller?.enqueue(bytes);
  }

  end(): void {
    this.#link?.[Symbol.dispose]();
    if (!this.left.aborted) this.#controller?.close();
  }

  reset(): void {
    this.#fail(new TypeError("fetch failed", { cause: new Error("The connection was reset.") }));
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
  }
}
