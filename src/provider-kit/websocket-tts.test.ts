import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { MULAW_8K } from "../core/audio-frame.js";
import { systemClock } from "../core/clock.js";
import { ProviderError } from "../core/errors.js";
import type { TtsEvent, TtsStream } from "../core/tts.js";
import { type ContextDialect, WebSocketTtsConnection } from "./websocket-tts.js";

const disposables: AsyncDisposable[] = [];

afterEach(async () => {
  for (const disposable of disposables.splice(0).toReversed()) await disposable[Symbol.asyncDispose]();
});

/** A vendor whose messages are `verb context text`. It says what `answer` tells it to. */
async function vendor(answer: (message: readonly string[], socket: WebSocket) => void = () => {}) {
  const received: string[][] = [];
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  server.on("connection", (socket) => {
    const messages: string[] = [];
    received.push(messages);
    socket.on("message", (data) => {
      const text = (data as Buffer).toString("utf8");
      messages.push(text);
      answer(text.split(" "), socket);
    });
  });
  await new Promise((resolve) => {
    server.on("listening", resolve);
  });
  disposables.push({
    [Symbol.asyncDispose]: async () => {
      for (const socket of server.clients) socket.terminate();
      server.close();
    },
  });
  return { received, url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

function connect(url: string, maxContexts = 2): WebSocketTtsConnection {
  const identity = { provider: "example", className: "ExampleTTS" };
  const dialect: ContextDialect = {
    identity,
    maxContexts,
    keepAliveMs: 60_000,
    sendsPieces: false,
    connect: async () => ({ url, headers: {} }),
    readRefusal: () => ({}),
    explain: (error) => error,
    begin: (context) => `begin ${context}`,
    write: (context, text) => `say ${context} ${text}`,
    keepAlive: (context) => `alive ${context}`,
    end: (context) => `end ${context}`,
    cancel: (context) => `cancel ${context}`,
    decode: (message) => {
      const [type = "", context = "", text = ""] = String(message).split(" ");
      if (type === "final") return { type: "final", context };
      return type === "speech" ? { type: "speech", context, bytes: Buffer.from(text) } : { type: "other" };
    },
    closed: () => new ProviderError("ExampleTTS lost its socket.", { provider: "example", retryable: true }),
  };
  const signal = new AbortController().signal;
  const connection = new WebSocketTtsConnection(dialect, { format: MULAW_8K, language: "en", clock: systemClock, signal });
  disposables.push(connection);
  return connection;
}

function begin(connection: WebSocketTtsConnection, text: string, signal = new AbortController().signal): TtsStream {
  const stream = connection.speak({ signal });
  stream.write(text);
  stream.flush();
  return stream;
}

async function eventsOf(stream: TtsStream): Promise<TtsEvent[]> {
  const events: TtsEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

/** Speaks three bytes for every text; ends a context when it is told to. */
function speaks([verb, context]: readonly string[], socket: WebSocket): void {
  if (verb === "say") socket.send(`speech ${context} abc`);
  if (verb === "end" || verb === "cancel") socket.send(`final ${context}`);
}

describe("a socket with contexts", () => {
  test("gives two replies that wait for one place one after the other", async () => {
    const { received, url } = await vendor((message, socket) => {
      if (message[0] !== "cancel") speaks(message, socket);
      // The first of the two that were cancelled ends a little later, the other one never.
      else if (message[1] === "reply-1") setTimeout(() => socket.send("final reply-1"), 20);
    });
    const connection = connect(url);
    for (const word of ["One", "Two"]) {
      const controller = new AbortController();
      const stream = begin(connection, word, controller.signal);
      await expect.poll(() => received[0]?.filter((message) => message.startsWith("say")).length).toBe(word === "One" ? 1 : 2);
      controller.abort();
      await eventsOf(stream);
    }
    const replies = ["Three", "Four"].map((word) => begin(connection, word));
    for (const reply of replies) reply.end();
    const heard = await Promise.all(replies.map(eventsOf));
    expect(heard.map((events) => events.filter(({ type }) => type === "audio"))).toMatchObject([[{}], [{}]]);
    // Whoever found no place in time was given a socket of its own.
    const open = received.map((messages) => messages.filter((message) => message.startsWith("begin")).length);
    expect(open[0]).toBeGreaterThanOrEqual(3);
  });

  test("that is given up goes on for the reply that speaks on it", async () => {
    const sockets: WebSocket[] = [];
    const { url } = await vendor((message, socket) => {
      if (!sockets.includes(socket)) sockets.push(socket);
      // The first socket ends nothing by itself.
      if (socket === sockets[0] && message[0] !== "say") return;
      speaks(message, socket);
    });
    const connection = connect(url);
    const [long, cancelled] = [begin(connection, "Long"), new AbortController()];
    await long[Symbol.asyncIterator]().next();
    begin(connection, "Away", cancelled.signal);
    await expect.poll(() => connection.liveContexts).toBe(2);
    cancelled.abort();
    const next = begin(connection, "Next");
    next.end();
    expect((await eventsOf(next)).filter(({ type }) => type === "audio")).toHaveLength(1);
    expect(sockets).toHaveLength(2);
    expect(sockets[0]?.readyState).toBe(sockets[0]?.OPEN);
    long.end();
    sockets[0]?.send("final reply-1");
    const rest = await eventsOf(long);
    expect(rest.at(-1)).toMatchObject({ type: "flushed", textEnd: 4 });
    await expect.poll(() => sockets[0]?.readyState).toBe(3);
  });

  test("that the vendor closes every time fails the reply after a second try", async () => {
    const { received, url } = await vendor(([verb], socket) => {
      if (verb === "say") socket.close(1011);
    });
    const connection = connect(url);
    await expect(eventsOf(begin(connection, "Hello."))).rejects.toThrow("ExampleTTS lost its socket.");
    expect(received.map((messages) => messages.filter((message) => message.startsWith("say")).length)).toEqual([1, 1]);
  });
});
