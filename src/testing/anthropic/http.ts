import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createSecureServer, constants, type Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { LoopbackServer } from "../loopback-server.js";
import { CERTIFICATE } from "./certificate.js";
import type { IncomingRequest, ResponseSink } from "./exchange.js";

/** A body beyond this is not kept, only seen to be too long. */
const MAX_KEPT_BYTES = 33 * 1024 * 1024;

export interface HttpServerOptions {
  /** TLS, with the client's choice of HTTP/2 and HTTP/1.1; else plain HTTP/1.1. */
  readonly http2: boolean;
  /** Answers a request. */
  readonly handle: (request: IncomingRequest, sink: ResponseSink) => void;
}

/** Serves the handler on a free port of the loopback interface. */
export async function startHttpServer({ http2, handle }: HttpServerOptions): Promise<LoopbackServer> {
  const onRequest = (request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse): void => {
    void readBody(request).then((bodyText) => {
      if (bodyText !== undefined) handle(incoming(request, bodyText), new HttpSink(response));
    });
  };
  // The two servers differ in types only: both are a TCP server with the same events.
  const server = (
    http2 ? createSecureServer({ ...CERTIFICATE, allowHTTP1: true }, onRequest) : createServer({ keepAliveTimeout: 0 }, onRequest)
  ) as Server;
  const started = new LoopbackServer(server, http2 ? "https" : "http");
  await started.listen();
  return started;
}

function incoming(request: IncomingMessage | Http2ServerRequest, bodyText: string): IncomingRequest {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined && !name.startsWith(":")) headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  const protocol = request.httpVersionMajor === 2 ? "HTTP/2" : "HTTP/1.1";
  return { method: request.method ?? "", path: request.url ?? "", headers, bodyText, protocol };
}

/** The whole body, or undefined when the client leaves before its end. */
async function readBody(request: IncomingMessage | Http2ServerRequest): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of request as AsyncIterable<Buffer>) {
      bytes += part.length;
      if (bytes <= MAX_KEPT_BYTES) parts.push(part);
    }
  } catch {
    // Its connection broke: there is nobody to answer.
    return undefined;
  }
  return Buffer.concat(parts).toString("utf8");
}

class HttpSink implements ResponseSink {
  readonly #response: ServerResponse | Http2ServerResponse;
  readonly #left = new AbortController();
  #isEnded = false;

  constructor(response: ServerResponse | Http2ServerResponse) {
    this.#response = response;
    response.on("close", () => {
      if (!this.#isEnded) this.#left.abort();
    });
    response.on("error", () => this.#left.abort());
  }

  get left(): AbortSignal {
    return this.#left.signal;
  }

  head(status: number, headers: Readonly<Record<string, string>>): void {
    // The two kinds of response differ in the signature of this method only.
    (this.#response as ServerResponse).writeHead(status, { ...headers });
    (this.#response as ServerResponse).flushHeaders();
  }

  write(text: string): void {
    (this.#response as ServerResponse).write(text);
  }

  end(): void {
    this.#isEnded = true;
    this.#response.end();
  }

  reset(): void {
    if (this.#response instanceof Http2ServerResponse) this.#response.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    else this.#response.socket?.resetAndDestroy();
  }
}
