import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { LlmChunk } from "../../src/core/llm.js";

/** A request as a vendor's server saw it. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

/** A vendor's HTTP server on the loopback interface. */
export interface Vendor extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly SeenRequest[];
  /** Connections accepted so far. */
  readonly connections: number;
  /** Resolves when a request's connection or stream has been closed by the client before its end. */
  readonly aborted: Promise<void>;
}

export type Answer = (response: ServerResponse, request: SeenRequest, attempt: number) => void | Promise<void>;

/** Starts a server that gives every request to `answer`; attempts are counted from 1. It closes idle connections after `keepAliveMs`. */
export async function startVendor(answer: Answer, { keepAliveMs = 5000 } = {}): Promise<Vendor> {
  const requests: SeenRequest[] = [];
  let connections = 0;
  let reportAbort = (): void => {};
  const aborted = new Promise<void>((resolve) => {
    reportAbort = resolve;
  });
  const server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8");
    request.on("data", (chunk: string) => {
      text += chunk;
    });
    response.on("close", () => {
      if (!response.writableFinished) reportAbort();
    });
    request.on("end", () => {
      const seen = {
        method: request.method ?? "",
        path: request.url ?? "",
        headers: request.headers,
        body: text === "" ? undefined : (JSON.parse(text) as unknown),
      };
      requests.push(seen);
      void answer(response, seen, requests.length);
    });
  });
  server.keepAliveTimeout = keepAliveMs;
  server.on("connection", () => connections++);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    get connections() {
      return connections;
    },
    aborted,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Answers with a JSON body. */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

/** Reads a stream of chunks to its end. */
export async function collect(stream: AsyncIterable<LlmChunk>): Promise<LlmChunk[]> {
  const chunks: LlmChunk[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

/** The text of an answer. */
export function textOf(chunks: readonly LlmChunk[]): string {
  return chunks.map((chunk) => (chunk.type === "text" ? chunk.content : "")).join("");
}

/** The tool calls of an answer, joined as a caller of a model joins them. */
export function toolCallsOf(chunks: readonly LlmChunk[]): { id: string; name: string; arguments: string }[] {
  const calls: { id: string; name: string; arguments: string }[] = [];
  for (const chunk of chunks) {
    if (chunk.type !== "tool_call") continue;
    const call = (calls[chunk.index] ??= { id: "", name: "", arguments: "" });
    call.id += chunk.id ?? "";
    call.name += chunk.name ?? "";
    call.arguments += chunk.arguments ?? "";
  }
  return calls;
}
