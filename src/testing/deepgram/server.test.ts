import { once } from "node:events";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { WebSocket } from "ws";
import { VirtualClock } from "../../core/clock.js";
import { ConfigError } from "../../core/errors.js";
import { SpokenWords } from "../spoken-words.js";
import { DeepgramServer, type DeepgramServerOptions } from "./server.js";

const NOVA = "/v1/listen?model=nova-3&encoding=linear16&sample_rate=16000";
const FLUX = "/v2/listen?model=flux-general-en&encoding=mulaw&sample_rate=8000";
/** 100 ms of linear16 at 16 kHz, and of mulaw at 8 kHz. */
const PCM = new Uint8Array(3200);
const MULAW = new Uint8Array(800).fill(0xff);

interface Message {
  readonly type: string;
  readonly [name: string]: unknown;
}

async function start(options?: DeepgramServerOptions): Promise<DeepgramServer> {
  const server = await DeepgramServer.start(options);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

/** A plain WebSocket client. */
class Client {
  readonly messages: Message[] = [];
  readonly socket: WebSocket;
  closed: readonly [number, string] | undefined;

  constructor(server: DeepgramServer, path: string, authorization = "Token key") {
    this.socket = new WebSocket(server.url.replace("http", "ws") + path, { headers: { authorization } });
    this.socket.on("message", (data: Buffer) => this.messages.push(JSON.parse(data.toString()) as Message));
    this.socket.on("close", (code, reason) => {
      this.closed = [code, reason.toString()];
    });
    this.socket.on("error", () => {});
  }

  async open(): Promise<this> {
    await once(this.socket, "open");
    return this;
  }

  async refusal(): Promise<{
    readonly status: number | undefined;
    readonly body: Record<string, unknown>;
    readonly id: unknown;
  }> {
    const [, response] = (await once(this.socket, "unexpected-response")) as [unknown, import("node:http").IncomingMessage];
    let text = "";
    for await (const part of response) text += String(part);
    return { status: response.statusCode, body: JSON.parse(text), id: response.headers["dg-request-id"] };
  }

  audio(bytes: Uint8Array, times: number): void {
    for (let time = 0; time < times; time++) this.socket.send(bytes);
  }

  says(message: object): void {
    this.socket.send(JSON.stringify(message));
  }

  of(type: string): Message[] {
    return this.messages.filter((message) => message.type === type);
  }
}

describe("handshakes", () => {
  it.each([
    ["/v1/speak?model=aura", 404],
    ["/v1/listen?model=nova-3&encoding=linear16", 400],
    ["/v1/listen?model=nova-3&encoding=mp5&sample_rate=8000", 400],
    [`${NOVA}&keyterms=one`, 400],
    [`${NOVA}&vad_events=yes`, 400],
    [`${NOVA}&utterance_end_ms=1000`, 400],
    [NOVA.replace("nova-3", "flux-general-en"), 400],
    [`${NOVA.replace("nova-3", "nova-2")}&keyterm=one`, 400],
    [FLUX.replace("flux-general-en", "nova-3"), 400],
    [`${FLUX}&endpointing=100`, 400],
    [`${FLUX}&eot_threshold=0.4`, 400],
    [`${FLUX}&eager_eot_threshold=0.8`, 400],
    [`${FLUX}&eot_timeout_ms=100`, 400],
    [`${FLUX}&language_hint=de`, 400],
  ])("%s is refused with %i", async (path, status) => {
    const { status: actual, body } = await new Client(await start(), path).refusal();
    expect(actual).toBe(status);
    expect(body).toMatchObject({ err_code: expect.any(String), err_msg: expect.any(String) });
  });

  it("a failure that there is not is refused at once", async () => {
    const server = await start();
    expect(() => server.fail({ afterMs: 100 } as never)).toThrow('knows no failure {"afterMs":100}');
  });

  it("another key than the right one is refused, with an id for support", async () => {
    const server = await start({ apiKey: "right" });
    const refusal = await new Client(server, NOVA, "Token wrong").refusal();
    expect(refusal).toMatchObject({ status: 401, body: { err_code: "INVALID_AUTH", request_id: refusal.id } });
    await new Client(server, NOVA, "Bearer right").open();
    expect(server.handshakes).toBe(2);
    expect(server.sockets).toHaveLength(1);
  });
});

describe("/v1/listen", () => {
  it("a long utterance becomes final in parts, only the last of which ends it", async () => {
    const server = await start();
    server.script([{ text: "a ".repeat(30), startMs: 0 }]);
    const client = await new Client(server, `${NOVA}&endpointing=500`).open();
    client.audio(PCM, 110);
    await vi.waitFor(() => expect(client.of("Results").filter(({ is_final }) => is_final === true)).toHaveLength(2));
    expect(client.of("Results").map(({ speech_final }) => speech_final)).toEqual([false, true]);
  });

  it("Finalize is answered when there is audio to make final, and only then", async () => {
    const server = await start();
    const client = await new Client(server, NOVA).open();
    client.says({ type: "Finalize" });
    client.audio(PCM, 3);
    client.says({ type: "Finalize" });
    client.says({ type: "Finalize" });
    client.says({ type: "CloseStream" });
    await vi.waitFor(() => expect(client.closed).toEqual([1000, ""]));
    expect(client.of("Results")).toMatchObject([{ start: 0, duration: 0.3, is_final: true, from_finalize: true }]);
    expect(client.of("Metadata")).toMatchObject([{ duration: 0.3, channels: 1 }]);
  });

  it("an empty binary message ends the stream", async () => {
    const client = await new Client(await start(), NOVA).open();
    client.socket.send(new Uint8Array(0));
    await vi.waitFor(() => expect(client.closed).toEqual([1000, ""]));
  });

  it("closes with NET-0001 after 10 s without audio or KeepAlive", async () => {
    const clock = new VirtualClock();
    const server = await start({ clock });
    const client = await new Client(server, NOVA).open();
    await clock.advance(9999);
    client.says({ type: "KeepAlive" });
    await vi.waitFor(() => expect(server.sockets[0]?.messages).toHaveLength(1));
    await clock.advance(9999);
    expect(client.closed).toBeUndefined();
    await clock.advance(1);
    await vi.waitFor(() => expect(client.closed?.[0]).toBe(1011));
    expect(client.closed?.[1]).toContain("NET-0001");
    expect(clock.pendingTimers).toBe(0);
  });

  it.each(["{", '{"type":"Pause"}'])("a message like %s closes the socket", async (text) => {
    const client = await new Client(await start(), NOVA).open();
    client.socket.send(text);
    await vi.waitFor(() => expect(client.closed?.[0]).toBe(1008));
  });

  it("understands what a TestPhone speaks", async () => {
    const spoken = new SpokenWords();
    const server = await start({ spoken });
    const client = await new Client(server, `${NOVA}&endpointing=100`).open();
    client.audio(spoken.encode("hello there"), 1);
    client.audio(PCM, 3);
    await vi.waitFor(() => expect(client.of("Results")).toHaveLength(1));
    const [{ channel }] = client.of("Results") as [Message & { channel: { alternatives: [{ transcript: string }] } }];
    expect(channel.alternatives[0].transcript).toBe("hello there");
    expect(() => server.script([])).toThrow(ConfigError);
  });
});

describe("/v2/listen", () => {
  it("numbers its messages, updates about every 0.25 s, and settings can be changed", async () => {
    const server = await start();
    server.script([{ text: "hi", startMs: 300 }]);
    const client = await new Client(server, `${FLUX}&keyterm=one`).open();
    client.audio(MULAW, 6);
    client.says({ type: "Configure", thresholds: { eot_threshold: 0.5, eager_eot_threshold: 0.4 } });
    client.audio(MULAW, 4);
    client.says({ type: "CloseStream" });
    await vi.waitFor(() => expect(client.closed).toEqual([1000, ""]));
    expect(client.messages.map(({ type, event }) => event ?? type)).toEqual([
      "Connected",
      "Update",
      "StartOfTurn",
      "ConfigureSuccess",
      "EagerEndOfTurn",
      "EndOfTurn",
    ]);
    expect(client.messages.map(({ sequence_id }) => sequence_id)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(client.of("ConfigureSuccess")).toMatchObject([
      { thresholds: { eot_threshold: 0.5, eager_eot_threshold: 0.4, eot_timeout_ms: 5000 }, keyterms: ["one"] },
    ]);
  });

  it.each(["KeepAlive", "Finalize"])("knows no %s: it reports an error and closes", async (type) => {
    const client = await new Client(await start(), FLUX).open();
    client.says({ type });
    await vi.waitFor(() => expect(client.closed?.[0]).toBe(1011));
    expect(client.of("Error")).toMatchObject([{ code: "UNPARSABLE_CLIENT_MESSAGE" }]);
  });
});
