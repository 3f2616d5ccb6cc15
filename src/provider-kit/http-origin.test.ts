import type { RequestListener } from "node:http";
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import { createServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import * as undici from "undici";
import { afterEach, expect, test } from "vitest";
import { CERTIFICATE } from "../testing/anthropic/certificate.js";
import { HttpOrigin } from "./http-origin.js";

interface Reply {
  write(text: string): unknown;
  end(text: string): unknown;
}

type Handler = (response: Reply, path: string) => void;

interface TestServer {
  readonly origin: HttpOrigin;
  readonly connections: () => number;
  /** Cuts every connection. */
  readonly cut: () => void;
}

const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** undici as it is, trusting the test's certificate. */
const trusting: typeof undici = {
  ...undici,
  buildConnector: (options) => undici.buildConnector({ ...options, ca: CERTIFICATE.cert }),
};

async function serve(protocol: "h2" | "http/1.1", handler: Handler): Promise<TestServer> {
  const handleHttp2 = (request: Http2ServerRequest, response: Http2ServerResponse): void => handler(response, request.url);
  const handleHttp1: RequestListener = (request, response) => handler(response, request.url ?? "");
  const server = protocol === "h2" ? createSecureServer(CERTIFICATE, handleHttp2) : createServer(CERTIFICATE, handleHttp1);
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on("secureConnection", (socket: Socket) => {
    connections++;
    sockets.add(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = new HttpOrigin(`https://localhost:${(server.address() as AddressInfo).port}`, trusting);
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  closers.push(async () => {
    await origin.destroy();
    cut();
    await new Promise((resolve) => server.close(resolve));
  });
  return { origin, connections: () => connections, cut };
}

/** One whole exchange. */
async function exchange(origin: HttpOrigin): Promise<string> {
  const lease = await origin.lease();
  const response = await lease.dispatcher.request({ method: "POST", path: "/", body: "{}", idempotent: true });
  const body = await response.body.text();
  lease.release();
  return body;
}

test("thirty exchanges at once, begun cold, share one HTTP/2 connection", async () => {
  const server = await serve("h2", (response) => response.end("ok"));
  const bodies = await Promise.all(Array.from({ length: 30 }, () => exchange(server.origin)));
  expect(bodies).toEqual(Array.from({ length: 30 }, () => "ok"));
  expect(server.connections()).toBe(1);
});

test("exchanges on one HTTP/2 connection do not wait for one another", async () => {
  let open = 0;
  const held: (() => void)[] = [];
  const server = await serve("h2", (response) => {
    open++;
    held.push(() => response.end("ok"));
    if (open === 10) for (const finish of held) finish();
  });
  await Promise.all(Array.from({ length: 10 }, () => exchange(server.origin)));
  expect(server.connections()).toBe(1);
});

test("above eighty exchanges at once a second HTTP/2 connection is opened, and no third", async () => {
  const held: (() => void)[] = [];
  const server = await serve("h2", (response) => {
    held.push(() => response.end("ok"));
    if (held.length === 170) for (const finish of held) finish();
  });
  await exchangeAfterNegotiation(server, held);
  await Promise.all(Array.from({ length: 169 }, () => exchange(server.origin)));
  expect(server.connections()).toBe(2);
});

async function exchangeAfterNegotiation(server: TestServer, held: (() => void)[]): Promise<void> {
  const first = exchange(server.origin);
  while (held.length === 0) await new Promise((resolve) => setImmediate(resolve));
  held[0]?.();
  await first;
}

test("an aborted exchange leaves its HTTP/2 connection open for the next", async () => {
  const server = await serve("h2", (response, path) => (path === "/slow" ? response.write("begin") : response.end("ok")));
  const controller = new AbortController();
  const lease = await server.origin.lease();
  const response = await lease.dispatcher.request({
    method: "POST",
    path: "/slow",
    body: "{}",
    idempotent: true,
    signal: controller.signal,
  });
  await response.body[Symbol.asyncIterator]().next();
  controller.abort();
  lease.release();
  expect(await exchange(server.origin)).toBe("ok");
  expect(server.connections()).toBe(1);
});

test("a server without HTTP/2 gets a connection for each exchange at once, used again by later ones", async () => {
  const held: (() => void)[] = [];
  const server = await serve("http/1.1", (response) => {
    held.push(() => response.end("ok"));
    if (held.length >= 3) for (const finish of held) finish();
  });
  await Promise.all(Array.from({ length: 3 }, () => exchange(server.origin)));
  expect(server.connections()).toBe(3);
  await exchange(server.origin);
  expect(server.connections()).toBe(3);
});

test("a retired connection takes no new exchange and closes when its last has ended", async () => {
  const server = await serve("h2", (response) => response.end("ok"));
  await exchange(server.origin);
  const lease = await server.origin.lease();
  lease.retire();
  expect(await exchange(server.origin)).toBe("ok");
  expect(server.connections()).toBe(2);
  lease.release();
  lease.release();
  expect(await exchange(server.origin)).toBe("ok");
  expect(server.connections()).toBe(2);
});

test("when the connection breaks, every exchange on it fails and the next opens a new one", async () => {
  let isCut = false;
  const held: unknown[] = [];
  const server = await serve("h2", (response) => {
    if (isCut) return void response.end("ok");
    held.push(response);
    if (held.length < 20) return;
    isCut = true;
    server.cut();
  });
  const results = await Promise.allSettled(Array.from({ length: 20 }, () => failing(server.origin)));
  expect(results.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => "rejected"));
  expect(await exchange(server.origin)).toBe("ok");
});

async function failing(origin: HttpOrigin): Promise<void> {
  const lease = await origin.lease();
  try {
    await lease.dispatcher.request({ method: "POST", path: "/", body: "{}", idempotent: true });
  } finally {
    lease.release();
  }
}

test("a first connection that is refused fails its exchange, and only that", async () => {
  const server = createServer(CERTIFICATE);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const origin = new HttpOrigin(`https://127.0.0.1:${port}`, trusting);
  closers.push(() => origin.destroy());
  for (const attempt of ["first", "second"]) {
    const { dispatcher, release } = await origin.lease();
    await expect(dispatcher.request({ method: "GET", path: `/${attempt}` }), attempt).rejects.toThrow(/ECONNREFUSED/);
    release();
  }
});
