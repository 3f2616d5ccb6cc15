import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { VirtualClock } from "../core/clock.js";
import {
  AuthenticationError,
  PatterError,
  ProtocolError,
  ProviderError,
  ProviderTimeoutError,
  RateLimitError,
} from "../core/errors.js";
import { connectSocket, type VendorSocket, type VendorSocketOptions } from "./websocket.js";

const IDENTITY = { provider: "vendor", className: "VendorSTT" };
const cleanups: (() => void | PromiseLike<void>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).toReversed()) await clean();
});

async function listening(server: Server): Promise<string> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => sockets.add(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function vendor(options: { readonly autoPong?: boolean; readonly greeting?: string } = {}) {
  const server = createServer();
  const sockets = new WebSocketServer({ server, autoPong: options.autoPong ?? true });
  const accepted = once(sockets, "connection") as Promise<[WebSocket]>;
  sockets.on("connection", (socket) => {
    if (options.greeting !== undefined) socket.send(options.greeting);
  });
  const url = await listening(server);
  return { url, accepted: accepted.then(([socket]) => socket) };
}

async function refusing(status: number, body: string, headers: Record<string, string> = {}): Promise<string> {
  const server = createServer();
  server.on("upgrade", (_request, socket) => {
    const lines = Object.entries({ "content-length": String(Buffer.byteLength(body)), ...headers });
    socket.end(`HTTP/1.1 ${status} No\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${body}`);
  });
  return listening(server);
}

const clocks: VirtualClock[] = [];

function connect(url: string, options: Partial<VendorSocketOptions> = {}): Promise<VendorSocket> {
  const clock = new VirtualClock();
  clocks.push(clock);
  return connectSocket({ identity: IDENTITY, url, headers: {}, clock, signal: new AbortController().signal, ...options });
}

async function opened(url: string, options: Partial<VendorSocketOptions> = {}) {
  const clock = new VirtualClock();
  const socket = await connect(url, { clock, ...options });
  cleanups.push(() => socket[Symbol.asyncDispose]());
  return { socket, clock };
}

async function failure(promise: Promise<unknown>): Promise<PatterError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof PatterError)) throw new Error(`no PatterError: ${String(error)}`);
  return error;
}

async function all(socket: VendorSocket): Promise<(string | Uint8Array)[]> {
  const messages: (string | Uint8Array)[] = [];
  for await (const message of socket.messages) messages.push(message);
  return messages;
}

describe("connecting", () => {
  it("sends the headers, and messages go both ways", async () => {
    const server = await vendor();
    const { socket } = await opened(server.url, { headers: { authorization: "Token key" } });
    const peer = await server.accepted;
    const received = once(peer, "message");
    const frame = new Uint8Array([9, 1, 2, 3]).subarray(1);
    socket.send(frame);
    expect(await received).toEqual([Buffer.from([1, 2, 3]), true]);
    expect([...frame]).toEqual([1, 2, 3]);
    peer.send("text");
    peer.send(new Uint8Array([7]));
    peer.close(1000, "done");
    expect(await all(socket)).toEqual(["text", new Uint8Array([7])]);
    expect(socket.closed).toEqual({ code: 1000, reason: "done" });
  });

  it("loses no message that comes together with the handshake", async () => {
    const server = await vendor({ greeting: "hello" });
    const { socket } = await opened(server.url);
    for await (const message of socket.messages) {
      expect(message).toBe("hello");
      break;
    }
  });

  it.each([
    [401, AuthenticationError, false],
    [402, ProviderError, false],
    [403, AuthenticationError, false],
    [429, RateLimitError, false],
    [500, ProviderError, true],
    [503, ProviderError, true],
    [504, ProviderTimeoutError, true],
  ])("a handshake refused with %i is a typed error", async (status, type, retryable) => {
    const error = await failure(connect(await refusing(status, '{"error":{"type":"odd","message":"No."}}')));
    expect(error).toBeInstanceOf(type);
    expect(error).toMatchObject({ status, retryable, vendorCode: "odd", provider: "vendor" });
    expect(error.message).toContain(`VendorSTT was answered with ${status} (odd: No.)`);
  });

  it("a refusal is read as its vendor writes it, its wait included", async () => {
    const url = await refusing(429, '{"err_msg":"Busy."}', { "retry-after": "2", "x-id": "r1" });
    const error = await failure(
      connect(url, { readRefusal: ({ body, header }) => ({ message: JSON.parse(body).err_msg, requestId: header("x-id") }) }),
    );
    expect(error).toMatchObject({ retryAfterMs: 2000, requestId: "r1", retryable: true });
    expect(error.message).toContain("Busy.");
  });

  it("a handshake that is not answered within 3 s fails with a timeout", async () => {
    const server = createServer();
    const asked = once(server, "upgrade");
    const url = await listening(server);
    const clock = new VirtualClock();
    const connecting = failure(connect(url, { clock }));
    await asked;
    await clock.advance(3000);
    expect(await connecting).toBeInstanceOf(ProviderTimeoutError);
    expect(clock.pendingTimers).toBe(0);
  });

  it("no server at the address is a retryable error that names it", async () => {
    const server = createServer();
    const url = await listening(server);
    server.close();
    const error = await failure(connect(url));
    expect(error).toMatchObject({ code: "provider", retryable: true });
    expect(error.message).toContain("ECONNREFUSED");
  });

  it("an abort ends the connecting with its reason and leaves nothing", async () => {
    const server = createServer();
    const asked = once(server, "upgrade") as Promise<[unknown, Socket]>;
    const url = await listening(server);
    const clock = new VirtualClock();
    const controller = new AbortController();
    const connecting = connect(url, { clock, signal: controller.signal });
    const [, socket] = await asked;
    const gone = once(socket.resume(), "end");
    controller.abort(new Error("over"));
    await expect(connecting).rejects.toThrow("over");
    await gone;
    expect(clock.pendingTimers).toBe(0);
  });

  it("a signal that has aborted opens no connection", async () => {
    const server = await vendor();
    await expect(connect(server.url, { signal: AbortSignal.abort(new Error("over")) })).rejects.toThrow("over");
  });
});

describe("the end", () => {
  it("closing tells the vendor why and leaves no timer", async () => {
    const server = await vendor();
    const { socket, clock } = await opened(server.url);
    const closed = once(await server.accepted, "close");
    socket.close(1000, "bye");
    expect(await all(socket)).toEqual([]);
    expect((await closed).map(String)).toEqual(["1000", "bye"]);
    await socket[Symbol.asyncDispose]();
    expect(clock.pendingTimers).toBe(0);
    socket.send("nobody hears this");
  });

  it("what the vendor sends while the socket closes is received", async () => {
    const server = await vendor();
    const { socket } = await opened(server.url);
    const peer = await server.accepted;
    peer.on("message", () => peer.send("last words"));
    socket.send("go");
    socket.close();
    expect(await all(socket)).toEqual(["last words"]);
  });

  it("a vendor that does not close its side is dropped after 1 s", async () => {
    const server = await vendor();
    const { socket, clock } = await opened(server.url);
    const peer = await server.accepted;
    peer.pause();
    const disposed = socket[Symbol.asyncDispose]();
    await clock.advance(1000);
    await disposed;
    expect(clock.pendingTimers).toBe(0);
  });

  it("an abort ends the messages and closes the socket", async () => {
    const server = await vendor();
    const controller = new AbortController();
    const { socket, clock } = await opened(server.url, { signal: controller.signal });
    const closed = once(await server.accepted, "close");
    controller.abort();
    expect(await all(socket)).toEqual([]);
    await closed;
    await socket[Symbol.asyncDispose]();
    expect(clock.pendingTimers).toBe(0);
  });

  it("a connection that breaks without a closing frame is an error behind what came before", async () => {
    const server = await vendor();
    const { socket, clock } = await opened(server.url);
    const peer = await server.accepted;
    peer.send("one", () => peer.terminate());
    const messages: unknown[] = [];
    const error = await failure(
      (async () => {
        for await (const message of socket.messages) messages.push(message);
      })(),
    );
    expect(messages).toEqual(["one"]);
    expect(error).toMatchObject({ code: "provider", retryable: true });
    expect(socket.closed).toBeUndefined();
    expect(clock.pendingTimers).toBe(0);
  });

  it("a frame that no WebSocket may send is a protocol error", async () => {
    const server = await vendor();
    const { socket } = await opened(server.url);
    const peer = (await server.accepted) as unknown as { readonly _socket: Socket };
    peer._socket.write(Buffer.from([0xff, 0x00]));
    expect(await failure(all(socket))).toBeInstanceOf(ProtocolError);
  });
});

describe("half-open connections", () => {
  it("a vendor that answers no ping for 2 s, behind 3 s of silence, is dropped", async () => {
    const server = await vendor({ autoPong: false });
    const { socket, clock } = await opened(server.url);
    const pinged = once(await server.accepted, "ping");
    const reading = failure(all(socket));
    await clock.advance(3000);
    await pinged;
    await clock.advance(2000);
    const error = await reading;
    expect(error).toBeInstanceOf(ProviderTimeoutError);
    expect(error.message).toContain("has been silent for 5000 ms");
    await socket[Symbol.asyncDispose]();
    expect(clock.pendingTimers).toBe(0);
  });

  it("a vendor that answers pings may be silent as long as it likes", async () => {
    const server = await vendor();
    const { socket, clock } = await opened(server.url);
    const peer = await server.accepted;
    for (let round = 0; round < 3; round++) {
      const pinged = once(peer, "ping");
      await clock.advance(3000);
      await pinged;
      // Behind the pong, in order.
      const answered = new Promise<void>((resolve) => peer.ping(resolve));
      await answered;
      await settled(socket, peer);
    }
    socket.close();
    expect(await all(socket)).toEqual(["round", "round", "round"]);
  });
});

/** Resolves when what the vendor sent before has been received. */
async function settled(socket: VendorSocket, peer: WebSocket): Promise<void> {
  peer.send("round");
  const heard = once(peer, "pong");
  peer.ping();
  await heard;
  expect(socket.closed).toBeUndefined();
}

describe("slow sides", () => {
  it("a slow reader stops the reading from the network, and nothing is lost", async () => {
    const server = await vendor();
    const { socket, clock } = await opened(server.url);
    const peer = await server.accepted;
    for (let index = 0; index < 1000; index++) peer.send(String(index));
    peer.close(1000);
    await clock.advance(10_000);
    expect(await all(socket)).toEqual(Array.from({ length: 1000 }, (_, index) => String(index)));
  });

  it("a vendor that takes no data fails the socket at 1 MiB", async () => {
    const server = await vendor();
    const { socket } = await opened(server.url);
    (await server.accepted).pause();
    const frame = new Uint8Array(256 * 1024);
    for (let index = 0; index < 200 && !(socket.bufferedBytes > 1024 * 1024); index++) {
      socket.send(frame);
      await new Promise(setImmediate);
    }
    socket.send(frame);
    const error = await failure(all(socket));
    expect(error).toBeInstanceOf(ProviderTimeoutError);
    expect(error.message).toContain("takes no more data");
  });
});
