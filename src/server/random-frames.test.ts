import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { Browser } from "../carriers/browser.js";
import type { IncomingCall } from "../core/carrier.js";
import { systemClock } from "../core/clock.js";
import { silentLogger } from "../core/logger.js";
import { type Server, startServer } from "./server.js";

const SOCKETS = 100;
const FRAMES_PER_SOCKET = 1000;

let server: Server;
beforeAll(async () => {
  server = await startServer({ carriers: [new Browser()], clock: systemClock, logger: silentLogger, port: 0, onCall: echo });
});
afterAll(() => server.close());

/** Sends back what a call receives. */
function echo(call: IncomingCall): void {
  const run = async (): Promise<void> => {
    for await (const event of call.transport.received) {
      if (event.type === "audio") call.transport.send(event.frame);
      if (event.type === "mark") call.transport.mark(event.name);
    }
  };
  void run();
}

async function callUrl(): Promise<string> {
  const response = await fetch(`${server.url}/call/token`, { method: "POST", headers: { origin: server.url } });
  const { token } = (await response.json()) as { token: string };
  return `${server.url.replace("http", "ws")}/call?token=${token}`;
}

async function openCall(): Promise<WebSocket> {
  const webSocket = new WebSocket(await callUrl(), { origin: server.url });
  webSocket.on("error", () => {});
  await new Promise((resolve) => webSocket.once("message", resolve));
  webSocket.send(JSON.stringify({ type: "ready" }));
  return webSocket;
}

/** The next message's bytes. */
function nextMessage(webSocket: WebSocket): Promise<Buffer> {
  return new Promise((resolve) => webSocket.once("message", resolve));
}

/** Sends `frames` random frames, text and binary, and waits for the server to have taken or refused them. */
async function flood(frames: number): Promise<void> {
  const webSocket = await openCall();
  const closed = new Promise((resolve) => webSocket.once("close", resolve));
  for (let i = 0; i < frames; i++) {
    const bytes = randomBytes(i % 97);
    webSocket.send(i % 3 === 0 ? bytes.toString("latin1") : bytes);
  }
  webSocket.close();
  await closed;
}

/** Opens a call's socket by hand and sends bytes that are no WebSocket frames. */
async function garble(): Promise<void> {
  const { pathname, search } = new URL(await callUrl());
  await new Promise((resolve) => {
    const socket = connect(server.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.on("close", resolve);
    socket.once("data", () => socket.end(randomBytes(4000)));
    socket.write(
      `GET ${pathname}${search} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nOrigin: ${server.url}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    );
  });
}

describe("a server under random input", () => {
  it("survives 100,000 random frames and broken framing, and another call hears every byte of its own", async () => {
    const quiet = await openCall();
    for (let i = 0; i < SOCKETS; i++) {
      await Promise.all([flood(FRAMES_PER_SOCKET), garble()]);
      const frame = randomBytes(640);
      const echoed = nextMessage(quiet);
      quiet.send(frame);
      expect(Buffer.compare(await echoed, frame)).toBe(0);
    }
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
    quiet.close();
  }, 60_000);
});
