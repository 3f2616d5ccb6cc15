import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AudioFormat, MULAW_8K, PCM16_16K } from "../core/audio-frame.js";
import type { CallEvent } from "../core/call-event.js";
import type { CarrierHost, IncomingCall } from "../core/carrier.js";
import { VirtualClock } from "../core/clock.js";
import { CarrierError, ConfigError } from "../core/errors.js";
import { silentLogger } from "../core/logger.js";
import type { TransportEvent } from "../core/transport.js";
import { type PairedSocket, socketPair } from "../testing/socket-pair.js";
import type { BrowserCall } from "./browser/browser-call.js";
import { MAX_BAD_FRAMES, pageEvent, parsePageMessage } from "./browser/protocol.js";
import { Browser, type BrowserOptions } from "./browser.js";

const ORIGIN = "http://localhost:8000";
const FRAME = new Uint8Array(640).fill(7);

interface Setup {
  readonly browser: Browser;
  readonly clock: VirtualClock;
  readonly host: CarrierHost;
  readonly calls: IncomingCall[];
}

function setUp(options: BrowserOptions = {}, publicUrl = ORIGIN): Setup {
  const clock = new VirtualClock();
  const calls: IncomingCall[] = [];
  const host: CarrierHost = { clock, logger: silentLogger, publicUrl, incoming: (call) => calls.push(call) };
  return { browser: new Browser(options), clock, host, calls };
}

async function fetchToken({ browser, host }: Setup): Promise<string> {
  const response = await browser.handle(post("/call/token"), host);
  const { token } = (await (response as Response).json()) as { token: string };
  return token;
}

function post(path: string, headers: Record<string, string> = { origin: ORIGIN }, base = ORIGIN): Request {
  return new Request(`${base}${path}`, { method: "POST", headers });
}

function upgrade(token: string, headers: Record<string, string> = { origin: ORIGIN }, base = ORIGIN): Request {
  return new Request(`${base}/call?token=${token}`, { headers });
}

/** A page that has opened its socket; `messages` are those of the server. */
async function openPage(setup: Setup): Promise<{ socket: PairedSocket; server: PairedSocket }> {
  const decision = setup.browser.upgrade(upgrade(await fetchToken(setup)), setup.host);
  if (decision?.accepted !== true) throw new Error("refused");
  const [server, socket] = socketPair();
  decision.run(server);
  return { socket, server };
}

/** A page in a call, and the call as the server has it. */
async function connectPage(
  setup: Setup,
  parameters?: object,
): Promise<{ socket: PairedSocket; server: PairedSocket; call: IncomingCall }> {
  const { socket, server } = await openPage(setup);
  send(socket, { type: "ready", parameters });
  await setup.clock.advance(0);
  const call = setup.calls.at(-1);
  if (call === undefined) throw new Error("no call");
  await received(setup, socket);
  return { socket, server, call };
}

function send(socket: PairedSocket, message: object): void {
  socket.send(JSON.stringify(message));
}

/** What has arrived at a page so far, JSON parsed. */
async function received(setup: Setup, socket: PairedSocket): Promise<unknown[]> {
  await setup.clock.advance(0);
  const queue = socket.messages as AsyncIterable<string | Uint8Array> & { drain(): (string | Uint8Array)[] };
  return queue.drain().map((message) => (typeof message === "string" ? JSON.parse(message) : message));
}

/** What a call receives, collected as it comes. */
function collect(call: IncomingCall): TransportEvent[] {
  const events: TransportEvent[] = [];
  const read = async (): Promise<void> => {
    for await (const event of call.transport.received) events.push(event);
  };
  void read();
  return events;
}

describe("opening a call", () => {
  it("starts with the format, and is a call once the page is ready", async () => {
    const setup = setUp();
    const { socket } = await openPage(setup);
    expect(await received(setup, socket)).toEqual([{ type: "start", callId: expect.any(String), format: PCM16_16K }]);
    expect(setup.calls).toHaveLength(0);
    send(socket, { type: "ready", parameters: { table: "4" } });
    await setup.clock.advance(0);
    expect(setup.calls[0]).toMatchObject({
      from: "browser",
      to: "agent",
      direction: "inbound",
      customParameters: { table: "4" },
    });
    expect(setup.calls[0]?.transport).toMatchObject({ format: PCM16_16K, playout: "marks" });
  });

  it("takes the parameters that fit, and drops the others", async () => {
    const setup = setUp();
    const many = Object.fromEntries(Array.from({ length: 25 }, (_, index) => [`p${index}`, "x"]));
    const { call } = await connectPage(setup, {
      long: "x".repeat(501),
      ["n".repeat(101)]: "x",
      number: 1,
      last: "y".repeat(500),
      ...many,
    });
    const { customParameters } = call;
    expect(Object.keys(customParameters ?? {})).toEqual(["last", ...Array.from({ length: 19 }, (_, index) => `p${index}`)]);
    expect((call.control as BrowserCall).badFrames).toBe(0);
  });

  it("uses the format that was asked for", async () => {
    const setup = setUp({ format: MULAW_8K });
    const { socket } = await openPage(setup);
    expect(await received(setup, socket)).toMatchObject([{ format: MULAW_8K }]);
  });

  it("rejects a format that the page does not speak", () => {
    const format: AudioFormat = { encoding: "pcm16", sampleRate: 44_100 };
    expect(() => new Browser({ format })).toThrow(ConfigError);
    expect(() => new Browser({ format })).toThrow("Browser cannot carry pcm16 44100 Hz: use");
  });

  it("works once per token, and within a minute", async () => {
    const setup = setUp();
    const token = await fetchToken(setup);
    expect(setup.browser.upgrade(upgrade(token), setup.host)).toMatchObject({ accepted: true });
    expect(setup.browser.upgrade(upgrade(token), setup.host)).toMatchObject({ accepted: false, status: 403 });
    const late = await fetchToken(setup);
    await setup.clock.advance(60_000);
    expect(setup.browser.upgrade(upgrade(late), setup.host)).toMatchObject({ accepted: false, status: 403 });
    expect(setup.browser.upgrade(upgrade(""), setup.host)).toMatchObject({ accepted: false, status: 403 });
  });

  it("is refused to pages of other websites, and to clients that do not say where they come from", async () => {
    const setup = setUp();
    const token = await fetchToken(setup);
    for (const headers of [{ origin: "http://evil.example" }, { origin: "http://localhost:9999" }, { origin: "null" }, {}]) {
      expect(setup.browser.upgrade(upgrade(token, headers), setup.host)).toMatchObject({ accepted: false, status: 403 });
      expect((await setup.browser.handle(post("/call/token", headers), setup.host))?.status).toBe(403);
    }
  });

  it("is refused under a name that is not the server's own, which may have been rebound", async () => {
    const setup = setUp();
    const base = "http://evil.example:8000";
    expect(setup.browser.upgrade(upgrade(await fetchToken(setup), { origin: base }, base), setup.host)).toMatchObject({
      status: 403,
    });
    const response = await setup.browser.handle(post("/call/token", { origin: base }, base), setup.host);
    expect(response?.status).toBe(403);
    expect(await response?.text()).toContain(
      'open http://localhost:8000, or pass { allowedHosts: [\\"evil.example\\"] } to Browser',
    );
  });

  it("is granted under the public URL, an IP address and an allowed host", async () => {
    const setup = setUp({ allowedHosts: ["phone.lan"] }, "https://agent.example.com");
    for (const base of ["http://agent.example.com", "http://127.0.0.1:8000", "http://[::1]:8000", "http://phone.lan:8000"]) {
      expect((await setup.browser.handle(post("/call/token", { origin: base }, base), setup.host))?.status).toBe(200);
    }
    // A proxy that passes on its own host name: the origin is still the public URL's.
    const proxied = post("/call/token", { origin: "https://agent.example.com" }, "http://127.0.0.1:8000");
    expect((await setup.browser.handle(proxied, setup.host))?.status).toBe(200);
  });

  it("is given up when the page is not ready in time", async () => {
    const setup = setUp();
    const { socket } = await openPage(setup);
    await setup.clock.advance(15_000);
    expect(await socket.closed).toEqual({ code: 1008, reason: "not ready in time" });
    expect(setup.calls).toHaveLength(0);
    expect(setup.clock.pendingTimers).toBe(0);
  });
});

describe("a call", () => {
  it("carries audio both ways, untouched and with its format", async () => {
    const setup = setUp();
    const { socket, call } = await connectPage(setup);
    const events = collect(call);
    socket.send(FRAME);
    call.transport.send({ format: PCM16_16K, bytes: FRAME });
    expect(await received(setup, socket)).toEqual([FRAME]);
    expect(events).toEqual([{ type: "audio", frame: { format: PCM16_16K, bytes: FRAME } }]);
  });

  it("asks for marks and clears, and passes on marks and keys, in order", async () => {
    const setup = setUp();
    const { socket, call } = await connectPage(setup);
    const events = collect(call);
    call.transport.mark("a");
    call.transport.clear();
    expect(await received(setup, socket)).toEqual([{ type: "mark", name: "a" }, { type: "clear" }]);
    send(socket, { type: "mark", name: "a" });
    send(socket, { type: "dtmf", digit: "#" });
    await setup.clock.advance(0);
    expect(events).toEqual([
      { type: "mark", name: "a" },
      { type: "dtmf", digit: "#" },
    ]);
  });

  it("ends as `caller` when the page hangs up", async () => {
    const setup = setUp();
    const { socket, call } = await connectPage(setup);
    const events = collect(call);
    send(socket, { type: "hang_up" });
    await setup.clock.advance(0);
    expect(events).toEqual([{ type: "closed", reason: "caller" }]);
    expect(await socket.closed).toMatchObject({ code: 1000 });
  });

  it("ends as `lost` when the socket breaks", async () => {
    const setup = setUp();
    const { socket, call } = await connectPage(setup);
    const events = collect(call);
    socket.close(1006);
    await setup.clock.advance(0);
    expect(events).toEqual([{ type: "closed", reason: "lost" }]);
  });

  it("ends as `local` when the agent hangs up, and the page is told", async () => {
    const setup = setUp();
    const { socket, call } = await connectPage(setup);
    const events = collect(call);
    await call.control.hangUp();
    expect(await socket.closed).toEqual({ code: 1000, reason: "hung up" });
    expect(events).toEqual([{ type: "closed", reason: "local" }]);
    expect(await received(setup, socket)).toEqual([{ type: "hang_up" }]);
  });

  it("does nothing more after its end", async () => {
    const setup = setUp();
    const { socket, call } = await connectPage(setup);
    await call.transport[Symbol.asyncDispose]();
    await received(setup, socket);
    call.transport.send({ format: PCM16_16K, bytes: FRAME });
    call.transport.mark("late");
    call.transport.clear();
    await call.control.hangUp();
    expect(await received(setup, socket)).toEqual([]);
    await expect(call.control.sendDtmf("1")).rejects.toThrow("DTMF 1 was not sent: the call has ended.");
    expect(setup.clock.pendingTimers).toBe(0);
  });

  it("has the page play keys, and cannot be transferred", async () => {
    const setup = setUp();
    const { socket, call } = await connectPage(setup);
    await call.control.sendDtmf("1w#");
    expect(await received(setup, socket)).toEqual([{ type: "dtmf", digits: "1w#" }]);
    await expect(call.control.sendDtmf("x")).rejects.toBeInstanceOf(CarrierError);
    await expect(call.control.transfer("+15550001234")).rejects.toThrow("A browser call cannot be transferred to +15550001234");
  });

  it("is dropped when the page leaves a minute of audio unread", async () => {
    const setup = setUp();
    const { server, call } = await connectPage(setup);
    const events = collect(call);
    server.stalled = true;
    for (let seconds = 0; seconds <= 60; seconds++) call.transport.send({ format: PCM16_16K, bytes: new Uint8Array(32_000) });
    await setup.clock.advance(0);
    expect(events).toEqual([{ type: "closed", reason: "lost" }]);
    expect(await server.closed).toMatchObject({ code: 1013 });
  });
});

describe("events", () => {
  const base = { callId: "c", sequence: 1, atMs: 20 };

  it("reach the page without what is none of its business", async () => {
    const setup = setUp();
    const { socket, call } = await connectPage(setup);
    const events: CallEvent[] = [
      { ...base, type: "transcript_final", transcript: "a table for two", confidence: 0.5 },
      { ...base, type: "tool_started", reply: 1, toolCallId: "t", name: "book", arguments: { card: "4111" } },
      { ...base, type: "tool_ended", reply: 1, toolCallId: "t", name: "book", result: "secret", isError: false, durationMs: 3 },
      { ...base, type: "stt_usage", provider: "p", model: "m", audioMs: 1 },
      { ...base, type: "call_error", stage: "llm", code: "provider", message: "key sk-1 refused", fatal: false },
    ];
    for (const event of events) call.control.notify?.(event);
    expect(await received(setup, socket)).toEqual([
      { type: "event", event: { atMs: 20, type: "transcript_final", transcript: "a table for two" } },
      { type: "event", event: { atMs: 20, type: "tool_started", reply: 1, name: "book" } },
      { type: "event", event: { atMs: 20, type: "tool_ended", reply: 1, name: "book", isError: false } },
      { type: "event", event: { atMs: 20, type: "call_error", stage: "llm", fatal: false } },
    ]);
  });

  it("keep when the caller stopped speaking, where that is known", () => {
    const event = { ...base, type: "turn_committed", transcript: "yes", reason: "vad" } as const;
    expect(pageEvent(event)).toEqual({ atMs: 20, type: "turn_committed", transcript: "yes" });
    expect(pageEvent({ ...event, speechEndedAtMs: 9 })).toMatchObject({ speechEndedAtMs: 9 });
  });
});

describe("bad frames", () => {
  it("are ignored, and close the socket when there are many", async () => {
    const setup = setUp();
    const { socket, call } = await connectPage(setup);
    const events = collect(call);
    for (let i = 1; i < MAX_BAD_FRAMES; i++) socket.send("{");
    socket.send(FRAME);
    await setup.clock.advance(0);
    expect(events).toMatchObject([{ type: "audio" }]);
    socket.send("{");
    expect(await socket.closed).toEqual({ code: 1008, reason: "too many frames that are no messages" });
    expect(events.at(-1)).toEqual({ type: "closed", reason: "lost" });
  });

  it("include audio before the call, half samples, and frames longer than a second", async () => {
    const setup = setUp();
    const { socket } = await openPage(setup);
    socket.send(FRAME);
    send(socket, { type: "ready" });
    await setup.clock.advance(0);
    const events = collect(setup.calls[0] as IncomingCall);
    for (const bytes of [new Uint8Array(0), new Uint8Array(641), new Uint8Array(32_002)]) socket.send(bytes);
    send(socket, { type: "ready" });
    socket.send(new Uint8Array(32_000));
    await setup.clock.advance(0);
    expect(events).toHaveLength(1);
  });

  it("include audio that runs more than ten seconds ahead of time", async () => {
    const setup = setUp();
    const { socket, call } = await connectPage(setup);
    const events = collect(call);
    for (let i = 0; i < 12; i++) socket.send(new Uint8Array(32_000));
    await setup.clock.advance(5000);
    expect(events).toHaveLength(10);
    for (let i = 0; i < 6; i++) socket.send(new Uint8Array(32_000));
    await setup.clock.advance(0);
    expect(events).toHaveLength(15);
  });

  it("never fail the parser, and never pass for a message", () => {
    const near = fc.record({
      type: fc.constantFrom("ready", "mark", "dtmf", "hang_up", "start", "clear"),
      name: fc.anything(),
      digit: fc.anything(),
      parameters: fc.anything(),
    });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          near.map((value) => JSON.stringify(value) ?? ""),
        ),
        (text) => {
          const message = parsePageMessage(text);
          if (message?.type === "mark") expect(typeof message.name).toBe("string");
          if (message?.type === "dtmf") expect(message.digit).toMatch(/^[0-9*#A-D]$/);
          if (message?.type === "ready")
            for (const value of Object.values(message.parameters)) expect(typeof value).toBe("string");
        },
      ),
    );
  });

  it("of random bytes and text end one call at most, and disturb no other", async () => {
    const setup = setUp();
    const quiet = await connectPage(setup);
    const heard = collect(quiet.call);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.string(), fc.uint8Array({ maxLength: 2000 })), { maxLength: 200 }),
        async (frames) => {
          const { socket } = await openPage(setup);
          for (const frame of frames) socket.send(frame);
          send(socket, { type: "hang_up" });
          await socket.closed;
        },
      ),
    );
    quiet.socket.send(FRAME);
    await setup.clock.advance(0);
    expect(heard).toMatchObject([{ type: "audio" }]);
  });
});

describe("the page", () => {
  it("says what it runs on, as the server knows it", async () => {
    const { browser, host } = setUp({ hint: "Say: a table for two" });
    const agent = { name: "Trattoria", llm: "Scripted dialogue", stt: "Vosk" };
    const response = await browser.handle(new Request(`${ORIGIN}/info`), { ...host, agent });
    expect(await response?.json()).toEqual({
      title: "Trattoria",
      hint: "Say: a table for two",
      models: { llm: "Scripted dialogue", stt: "Vosk" },
    });
  });

  it("leaves other paths to others", async () => {
    const { browser, host } = setUp();
    expect(await browser.handle(new Request(`${ORIGIN}/webhook`), host)).toBeUndefined();
    expect(await browser.handle(new Request(`${ORIGIN}/../package.json`), host)).toBeUndefined();
    expect(browser.upgrade(new Request(`${ORIGIN}/media`), host)).toBeUndefined();
    expect((await browser.handle(new Request(`${ORIGIN}/info`, { method: "DELETE" }), host))?.status).toBe(405);
  });
});
