import { connect } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import type { Carrier, MediaSocket } from "../core/carrier.js";
import { systemClock, VirtualClock } from "../core/clock.js";
import { ConfigError } from "../core/errors.js";
import { silentLogger } from "../core/logger.js";
import { deferred } from "../core/signals.js";
import { createApp } from "./app.js";
import { type Server, type ServerOptions, startServer } from "./server.js";

/** Echoes every message on `/echo`, and answers `/hello` and `/fail`. */
function echoCarrier(onSocket: (socket: MediaSocket) => void = () => {}): Carrier {
  const echo = async (socket: MediaSocket): Promise<void> => {
    onSocket(socket);
    for await (const message of socket.messages) socket.send(message);
  };
  return {
    name: "echo",
    handle: async (request, host) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/fail") throw new Error("a bug");
      if (pathname === "/body") return new Response(String((await request.arrayBuffer()).byteLength));
      return pathname === "/hello" ? new Response(`hello from ${host.publicUrl}`) : undefined;
    },
    upgrade: (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/bug") throw new Error("a bug");
      if (pathname === "/secret") return { accepted: false, status: 403, reason: "no token" };
      if (pathname === "/broken") {
        return {
          accepted: true,
          run: () => {
            throw new Error("a bug");
          },
        };
      }
      return pathname === "/echo" ? { accepted: true, run: (socket) => void echo(socket) } : undefined;
    },
  };
}

const servers: Server[] = [];
async function start(options: Partial<ServerOptions> = {}): Promise<Server> {
  const server = await startServer({
    carriers: [echoCarrier()],
    clock: systemClock,
    logger: silentLogger,
    onCall: () => {},
    port: 0,
    ...options,
  });
  servers.push(server);
  return server;
}
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

function socketUrl(server: Server, path: string): string {
  return `${server.url.replace("http", "ws")}${path}`;
}

function opened(webSocket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    webSocket.once("open", () => resolve());
    webSocket.once("error", reject);
  });
}

function closeOf(webSocket: WebSocket): Promise<{ code: number; reason: string }> {
  return new Promise((resolve) => {
    webSocket.once("close", (code, reason) => resolve({ code, reason: reason.toString() }));
  });
}

/** What a server answers to raw bytes, until it closes the connection. */
function raw(server: Server, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(server.port, "127.0.0.1", () => socket.write(bytes));
    socket.setEncoding("utf8");
    socket.on("data", (text) => {
      answer += text;
    });
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
  });
}

describe("requests", () => {
  it("are answered by the carrier whose they are, with the public URL at hand", async () => {
    const server = await start({ publicUrl: "https://agents.example.com/" });
    expect(await (await fetch(`${server.url}/hello`)).text()).toBe("hello from https://agents.example.com");
    expect(await (await fetch(`${server.url}/health`)).json()).toEqual({ status: "ok" });
  });

  it("that are nobody's get 404 as JSON", async () => {
    const server = await start();
    const response = await fetch(`${server.url}/nothing`);
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({ error: "not_found", message: "Nothing is served at /nothing." });
  });

  it("go to the handlers first", async () => {
    const server = await start({ handlers: [async (request) => (request.method === "PUT" ? new Response("mine") : undefined)] });
    expect(await (await fetch(`${server.url}/hello`, { method: "PUT" })).text()).toBe("mine");
    expect(await (await fetch(`${server.url}/hello`)).text()).toBe(`hello from ${server.url}`);
  });

  it("that make a carrier fail get 500 without the reason, and the next one is answered", async () => {
    const server = await start();
    const response = await fetch(`${server.url}/fail`);
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain("a bug");
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
  });

  it("with a body over 1 MiB get 413, with and without a declared length", async () => {
    const server = await start();
    const body = new Uint8Array(1024 * 1024 + 1);
    expect((await fetch(`${server.url}/body`, { method: "POST", body })).status).toBe(413);
    const stream = new Blob([body]).stream();
    expect((await fetch(`${server.url}/body`, { method: "POST", body: stream, duplex: "half" })).status).toBe(413);
    expect(await (await fetch(`${server.url}/body`, { method: "POST", body: body.subarray(1) })).text()).toBe("1048576");
  });

  it("with two lengths are refused", async () => {
    const server = await start();
    const answer = await raw(
      server,
      "POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\n\r\n",
    );
    expect(answer).toMatch(/^HTTP\/1\.1 400/);
    expect(answer).not.toContain("hello from");
  });

  it("can be put to the app without a socket", async () => {
    const app = await createApp({
      carriers: [echoCarrier()],
      clock: new VirtualClock(),
      logger: silentLogger,
      publicUrl: () => "http://test",
      onCall: () => {},
    });
    expect(await (await app.fetch(new Request("http://test/hello"))).text()).toBe("hello from http://test");
    expect(app.upgrade(new Request("http://test/secret"))).toEqual({ accepted: false, status: 403, reason: "no token" });
    expect(app.upgrade(new Request("http://test/nothing"))).toBeUndefined();
  });
});

describe("listening", () => {
  it("on a port in use says which and what to do", async () => {
    const first = await start();
    await expect(start({ port: first.port })).rejects.toThrow(
      new RegExp(`Port ${first.port} on 127.0.0.1 is in use by another program: .* another port, such as ${first.port + 1}`),
    );
    await expect(start({ port: first.port })).rejects.toBeInstanceOf(ConfigError);
  });

  it("on what is no port or no address of this machine says so", async () => {
    await expect(start({ port: 70_000 })).rejects.toThrow("A port must be a whole number from 0 to 65535, not 70000");
    await expect(start({ host: "203.0.113.7" })).rejects.toThrow("This machine has no address 203.0.113.7");
  });

  it("leaves the global Request and Response alone", async () => {
    const before = [globalThis.Request, globalThis.Response];
    await start();
    expect([globalThis.Request, globalThis.Response]).toEqual(before);
  });

  it("ends with close, also while sockets are open and after a second close", async () => {
    const server = await start();
    const webSocket = new WebSocket(socketUrl(server, "/echo"));
    await opened(webSocket);
    const closed = closeOf(webSocket);
    await Promise.all([server.close(), server.close()]);
    expect(await closed).toEqual({ code: 1001, reason: "the server stopped" });
    await expect(fetch(`${server.url}/health`)).rejects.toThrow();
  });

  it("ends also when a peer ignores the closing handshake", async () => {
    const server = await start();
    const socket = connect(server.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write(
      "GET /echo HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    await new Promise((resolve) => socket.once("data", resolve));
    await server.close();
    socket.destroy();
  });
});

describe("sockets", () => {
  it("carry text and bytes both ways", async () => {
    const server = await start();
    const webSocket = new WebSocket(socketUrl(server, "/echo"));
    const received: unknown[] = [];
    const both = deferred();
    webSocket.on("message", (data: Buffer, isBinary) => {
      received.push(isBinary ? [...data] : data.toString());
      if (received.length === 2) both.resolve();
    });
    await opened(webSocket);
    webSocket.send("ünïcode");
    webSocket.send(new Uint8Array([1, 2, 3]));
    await both.promise;
    expect(received).toEqual(["ünïcode", [1, 2, 3]]);
    webSocket.close();
  });

  it("are refused before the upgrade when the carrier says so, or knows no such path", async () => {
    const server = await start();
    await expect(opened(new WebSocket(socketUrl(server, "/secret")))).rejects.toThrow("403");
    await expect(opened(new WebSocket(socketUrl(server, "/nothing")))).rejects.toThrow("404");
  });

  it("are refused for another protocol or an impossible host", async () => {
    const server = await start();
    const upgrade = (host: string, protocol: string): string =>
      `GET /echo HTTP/1.1\r\nHost: ${host}\r\nUpgrade: ${protocol}\r\nConnection: Upgrade\r\n\r\n`;
    expect(await raw(server, upgrade("x", "h2c"))).toMatch(/^HTTP\/1\.1 400/);
    expect(await raw(server, upgrade("x y", "websocket"))).toMatch(/^HTTP\/1\.1 400/);
  });

  it("that make a carrier fail get 500 without the reason, and the next one is answered", async () => {
    const server = await start();
    const request = "GET /bug HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    const answer = await raw(server, request);
    expect(answer).toMatch(/^HTTP\/1\.1 500 /);
    expect(answer).not.toContain("a bug");
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
  });

  it("whose carrier fails are closed with 1011", async () => {
    const server = await start();
    const webSocket = new WebSocket(socketUrl(server, "/broken"));
    expect((await closeOf(webSocket)).code).toBe(1011);
  });

  it("are closed for a message over 256 KiB", async () => {
    const server = await start();
    const webSocket = new WebSocket(socketUrl(server, "/echo"));
    await opened(webSocket);
    webSocket.send(new Uint8Array(256 * 1024 + 1));
    expect((await closeOf(webSocket)).code).toBe(1009);
  });

  it("deliver everything to a reader that is slower than the network", async () => {
    const finished = deferred<number>();
    const gate = deferred();
    const slow = async (socket: MediaSocket): Promise<void> => {
      await gate.promise;
      let messages = 0;
      for await (const message of socket.messages) if (message !== undefined) messages++;
      finished.resolve(messages);
    };
    const carrier: Carrier = { ...echoCarrier(), upgrade: () => ({ accepted: true, run: (socket) => void slow(socket) }) };
    const server = await start({ carriers: [carrier] });
    const webSocket = new WebSocket(socketUrl(server, "/"));
    await opened(webSocket);
    for (let i = 0; i < 5000; i++) webSocket.send(new Uint8Array(640));
    webSocket.close();
    gate.resolve();
    expect(await finished.promise).toBe(5000);
  });

  it("are dropped when the peer answers no ping for two periods", async () => {
    const clock = new VirtualClock();
    let serverSide: MediaSocket | undefined;
    const server = await start({ clock, carriers: [echoCarrier((socket) => (serverSide = socket))] });
    const dead = new WebSocket(socketUrl(server, "/echo"), { autoPong: false });
    await opened(dead);
    expect(serverSide).toBeDefined();
    const closed = closeOf(dead);
    const pinged = new Promise((resolve) => dead.once("ping", resolve));
    await clock.advance(15_000);
    await pinged;
    await clock.advance(15_000);
    expect((await closed).code).toBe(1006);
    expect(clock.pendingTimers).toBe(0);
  });

  it("stay open while the peer answers pings", async () => {
    const clock = new VirtualClock();
    const server = await start({ clock });
    const webSocket = new WebSocket(socketUrl(server, "/echo"));
    await opened(webSocket);
    for (let i = 0; i < 4; i++) {
      const pinged = new Promise((resolve) => webSocket.once("ping", resolve));
      await clock.advance(15_000);
      await pinged;
      const echoed = new Promise((resolve) => webSocket.once("message", resolve));
      webSocket.send("still here");
      await echoed;
    }
    expect(webSocket.readyState).toBe(WebSocket.OPEN);
    const closed = server.close();
    await closed;
    expect(clock.pendingTimers).toBe(0);
  });
});
