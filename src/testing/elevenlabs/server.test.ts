import { afterEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { VirtualClock } from "../../core/clock.js";
import { AsyncQueue } from "../../core/queue.js";
import { type ElevenLabsServerOptions, ElevenLabsServer } from "./server.js";

const VOICE = "EXAVITQu4vr4xnSDxMaL";
const servers: ElevenLabsServer[] = [];

async function start(options: ElevenLabsServerOptions = {}): Promise<ElevenLabsServer> {
  const server = await ElevenLabsServer.start(options);
  servers.push(server);
  return server;
}

afterEach(async () => {
  for (const server of servers.splice(0)) await server[Symbol.asyncDispose]();
});

function post(server: ElevenLabsServer, path: string, body: unknown, send: typeof fetch = server.fetch): Promise<Response> {
  const headers = { "xi-api-key": "test", "content-type": "application/json" };
  return send(`${server.url}/v1/text-to-speech/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
}

describe("over HTTP", () => {
  test("speech is 60 ms of mu-law for each character", async () => {
    const server = await start();
    const response = await post(server, `${VOICE}/stream?output_format=ulaw_8000`, { text: "Hello there." }, fetch);
    expect(response.status).toBe(200);
    expect((await response.arrayBuffer()).byteLength).toBe("Hello there.".length * 480);
    expect(server.requests[0]).toMatchObject({ outcome: "complete", sentMs: 720, body: { text: "Hello there." } });
  });

  test("timestamps are seconds since the response's first sample, each character in the chunk where it begins", async () => {
    const server = await start({ chunkMs: 100 });
    const response = await post(server, `${VOICE}/stream/with-timestamps?output_format=pcm_16000`, { text: "Yes" });
    const lines = (await response.text())
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map((line) => line.alignment.characters.join(""))).toEqual(["Ye", "s"]);
    expect(lines[1].alignment).toMatchObject({ character_start_times_seconds: [0.12], character_end_times_seconds: [0.18] });
    expect(Buffer.from(lines[0].audio_base64, "base64")).toHaveLength(3200);
  });

  test("a wrong key, an unknown voice and a body that does not fit are refused", async () => {
    const server = await start({ apiKey: "right" });
    const refused = await post(server, `${VOICE}/stream`, { text: "Hi" });
    expect(refused.status).toBe(401);
    expect(await refused.json()).toMatchObject({ detail: { status: "invalid_api_key" } });
    const anyKey = await start();
    expect((await post(anyKey, "nobody/stream", { text: "Hi" })).status).toBe(404);
    const invalid = await post(anyKey, `${VOICE}/stream`, { text: 5, voice_settings: { speed: 3 } });
    expect(invalid.status).toBe(422);
    expect(await invalid.json()).toMatchObject({
      detail: [{ loc: ["body", "text"] }, { loc: ["body", "voice_settings", "speed"] }],
    });
  });

  test("failures come in order, then speech as usual", async () => {
    const server = await start();
    server.fail({ status: 429 }, { status: 401, code: "quota_exceeded" });
    const path = `${VOICE}/stream?output_format=ulaw_8000`;
    expect((await post(server, path, { text: "Hi" })).status).toBe(429);
    expect(await (await post(server, path, { text: "Hi" })).json()).toMatchObject({ detail: { status: "quota_exceeded" } });
    expect((await post(server, path, { text: "Hi" })).status).toBe(200);
  });

  test("a cut ends the body with an error after the audio that was asked for", async () => {
    const server = await start({ chunkMs: 60 });
    server.fail({ cutAfterMs: 120 });
    const response = await post(server, `${VOICE}/stream?output_format=ulaw_8000`, { text: "Hello" }, fetch);
    await expect(response.arrayBuffer()).rejects.toThrow();
    expect(server.requests[0]).toMatchObject({ outcome: "cut", sentMs: 120 });
  });

  test("the first byte is as late as it was told to be, on the server's clock", async () => {
    const clock = new VirtualClock();
    const server = await start({ clock, firstByteMs: 250 });
    const response = await clock.runUntil(post(server, `${VOICE}/stream?output_format=ulaw_8000`, { text: "Hi" }));
    expect(response.status).toBe(200);
    expect(clock.now()).toBe(250);
  });

  test("the account's voices are listed", async () => {
    const server = await start();
    const response = await server.fetch(`${server.url}/v1/voices`, { headers: { "xi-api-key": "test" } });
    expect(await response.json()).toMatchObject({
      voices: expect.arrayContaining([{ voice_id: VOICE, name: "Sarah", category: "premade" }]),
    });
  });
});

interface Client {
  readonly received: AsyncQueue<Record<string, unknown>>;
  send(message: unknown): void;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
}

async function open(server: ElevenLabsServer, query = "", path = "multi-stream-input"): Promise<Client> {
  const url = `${server.url.replace("http", "ws")}/v1/text-to-speech/${VOICE}/${path}?output_format=ulaw_8000${query}`;
  const socket = new WebSocket(url, { headers: { "xi-api-key": "test" } });
  const received = new AsyncQueue<Record<string, unknown>>();
  socket.on("message", (data) => received.push(JSON.parse((data as Buffer).toString("utf8"))));
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on("close", (code, reason) => {
      received.end();
      resolve({ code, reason: String(reason) });
    });
  });
  await new Promise((resolve, reject) => {
    socket.on("open", resolve);
    socket.on("error", reject);
  });
  return { received, closed, send: (message) => socket.send(JSON.stringify(message)) };
}

async function until(client: Client, isLast: (message: Record<string, unknown>) => boolean): Promise<Record<string, unknown>[]> {
  const messages: Record<string, unknown>[] = [];
  for (let next = await client.received.next(); next.done !== true; next = await client.received.next()) {
    messages.push(next.value);
    if (isLast(next.value)) break;
  }
  return messages;
}

const isFinal = (message: Record<string, unknown>): boolean => message["isFinal"] === true;

describe("over a socket of several contexts", () => {
  test("a flush is spoken and not acknowledged; closing the context is", async () => {
    const server = await start({ chunkMs: 120 });
    const client = await open(server);
    client.send({ text: " ", context_id: "a" });
    client.send({ text: "Hello ", context_id: "a", flush: true });
    client.send({ context_id: "a", close_context: true });
    const messages = await until(client, isFinal);
    expect(messages.map((message) => message["contextId"])).toEqual(["a", "a", "a", "a"]);
    expect(messages.at(-1)).toEqual({ isFinal: true, contextId: "a" });
    expect(messages.slice(0, -1).every((message) => message["isFinal"] === null)).toBe(true);
  });

  test("an alignment's times begin anew with every message", async () => {
    const server = await start({ chunkMs: 120 });
    const client = await open(server, "&auto_mode=true");
    client.send({ text: "Abcd ", context_id: "a" });
    client.send({ context_id: "a", close_context: true });
    const alignments = (await until(client, isFinal)).slice(0, -1).map((message) => message["alignment"]);
    expect(alignments).toEqual([
      { chars: ["A", "b"], charStartTimesMs: [0, 60], charDurationsMs: [60, 60] },
      { chars: ["c", "d"], charStartTimesMs: [0, 60], charDurationsMs: [60, 60] },
      { chars: [" "], charStartTimesMs: [0], charDurationsMs: [60] },
    ]);
  });

  test("text waits for the schedule, and is dropped when its context is closed before", async () => {
    const server = await start();
    const client = await open(server);
    client.send({ text: "Too short to be spoken yet. ", context_id: "a" });
    client.send({ context_id: "a", close_context: true });
    expect(await until(client, isFinal)).toEqual([{ isFinal: true, contextId: "a" }]);
  });

  test("the sixth context closes the whole socket, a context that only finishes speaking counted", async () => {
    const server = await start({ firstByteMs: 60_000 });
    const client = await open(server);
    client.send({ text: "Still speaking. ", context_id: "old", flush: true });
    client.send({ context_id: "old", close_context: true });
    for (const id of ["a", "b", "c", "d"]) client.send({ text: " ", context_id: id });
    client.send({ text: " ", context_id: "e" });
    expect((await client.closed).code).toBe(1008);
    expect(await until(client, () => false)).toMatchObject([{ error: "max_active_conversations", code: 1008 }]);
    expect(server.sockets[0]?.mostContexts).toBe(5);
  });

  test("a socket without messages is closed after its inactivity timeout", async () => {
    const clock = new VirtualClock();
    const server = await start({ clock });
    const client = await open(server);
    await clock.advance(19_999);
    expect(server.sockets[0]?.closed).toBeUndefined();
    await clock.advance(1);
    expect((await client.closed).code).toBe(1008);
    expect(await until(client, () => false)).toMatchObject([{ error: "input_timeout_exceeded" }]);
  });

  test("a handshake is refused with a status, speech is broken off in the middle", async () => {
    const server = await start({ chunkMs: 60 });
    server.fail({ status: 503 });
    await expect(open(server)).rejects.toThrow("503");
    server.fail({ cutAfterMs: 120 });
    const client = await open(server, "&auto_mode=true");
    client.send({ text: "Hello ", context_id: "a" });
    expect(await until(client, () => false)).toHaveLength(2);
    expect((await client.closed).code).toBe(1006);
  });

  test("a server that fell silent sends nothing more and is not gone", async () => {
    const server = await start();
    const client = await open(server, "&auto_mode=true");
    server.fallSilent();
    client.send({ text: "Hello ", context_id: "a" });
    client.send({ close_socket: true });
    expect(server.sockets[0]?.closed).toBeUndefined();
    server.dropConnections();
    expect(await until(client, () => false)).toEqual([]);
  });
});

test("the socket of one context ends with an empty text, which speaks what is left", async () => {
  const server = await start();
  const client = await open(server, "", "stream-input");
  client.send({ text: " " });
  client.send({ text: "Hi" });
  client.send({ text: "" });
  const messages = await until(client, isFinal);
  expect(messages[0]).toMatchObject({ alignment: { chars: ["H", "i"] } });
  expect(messages[0]).not.toHaveProperty("contextId");
  expect((await client.closed).code).toBe(1000);
});
