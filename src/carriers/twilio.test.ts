import { createHmac } from "node:crypto";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MULAW_8K } from "../core/audio-frame.js";
import type { CarrierHost, IncomingCall } from "../core/carrier.js";
import { VirtualClock } from "../core/clock.js";
import { CarrierError, ConfigError, TransferError } from "../core/errors.js";
import { silentLogger } from "../core/logger.js";
import type { TransportEvent } from "../core/transport.js";
import { type PairedSocket, socketPair } from "../testing/socket-pair.js";
import { Twilio, type TwilioOptions } from "./twilio.js";

const TOKEN = "auth-token";
const PUBLIC_URL = "https://agent.example.com";
const MEDIA = { encoding: "audio/x-mulaw", sampleRate: 8000, channels: 1 };

interface RestRequest {
  readonly method: string;
  readonly path: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** Twilio's side of the wire, as far as a test plays it. */
class Rig {
  readonly clock = new VirtualClock();
  readonly calls: IncomingCall[] = [];
  readonly requests: RestRequest[] = [];
  readonly host: CarrierHost;
  readonly twilio: Twilio;
  /** What the REST API answers: a status and a body, or what it throws. */
  answers: (() => Response)[] = [];
  isDraining = false;
  #streams = 0;

  constructor(options: TwilioOptions = {}) {
    const isDraining = (): boolean => this.isDraining;
    this.host = {
      clock: this.clock,
      logger: silentLogger,
      publicUrl: PUBLIC_URL,
      phoneNumber: "+15550001234",
      managesWebhook: true,
      get isDraining() {
        return isDraining();
      },
      incoming: (call) => this.calls.push(call),
    };
    this.twilio = new Twilio({ accountSid: "AC1", authToken: TOKEN, fetch: this.#fetch, ...options });
  }

  open(): Promise<AsyncDisposable> {
    return this.clock.runUntil(this.twilio.open(this.host, new AbortController().signal));
  }

  /** A webhook, signed as Twilio would; its TwiML or empty body, and its status. */
  async post(path: string, fields: Record<string, string>, headers: Record<string, string> = {}) {
    const form = new URLSearchParams({ AccountSid: "AC1", ...fields });
    const request = new Request(`http://127.0.0.1:8000${path}`, {
      method: "POST",
      body: form,
      headers: { "x-twilio-signature": sign(PUBLIC_URL + path, form), ...headers },
    });
    const response = await this.twilio.handle(request, this.host);
    return { status: response?.status, text: (await response?.text()) ?? "" };
  }

  voice(callSid = "CA1", path = "/webhooks/twilio/voice"): Promise<{ status: number | undefined; text: string }> {
    return this.post(path, {
      CallSid: callSid,
      From: "+15557654321",
      To: "+15550001234",
      Direction: "inbound",
      CallStatus: "ringing",
    });
  }

  /** A socket at the address of a TwiML, or why it was refused. */
  connect(twiml: string, change: { readonly signed?: string; readonly path?: string } = {}): PairedSocket | string {
    const path = change.path ?? new URL(streamUrl(twiml)).pathname;
    const headers = { "x-twilio-signature": sign(change.signed ?? `wss://agent.example.com${path}`) };
    const decision = this.twilio.upgrade(new Request(`http://127.0.0.1:8000${path}`, { headers }), this.host);
    if (decision === undefined) return "not mine";
    if (!decision.accepted) return `${decision.status} ${decision.reason}`;
    const [server, socket] = socketPair();
    decision.run(server);
    return socket;
  }

  /** A stream that has begun. */
  async stream(twiml: string, callSid = "CA1", mediaFormat: object = MEDIA): Promise<PairedSocket> {
    const socket = this.connect(twiml);
    if (typeof socket === "string") throw new Error(socket);
    const streamSid = `MZ${++this.#streams}`;
    const start = { streamSid, accountSid: "AC1", callSid, tracks: ["inbound"], customParameters: {}, mediaFormat };
    send(socket, { event: "connected", protocol: "Call", version: "1.0.0" });
    send(socket, { event: "start", sequenceNumber: "1", start, streamSid });
    await this.clock.advance(0);
    return socket;
  }

  /** A call that is connected: its stream, and the call as the server has it. */
  async call(callSid = "CA1"): Promise<{ socket: PairedSocket; call: IncomingCall; received: TransportEvent[] }> {
    const socket = await this.stream((await this.voice(callSid)).text, callSid);
    const call = this.calls.at(-1);
    if (call === undefined) throw new Error("no call");
    const received: TransportEvent[] = [];
    void (async () => {
      for await (const event of call.transport.received) received.push(event);
    })();
    return { socket, call, received };
  }

  readonly #fetch: typeof fetch = async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    expect(new Headers(init?.headers).get("authorization")).toBe(`Basic ${btoa(`AC1:${TOKEN}`)}`);
    const fields = Object.fromEntries(new URLSearchParams(init?.method === "GET" ? url.search : (init?.body as string)));
    this.requests.push({ method: init?.method ?? "", path: url.pathname.replace("/2010-04-01/Accounts/AC1", ""), fields });
    return (this.answers.shift() ?? (() => Response.json({})))();
  };
}

function sign(url: string, form = new URLSearchParams()): string {
  const fields = [...form].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => name + value);
  return createHmac("sha1", TOKEN)
    .update(url + fields.join(""))
    .digest("base64");
}

function streamUrl(twiml: string): string {
  return /<Stream url="([^"]+)"/.exec(twiml)?.[1] ?? "no stream";
}

function send(socket: PairedSocket, message: object): void {
  socket.send(JSON.stringify(message));
}

function sent(
  socket: PairedSocket,
): { event: string; streamSid: string; media?: { payload: string }; mark?: { name: string } }[] {
  const queue = socket.messages as AsyncIterable<string> & { drain(): string[] };
  return queue.drain().map((text) => JSON.parse(text));
}

const refusal =
  (status: number, code: number, headers: Record<string, string> = {}) =>
  () =>
    Response.json({ code, message: "No call to +15557654321 here", status }, { status, headers });
const HANG_UP = expect.stringContaining("<Response><Hangup/></Response>");

describe("Twilio", () => {
  beforeEach(() => {
    vi.stubEnv("TWILIO_ACCOUNT_SID", "");
    vi.stubEnv("TWILIO_AUTH_TOKEN", "");
  });
  afterEach(() => vi.unstubAllEnvs());

  it("reads its credentials from the environment", () => {
    expect(() => new Twilio()).toThrow(
      new ConfigError("Twilio needs a credential: pass { accountSid } or set TWILIO_ACCOUNT_SID."),
    );
    vi.stubEnv("TWILIO_ACCOUNT_SID", "AC1");
    expect(() => new Twilio()).toThrow("Twilio needs a credential: pass { authToken } or set TWILIO_AUTH_TOKEN.");
    vi.stubEnv("TWILIO_AUTH_TOKEN", "secret");
    expect(new Twilio().name).toBe("twilio");
  });

  it.each<[string, object, string]>([
    ["an API key as the account", { accountSid: "SK1" }, 'accountSid "SK1": pass the one of the account, which begins with AC'],
    ["a limit of no calls", { maxConcurrentCalls: 0 }, "{ maxConcurrentCalls: 0 }: pass a whole number above 0"],
    ["a country's name", { transferNumbers: ["US"] }, 'transferNumbers of Twilio holds "US"'],
    ["an address that is none", { baseUrl: "api" }, '{ baseUrl: "api" }'],
    ["what it does not know", { region: "ie1" }, 'There is no Twilio option "region"'],
  ])("refuses %s", (_, options, message) => {
    const make = (): unknown => new Twilio({ accountSid: "AC1", authToken: TOKEN, ...options });
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(message);
  });

  it("needs a public https address, and a number unless it is managed elsewhere", () => {
    const { twilio } = new Rig();
    const setup = { managesWebhook: true, phoneNumber: "+15550001234", publicUrl: PUBLIC_URL };
    expect(() => twilio.check(setup)).not.toThrow();
    expect(() => twilio.check({ ...setup, publicUrl: "http://127.0.0.1:8000" })).not.toThrow();
    expect(() => twilio.check({ managesWebhook: false, publicUrl: PUBLIC_URL })).not.toThrow();
    expect(() => twilio.check({ managesWebhook: true, phoneNumber: "+15550001234" })).toThrow(
      'Twilio must be able to reach this server: pass serve({ webhookUrl: "https://agent.example.com" })',
    );
    expect(() => twilio.check({ ...setup, publicUrl: "http://agent.example.com" })).toThrow("as an https address");
    expect(() => twilio.check({ managesWebhook: true, publicUrl: PUBLIC_URL })).toThrow("pass phoneNumber to Patter");
  });

  it("points its number at the server", async () => {
    const rig = new Rig();
    rig.answers = [
      () => Response.json({ incoming_phone_numbers: [{ sid: "PN1", phone_number: "+15550001234" }] }),
      () => Response.json({}),
    ];
    await rig.open();
    expect(rig.requests).toEqual([
      { method: "GET", path: "/IncomingPhoneNumbers.json", fields: { PhoneNumber: "+15550001234" } },
      {
        method: "POST",
        path: "/IncomingPhoneNumbers/PN1.json",
        fields: {
          VoiceUrl: `${PUBLIC_URL}/webhooks/twilio/voice`,
          VoiceMethod: "POST",
          StatusCallback: `${PUBLIC_URL}/webhooks/twilio/status`,
          StatusCallbackMethod: "POST",
        },
      },
    ]);
  });

  it("takes its number from an application, and leaves it to a SIP trunk", async () => {
    const rig = new Rig();
    const listed = (more: object) => () =>
      Response.json({ incoming_phone_numbers: [{ sid: "PN1", phone_number: "+15550001234", ...more }] });
    rig.answers = [listed({ voice_application_sid: "AP1", trunk_sid: null }), () => Response.json({})];
    await rig.open();
    expect(rig.requests[1]?.fields["VoiceApplicationSid"]).toBe("");
    rig.answers = [listed({ trunk_sid: "TK1" })];
    await expect(rig.open()).rejects.toThrow("The number +1555*****34 belongs to a SIP trunk");
  });

  it("says that a number is not the account's, or that the credential is refused", async () => {
    const opening = (answer: () => Response): Promise<AsyncDisposable> => {
      const rig = new Rig();
      rig.answers = [answer];
      return rig.open();
    };
    await expect(opening(() => Response.json({ incoming_phone_numbers: [] }))).rejects.toThrow(
      "The Twilio account AC1 has no number +1555*****34",
    );
    await expect(opening(refusal(401, 20_003))).rejects.toThrow(
      "Twilio did not look the number up (401, 20003: No call to +1555*****21 here). Check accountSid and authToken",
    );
  });

  it("asks again when Twilio limits its requests, as late as it is told", async () => {
    const rig = new Rig();
    rig.answers = [refusal(429, 20_429, { "retry-after": "2" }), () => Response.json({ incoming_phone_numbers: [] })];
    await expect(rig.open()).rejects.toThrow("has no number");
    expect(rig.clock.now()).toBe(2000);
    expect(rig.requests).toHaveLength(2);
  });
});

describe("a call that comes in", () => {
  it("is answered with a stream at an address of its own, and the way back should that end", async () => {
    const rig = new Rig();
    const { text } = await rig.voice();
    expect(text).toMatch(
      /^<\?xml version="1.0" encoding="UTF-8"\?><Response><Connect><Stream url="wss:\/\/agent\.example\.com\/ws\/twilio\/[\w-]{32}"\/><\/Connect><Redirect method="POST">https:\/\/agent\.example\.com\/webhooks\/twilio\/continue<\/Redirect><\/Response>$/,
    );
    const { call } = await rig.call("CA2");
    expect(call).toMatchObject({ callId: "CA2", from: "+15557654321", to: "+15550001234", direction: "inbound" });
    expect(call.transport.format).toEqual(MULAW_8K);
    expect(call.transport.playout).toBe("marks");
  });

  it("passes the query of its webhook on, and the headers of a SIP caller", async () => {
    const rig = new Rig();
    const fields = { CallSid: "CA1", From: "sip:a@b.example", To: "+15550001234", "SipHeader_X-Tenant": "7" };
    const { text } = await rig.post("/webhooks/twilio/voice?shop=north", fields);
    await rig.stream(text);
    expect(rig.calls[0]?.customParameters).toEqual({ shop: "north", "X-Tenant": "7" });
  });

  it("may have been placed by the program itself", async () => {
    const rig = new Rig();
    const fields = { CallSid: "CA1", From: "+442071838750", To: "+15557654321", Direction: "outbound-api" };
    await rig.stream((await rig.post("/webhooks/twilio/voice", fields)).text);
    const [call] = rig.calls;
    expect(call).toMatchObject({ direction: "outbound", from: "+442071838750" });
    await expect(call?.control.transfer("+15550009999")).rejects.toThrow("it is not among the allowed numbers (+44)");
  });

  it("to a SIP address may be transferred within the country of the server's number", async () => {
    const rig = new Rig();
    const fields = { CallSid: "CA1", From: "+15557654321", To: "sip:agent@example.com", Direction: "inbound" };
    await rig.stream((await rig.post("/webhooks/twilio/voice", fields)).text);
    await expect(rig.calls[0]?.control.transfer("+442071838750")).rejects.toThrow("allowed numbers (+1)");
  });

  it("can come as a GET, signed with its query", async () => {
    const rig = new Rig();
    const path = "/webhooks/twilio/voice?CallSid=CA1&From=%2B15557654321&To=%2B15550001234";
    const get = (signature: string): Request =>
      new Request(`http://127.0.0.1:8000${path}`, { headers: { "x-twilio-signature": signature } });
    expect((await rig.twilio.handle(get(sign(PUBLIC_URL + path)), rig.host))?.status).toBe(200);
    expect((await rig.twilio.handle(get(sign(PUBLIC_URL)), rig.host))?.status).toBe(403);
  });

  it("is refused when Twilio did not sign it", async () => {
    const rig = new Rig();
    const fields = { CallSid: "CA1" };
    for (const path of ["voice", "status", "continue", "dialled", "answered"].map((name) => `/webhooks/twilio/${name}`)) {
      const bad = await rig.post(path, fields, { "x-twilio-signature": "AAAA" });
      expect(bad.status).toBe(403);
      const unsigned = new Request(`${PUBLIC_URL}${path}`, { method: "POST", body: new URLSearchParams(fields) });
      expect((await rig.twilio.handle(unsigned, rig.host))?.status).toBe(403);
    }
    expect(await rig.twilio.handle(new Request(`${PUBLIC_URL}/`), rig.host)).toBeUndefined();
    expect((await rig.post("/webhooks/twilio/voice", {})).status).toBe(400);
  });

  it("is turned away with a busy tone or a message, above the limit and while the server drains", async () => {
    const rig = new Rig({ maxConcurrentCalls: 1 });
    const { call } = await rig.call("CA1");
    expect((await rig.voice("CA2")).text).toContain('<Response><Reject reason="busy"/></Response>');
    await call.transport[Symbol.asyncDispose]();
    expect((await rig.voice("CA2")).text).toContain("<Stream");
    const other = new Rig({ busyMessage: "We're full: <call> later." });
    other.isDraining = true;
    expect((await other.voice()).text).toContain("<Response><Say>We&apos;re full: &lt;call&gt; later.</Say><Hangup/></Response>");
  });
});

describe("a stream's socket", () => {
  it("is accepted with Twilio's signature and a token that was not used", async () => {
    const rig = new Rig();
    const { text } = await rig.voice();
    expect(rig.connect(text, { signed: streamUrl(text).replace("wss", "https") })).toMatch(/^403 .*sign/);
    expect(rig.connect(text, { path: "/ws/twilio/unknown" })).toMatch(/^403 .*token/);
    expect(rig.connect(text, { path: "/ws/other" })).toBe("not mine");
    expect(typeof rig.connect(text)).toBe("object");
    expect(rig.connect(text)).toMatch(/^403 .*token/);
  });

  it("is refused with a token that is a minute old", async () => {
    const rig = new Rig();
    const late = await rig.voice();
    await rig.clock.advance(60_000);
    expect(rig.connect(late.text)).toMatch(/^403/);
  });

  it("has one token, however often Twilio asks before it is used, and another one afterwards", async () => {
    const rig = new Rig();
    const [first, second] = [await rig.voice(), await rig.voice()];
    expect(streamUrl(second.text)).toBe(streamUrl(first.text));
    expect(typeof rig.connect(first.text)).toBe("object");
    expect(streamUrl((await rig.voice()).text)).not.toBe(streamUrl(first.text));
  });

  it.each([
    ["names another call", "CA9", MEDIA],
    ["carries other audio", "CA1", { ...MEDIA, sampleRate: 16_000 }],
  ])("is closed when its start %s", async (_, callSid, mediaFormat) => {
    const rig = new Rig();
    const socket = await rig.stream((await rig.voice()).text, callSid, mediaFormat);
    expect((await socket.closed).code).toBeGreaterThanOrEqual(1003);
    expect(rig.calls).toEqual([]);
  });

  it("is closed when no start comes within ten seconds, and the call is given up after a minute", async () => {
    const rig = new Rig({ maxConcurrentCalls: 1 });
    const socket = rig.connect((await rig.voice()).text) as PairedSocket;
    await rig.clock.advance(10_000);
    expect(await socket.closed).toEqual({ code: 1008, reason: "no start in time" });
    await rig.clock.advance(50_000);
    expect((await rig.voice("CA2")).text).toContain("<Stream");
  });

  it("bears whatever comes, and leaves nothing behind", async () => {
    const known = fc.constantFrom(
      { event: "connected" },
      { event: "start", start: { streamSid: "MZ9", callSid: "CA1", mediaFormat: MEDIA } },
      { event: "start", start: { streamSid: "MZ9", callSid: "CA2", mediaFormat: MEDIA } },
      { event: "media", media: { track: "inbound", payload: "/////w==" } },
      { event: "dtmf", dtmf: { digit: "1" } },
      { event: "mark", mark: { name: "tones-0" } },
      { event: "stop" },
    );
    const messages = fc.array(
      fc.oneof(
        known.map((message) => JSON.stringify(message)),
        fc.string(),
        fc.json(),
      ),
      { maxLength: 20 },
    );
    await fc.assert(
      fc.asyncProperty(messages, async (texts) => {
        const rig = new Rig();
        const { socket, call } = await rig.call();
        for (const text of texts) {
          socket.send(text);
          call.transport.send({ format: MULAW_8K, bytes: new Uint8Array(160) });
          void call.control.sendDtmf("1").catch(() => {});
        }
        await rig.clock.advance(1000);
        await rig.clock.runUntil(call.control.hangUp());
        await rig.clock.advance(60_000);
        expect(rig.calls).toHaveLength(1);
        expect(rig.clock.pendingTimers).toBe(0);
      }),
    );
  });

  it("is closed after fifty messages that are none", async () => {
    const rig = new Rig();
    const { socket } = await rig.call();
    for (let count = 0; count < 50; count++) socket.send(new Uint8Array(160));
    await rig.clock.advance(0);
    expect((await socket.closed).code).toBe(1008);
  });

  it("leads to a busy line no more than three times when none of the streams begins", async () => {
    const rig = new Rig();
    for (const attempt of [1, 2, 3]) {
      const next = attempt === 1 ? await rig.voice() : await rig.post("/webhooks/twilio/continue", { CallSid: "CA1" });
      expect(next.text).toContain("<Stream");
    }
    expect((await rig.post("/webhooks/twilio/continue", { CallSid: "CA1" })).text).toEqual(HANG_UP);
  });
});

describe("a call's media", () => {
  it("passes through untouched in both directions", async () => {
    const rig = new Rig();
    const { socket, call, received } = await rig.call();
    const audio = Uint8Array.from({ length: 160 }, (_, index) => index);
    const payload = Buffer.from(audio).toString("base64");
    send(socket, {
      event: "media",
      sequenceNumber: "2",
      media: { track: "inbound", chunk: "1", timestamp: "20", payload },
      streamSid: "MZ1",
    });
    send(socket, { event: "dtmf", streamSid: "MZ1", sequenceNumber: "3", dtmf: { track: "inbound_track", digit: "5" } });
    call.transport.send({ format: MULAW_8K, bytes: audio });
    call.transport.mark("1-160");
    call.transport.clear();
    send(socket, { event: "mark", sequenceNumber: "4", streamSid: "MZ1", mark: { name: "1-160" } });
    await rig.clock.advance(0);
    expect(received.map((event) => (event.type === "audio" ? Uint8Array.from(event.frame.bytes) : event))).toEqual([
      audio,
      { type: "dtmf", digit: "5" },
      { type: "mark", name: "1-160" },
    ]);
    expect(sent(socket)).toEqual([
      { event: "media", streamSid: "MZ1", media: { payload } },
      { event: "mark", streamSid: "MZ1", mark: { name: "1-160" } },
      { event: "clear", streamSid: "MZ1" },
    ]);
  });

  it("goes on over another stream when Twilio asks what is next", async () => {
    const rig = new Rig();
    const { socket, call, received } = await rig.call();
    socket.close(1006);
    await rig.clock.advance(4000);
    call.transport.send({ format: MULAW_8K, bytes: new Uint8Array(160) });
    const second = await rig.stream((await rig.post("/webhooks/twilio/continue", { CallSid: "CA1" })).text);
    call.transport.mark("2-0");
    await rig.clock.advance(60_000);
    expect(received).toEqual([{ type: "restarted" }]);
    expect(rig.calls).toHaveLength(1);
    expect(sent(second)).toEqual([{ event: "mark", streamSid: "MZ2", mark: { name: "2-0" } }]);
  });

  it("goes on over a stream that replaces one that is still open, of which nothing more is taken", async () => {
    const rig = new Rig();
    const { socket, received } = await rig.call();
    const second = await rig.stream((await rig.voice()).text);
    send(socket, { event: "dtmf", dtmf: { digit: "1" } });
    send(second, { event: "dtmf", dtmf: { digit: "2" } });
    await rig.clock.advance(10_000);
    expect(await socket.closed).toMatchObject({ code: 1000 });
    expect(received).toEqual([{ type: "restarted" }, { type: "dtmf", digit: "2" }]);
  });

  it("drops a stream that is not read, and waits for another", async () => {
    const rig = new Rig();
    const clock = rig.clock;
    const decided = rig.connect((await rig.voice()).text);
    if (typeof decided === "string") throw new Error(decided);
    // The server's end of the pair is the one that stalls.
    const [server, socket] = socketPair();
    const again = await rig.voice();
    const path = new URL(streamUrl(again.text)).pathname;
    const headers = { "x-twilio-signature": sign(`wss://agent.example.com${path}`) };
    const decision = rig.twilio.upgrade(new Request(`${PUBLIC_URL}${path}`, { headers }), rig.host);
    if (decision?.accepted === true) decision.run(server);
    const start = { streamSid: "MZ7", callSid: "CA1", mediaFormat: MEDIA };
    send(socket, { event: "start", start });
    await clock.advance(0);
    server.stalled = true;
    const { transport } = rig.calls[0] as IncomingCall;
    for (let second = 0; second < 120; second++) transport.send({ format: MULAW_8K, bytes: new Uint8Array(8000) });
    expect((await socket.closed).code).toBe(1013);
  });
});

describe("the end of a call", () => {
  it("comes with the stop of its stream, unless another begins soon", async () => {
    const rig = new Rig();
    const { socket, received } = await rig.call();
    send(socket, { event: "stop", stop: { accountSid: "AC1", callSid: "CA1" } });
    await rig.clock.advance(1999);
    expect(received).toEqual([]);
    await rig.clock.advance(1);
    expect(received).toEqual([{ type: "closed", reason: "caller" }]);
    expect((await rig.post("/webhooks/twilio/continue", { CallSid: "CA1" })).text).toEqual(HANG_UP);
  });

  it("comes at once with the status, once, however often and late it is reported", async () => {
    const rig = new Rig();
    const { socket, received } = await rig.call();
    for (const CallStatus of ["in-progress", "completed", "completed", "in-progress"])
      expect((await rig.post("/webhooks/twilio/status", { CallSid: "CA1", CallStatus })).status).toBe(204);
    await rig.clock.advance(0);
    expect(received).toEqual([{ type: "closed", reason: "caller" }]);
    expect(await socket.closed).toMatchObject({ code: 1000 });
  });

  it("comes when the socket breaks and no stream follows within five seconds", async () => {
    const rig = new Rig();
    const { socket, received } = await rig.call();
    socket.close(1006);
    await rig.clock.advance(5000);
    expect(received).toEqual([{ type: "closed", reason: "lost" }]);
    expect(rig.clock.pendingTimers).toBe(0);
  });

  it("can be asked for: Twilio is told, and told again where it asks what is next", async () => {
    const rig = new Rig();
    const { socket, call, received } = await rig.call();
    await rig.clock.runUntil(call.control.hangUp());
    await call.control.hangUp();
    expect(rig.requests).toEqual([{ method: "POST", path: "/Calls/CA1.json", fields: { Status: "completed" } }]);
    expect(received).toEqual([{ type: "closed", reason: "local" }]);
    expect(await socket.closed).toMatchObject({ code: 1000 });
    expect((await rig.post("/webhooks/twilio/continue", { CallSid: "CA1" })).text).toEqual(HANG_UP);
    expect(rig.clock.pendingTimers).toBe(0);
  });

  it("is as good when the call was over already", async () => {
    const rig = new Rig();
    for (const [callSid, answer] of [
      ["CA1", refusal(404, 20_404)],
      ["CA2", refusal(400, 21_220)],
    ] as const) {
      const { call } = await rig.call(callSid);
      rig.answers = [answer];
      await rig.clock.runUntil(call.control.hangUp());
    }
  });

  it("closes the stream also when Twilio cannot be told", async () => {
    const rig = new Rig();
    const { socket, call } = await rig.call();
    rig.answers = [refusal(500, 0), refusal(500, 0), refusal(500, 0)];
    await expect(rig.clock.runUntil(call.control.hangUp())).rejects.toThrow(CarrierError);
    expect(await socket.closed).toMatchObject({ code: 1000 });
  });

  it("comes with the end of the server, and leaves nothing behind", async () => {
    const rig = new Rig();
    rig.answers = [() => Response.json({ incoming_phone_numbers: [{ sid: "PN1", phone_number: "+15550001234" }] })];
    const line = await rig.open();
    const { socket, received } = await rig.call("CA1");
    await rig.voice("CA2");
    await line[Symbol.asyncDispose]();
    await rig.clock.advance(0);
    expect(received).toEqual([{ type: "closed", reason: "local" }]);
    expect(await socket.closed).toMatchObject({ code: 1000 });
    expect(rig.clock.pendingTimers).toBe(0);
  });

  it("leaves other calls alone", async () => {
    const rig = new Rig();
    const first = await rig.call("CA1");
    const second = await rig.call("CA2");
    send(second.socket, { event: "dtmf", dtmf: { digit: "2" } });
    await rig.clock.runUntil(first.call.control.hangUp());
    await rig.clock.advance(10_000);
    expect(second.received).toEqual([{ type: "dtmf", digit: "2" }]);
  });
});

describe("a transfer", () => {
  const dial = (text: string): RegExpExecArray | null =>
    /<Dial timeout="30" action="([^"]+)" method="POST"><Number statusCallbackEvent="answered" statusCallback="([^"]+)" statusCallbackMethod="POST">([^<]+)<\/Number><\/Dial>/.exec(
      text,
    );

  it("dials the number, and is done when it answers", async () => {
    const rig = new Rig();
    const { socket, call, received } = await rig.call();
    const transferred = call.control.transfer("+15550009999");
    await rig.clock.advance(0);
    const [, action, answered, number] = dial(rig.requests[0]?.fields["Twiml"] ?? "") ?? [];
    expect([action, answered, number]).toEqual([
      `${PUBLIC_URL}/webhooks/twilio/dialled`,
      `${PUBLIC_URL}/webhooks/twilio/answered`,
      "+15550009999",
    ]);
    send(socket, { event: "stop" });
    await rig.clock.advance(20_000);
    await rig.post("/webhooks/twilio/answered", { CallSid: "CA8", ParentCallSid: "CA1", CallStatus: "in-progress" });
    await transferred;
    await call.transport[Symbol.asyncDispose]();
    expect(received).toEqual([{ type: "closed", reason: "local" }]);
    expect(rig.requests).toHaveLength(1);
    const over = await rig.post("/webhooks/twilio/dialled", { CallSid: "CA1", DialCallStatus: "completed" });
    expect(over.text).toEqual(HANG_UP);
    expect(rig.clock.pendingTimers).toBe(0);
  });

  it.each([
    ["busy", "busy"],
    ["no-answer", "no_answer"],
    ["failed", "failed"],
    ["canceled", "failed"],
  ] as const)("that ends with %s gives the caller back to the agent", async (DialCallStatus, outcome) => {
    const rig = new Rig();
    const { socket, call, received } = await rig.call();
    const failed = call.control.transfer("+15550009999").catch((error: unknown) => error);
    await rig.clock.advance(0);
    send(socket, { event: "stop" });
    await rig.clock.advance(25_000);
    const next = await rig.post("/webhooks/twilio/dialled", { CallSid: "CA1", CallStatus: "in-progress", DialCallStatus });
    const error = await failed;
    expect(error).toBeInstanceOf(TransferError);
    expect(error).toMatchObject({ code: "carrier", outcome });
    await rig.stream(next.text);
    await rig.clock.advance(60_000);
    expect(received).toEqual([{ type: "restarted" }]);
  });

  it.each([
    ["it is not among the allowed numbers (+1)", "+442071838750"],
    ["it is in a premium range", "+19005550100"],
    ["it is no E.164 number", "911"],
  ])("is refused where %s", async (reason, number) => {
    const rig = new Rig();
    const { call, received } = await rig.call();
    const refused = expect(call.control.transfer(number)).rejects;
    await refused.toMatchObject({ outcome: "refused", message: expect.stringContaining(reason) });
    await rig.clock.advance(60_000);
    expect(rig.requests).toEqual([]);
    expect(received).toEqual([]);
  });

  it("goes where the options allow, and nowhere else", async () => {
    const rig = new Rig({ transferNumbers: ["+442071838750"] });
    const { call } = await rig.call();
    await expect(call.control.transfer("+15550009999")).rejects.toMatchObject({ outcome: "refused" });
    const transferred = call.control.transfer("+442071838750");
    await expect(call.control.transfer("+442071838750")).rejects.toThrow("being transferred already");
    await rig.clock.advance(0);
    await rig.post("/webhooks/twilio/dialled", { CallSid: "CA1", DialCallStatus: "completed" });
    await transferred;
  });

  it("that Twilio refuses leaves the call as it was", async () => {
    const rig = new Rig();
    const { call, received } = await rig.call();
    rig.answers = [refusal(400, 21_220)];
    await expect(rig.clock.runUntil(call.control.transfer("+15550009999"))).rejects.toThrow("Twilio did not transfer the call");
    await rig.clock.advance(60_000);
    expect(received).toEqual([]);
  });

  it("fails when nobody reports what became of it, or the caller hangs up meanwhile", async () => {
    const rig = new Rig();
    const first = await rig.call("CA1");
    const lost = expect(first.call.control.transfer("+15550009999")).rejects.toThrow("Twilio reported no outcome");
    await rig.clock.advance(50_000);
    await lost;
    const second = await rig.call("CA2");
    const hungUp = expect(second.call.control.transfer("+15550009999")).rejects.toThrow("it has ended");
    await rig.post("/webhooks/twilio/status", { CallSid: "CA2", CallStatus: "completed" });
    await hungUp;
    await rig.clock.advance(0);
    expect(second.received).toEqual([{ type: "closed", reason: "caller" }]);
    await expect(second.call.control.transfer("+15550009999")).rejects.toThrow("it has ended");
  });
});

describe("keys that are sent", () => {
  it("are tones in the line, and have been sent when they were played", async () => {
    const rig = new Rig();
    const { socket, call, received } = await rig.call();
    let isDone = false;
    const done = call.control.sendDtmf("1w#").then(() => {
      isDone = true;
    });
    const messages = sent(socket);
    const lengths = messages.flatMap(({ media }) => (media === undefined ? [] : [Buffer.from(media.payload, "base64").length]));
    expect(lengths.every((length) => length % 160 === 0 && length <= 1600)).toBe(true);
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBe((200 + 500 + 200) * 8);
    const mark = messages.at(-1);
    await rig.clock.advance(0);
    expect(isDone).toBe(false);
    send(socket, { event: "mark", mark: mark?.mark });
    await rig.clock.advance(0);
    await done;
    expect(received).toEqual([]);
  });

  it("are refused where they are none, and lost with their stream", async () => {
    const rig = new Rig();
    const { socket, call } = await rig.call();
    await expect(call.control.sendDtmf("1-2")).rejects.toThrow("use 0-9 * # A-D");
    const lost = expect(call.control.sendDtmf("1")).rejects.toThrow("their stream has ended");
    socket.close(1006);
    await rig.clock.advance(0);
    await lost;
    await expect(call.control.sendDtmf("1")).rejects.toThrow("no stream");
    await rig.clock.advance(60_000);
    expect(rig.clock.pendingTimers).toBe(0);
  });
});
