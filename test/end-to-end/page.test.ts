import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { DtmfDetector, dtmfTones } from "../../src/audio/dtmf-tones.js";
import { bytesOf, decodeFrame } from "../../src/audio/pcm.js";
import { writeWav } from "../../src/audio/wav.js";
import { Browser, type BrowserOptions } from "../../src/carriers/browser.js";
import { type AudioFormat, MULAW_8K, PCM16_16K } from "../../src/core/audio-frame.js";
import type { CallEventBody } from "../../src/core/call-event.js";
import type { IncomingCall } from "../../src/core/carrier.js";
import { systemClock } from "../../src/core/clock.js";
import { silentLogger } from "../../src/core/logger.js";
import { deferred } from "../../src/core/signals.js";
import type { TransportEvent } from "../../src/core/transport.js";
import { type Server, startServer } from "../../src/server/server.js";
import { openPhone, type PhoneOptions, type PhonePage } from "../page/browser.js";

const CALLER_KEYS = "159#";
const AGENT_KEYS = "2580*";
const PACE_MS = 100;

let folder: string;
let callerWav: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "page-"));
  callerWav = join(folder, "caller.wav");
  // Silence first: the file begins to play when the browser opens the microphone, before the call is connected.
  const frames = dtmfTones(`wwww${CALLER_KEYS}ww`, PCM16_16K, { toneMs: 200, gapMs: 200 });
  await writeFile(callerWav, writeWav(PCM16_16K, [Buffer.concat(frames.map((frame) => frame.bytes))]));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A call as a test drives it. */
class TestCall {
  readonly call: IncomingCall;
  readonly events: { readonly event: TransportEvent; readonly atMs: number }[] = [];
  readonly closed = deferred<string>();
  #sequence = 0;

  constructor(call: IncomingCall) {
    this.call = call;
    void this.#read();
  }

  async #read(): Promise<void> {
    for await (const event of this.call.transport.received) {
      this.events.push({ event, atMs: performance.now() });
      if (event.type === "closed") this.closed.resolve(event.reason);
    }
  }

  /** When a mark came back; rejects after a while. */
  async marked(name: string): Promise<number> {
    return (await this.waitFor((event) => event.type === "mark" && event.name === name)).atMs;
  }

  async waitFor(matches: (event: TransportEvent) => boolean): Promise<{ readonly event: TransportEvent; readonly atMs: number }> {
    for (let tries = 0; tries < 1000; tries++) {
      const found = this.events.find(({ event }) => matches(event));
      if (found !== undefined) return found;
      await pause(20);
    }
    throw new Error("The page did not report what was waited for.");
  }

  get heardKeys(): string {
    const { format } = this.call.transport;
    return keysIn(
      this.events.flatMap(({ event }) => (event.type === "audio" ? [decodeFrame(event.frame)] : [])),
      format.sampleRate,
    );
  }

  /** The microphone's loudest sample from `fromMs` on. */
  loudestSince(fromMs: number): number {
    const frames = this.events.flatMap(({ event, atMs }) =>
      event.type === "audio" && atMs >= fromMs ? [decodeFrame(event.frame)] : [],
    );
    return Math.max(...frames.map((samples) => Math.max(...samples)));
  }

  notify(body: CallEventBody): void {
    this.call.control.notify?.({ ...body, callId: this.call.callId, sequence: this.#sequence++, atMs: 0 });
  }

  /** Sends a steady tone as a call does: in pieces, 600 ms ahead at most. */
  async speak(durationMs: number): Promise<void> {
    const { transport } = this.call;
    const frames = toneFrames(durationMs, transport.format);
    for (const [index, frame] of frames.entries()) {
      transport.send(frame);
      if (index >= 600 / PACE_MS) await pause(PACE_MS);
    }
  }
}

function toneFrames(durationMs: number, format: AudioFormat) {
  const samples = new Int16Array((format.sampleRate * PACE_MS) / 1000);
  for (let i = 0; i < samples.length; i++) samples[i] = 8000 * Math.sin((2 * Math.PI * 440 * i) / format.sampleRate);
  return Array.from({ length: durationMs / PACE_MS }, () => ({ format, bytes: bytesOf(samples) }));
}

function keysIn(parts: readonly Int16Array[], sampleRate: number): string {
  const detector = new DtmfDetector(sampleRate);
  return parts.flatMap((samples) => detector.push(samples)).join("");
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** The length of the longest silence between the first and the last sound, and of all the sound, in ms. */
function sound({ samples, sampleRate }: { readonly samples: Int16Array; readonly sampleRate: number }) {
  const windowSamples = sampleRate / 200;
  const loud: boolean[] = [];
  for (let from = 0; from + windowSamples <= samples.length; from += windowSamples) {
    loud.push(samples.subarray(from, from + windowSamples).some((sample) => Math.abs(sample) > 400));
  }
  const inside = loud.slice(loud.indexOf(true), loud.lastIndexOf(true) + 1);
  const gaps = inside
    .map((isLoud) => (isLoud ? "x" : "-"))
    .join("")
    .split("x");
  return { audibleMs: inside.length * 5, longestGapMs: Math.max(0, ...gaps.map((gap) => gap.length)) * 5 };
}

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const resource of opened.splice(0).toReversed()) await resource[Symbol.asyncDispose]();
});

interface Setup {
  readonly server: Server;
  readonly phone: PhonePage;
  /** The next call. */
  readonly nextCall: () => Promise<TestCall>;
}

async function setUp(
  options: { readonly browser?: BrowserOptions; readonly phone?: Partial<PhoneOptions>; readonly name?: string } = {},
) {
  let waiting = deferred<TestCall>();
  const server = await startServer({
    carriers: [new Browser({ title: "Test agent", ...options.browser })],
    clock: systemClock,
    logger: silentLogger,
    port: 0,
    agent: { llm: "Scripted dialogue", stt: "none", tts: "a tone" },
    onCall: (call) => waiting.resolve(new TestCall(call)),
  });
  opened.push(server);
  const phone = await openPhone({ url: server.url, ...options.phone });
  opened.push(phone);
  const nextCall = async (): Promise<TestCall> => {
    waiting = deferred<TestCall>();
    await phone.call();
    return waiting.promise;
  };
  return { server, phone, nextCall } satisfies Setup;
}

describe("audio", () => {
  it.each([
    ["pcm16 at 16 kHz", PCM16_16K],
    ["mu-law at 8 kHz", MULAW_8K],
  ])("goes both ways whole, as %s, and marks come back when it has been heard", async (_, format) => {
    const { phone, nextCall } = await setUp({ browser: { format }, phone: { microphone: callerWav } });
    const call = await nextCall();
    const sentAtMs = performance.now();
    for (const frame of dtmfTones(AGENT_KEYS, format)) call.call.transport.send(frame);
    call.call.transport.mark("keys");
    const heardAfterMs = (await call.marked("keys")) - sentAtMs;
    expect(heardAfterMs).toBeGreaterThan(AGENT_KEYS.length * 200);
    await pause(5000 - heardAfterMs);
    expect(call.heardKeys).toBe(CALLER_KEYS);
    const rendered = await phone.renderedAudio();
    expect(keysIn([rendered.samples], rendered.sampleRate)).toBe(AGENT_KEYS);
    expect(phone.complaints).toEqual([]);
  });

  it("plays without a gap while it is sent in time", async () => {
    const { phone, nextCall } = await setUp();
    const call = await nextCall();
    await call.speak(3000);
    call.call.transport.mark("end");
    await call.marked("end");
    const { audibleMs, longestGapMs } = sound(await phone.renderedAudio());
    expect(longestGapMs).toBeLessThanOrEqual(20);
    expect(audibleMs).toBeGreaterThan(2950);
    expect(await phone.stats()).toMatchObject({ gaps: [], overflows: 0, framesDropped: 0, marksReported: 1 });
  });

  it("stops at once when it is cleared, and goes on with what comes after", async () => {
    const { phone, nextCall } = await setUp();
    const call = await nextCall();
    for (const frame of toneFrames(3000, PCM16_16K)) call.call.transport.send(frame);
    call.call.transport.mark("cleared");
    await pause(700);
    call.call.transport.clear();
    const clearedAtMs = performance.now();
    expect((await call.marked("cleared")) - clearedAtMs).toBeLessThan(300);
    await pause(500);
    const { audibleMs } = sound(await phone.renderedAudio());
    expect(audibleMs).toBeGreaterThan(400);
    expect(audibleMs).toBeLessThan(1000);
    for (const frame of toneFrames(300, PCM16_16K)) call.call.transport.send(frame);
    call.call.transport.mark("after");
    await call.marked("after");
    expect((await phone.stats()).gaps).toEqual([]);
  });
});

describe("the phone", () => {
  it("presses keys, by mouse and by keyboard, and plays those that the agent sends", async () => {
    const { phone, nextCall } = await setUp();
    const call = await nextCall();
    await phone.page.getByRole("button", { name: "Keypad" }).click();
    await phone.page.getByRole("button", { name: "5" }).click();
    await call.waitFor((event) => event.type === "dtmf" && event.digit === "5");
    await pause(300);
    await phone.page.keyboard.press("#");
    await call.waitFor((event) => event.type === "dtmf" && event.digit === "#");
    await pause(300);
    await call.call.control.sendDtmf("9w1");
    await pause(1200);
    const rendered = await phone.renderedAudio();
    expect(keysIn([rendered.samples], rendered.sampleRate)).toBe("5#91");
  });

  it("mutes the microphone, and opens it again", async () => {
    const { phone, nextCall } = await setUp();
    const call = await nextCall();
    const startedMs = performance.now();
    await pause(2500);
    expect(call.loudestSince(startedMs)).toBeGreaterThan(1000);
    await phone.page.getByRole("button", { name: "Mute" }).click();
    const mutedMs = performance.now() + 200;
    await pause(2500);
    expect(call.loudestSince(mutedMs)).toBe(0);
    await phone.page.getByRole("button", { name: "Unmute" }).click();
    const unmutedMs = performance.now();
    await pause(2500);
    expect(call.loudestSince(unmutedMs)).toBeGreaterThan(1000);
  });

  it("shows the conversation: partial words, sentences, and what was heard after a barge-in", async () => {
    const { phone, nextCall } = await setUp();
    const call = await nextCall();
    call.notify({ type: "reply_started", reply: 0, source: "greeting" });
    call.notify({ type: "sentence_ready", reply: 0, text: "Good evening, how can I help?" });
    call.notify({ type: "playout_started", reply: 0 });
    await phone.waitForTranscript(/how can I help/);
    expect(await phone.page.locator(".activity").textContent()).toContain("Speaking");
    call.notify({ type: "transcript_partial", transcript: "a table" });
    await phone.page.locator(".partial", { hasText: "a table" }).waitFor();
    call.notify({ type: "barge_in", reply: 0, transcript: "a table" });
    call.notify({
      type: "reply_ended",
      reply: 0,
      reason: "barge_in",
      text: "Good evening, how can I help?",
      heard: "Good evening, how",
      isEstimated: false,
      audioMs: 900,
    });
    call.notify({ type: "transcript_final", transcript: "a table for two" });
    call.notify({ type: "turn_committed", transcript: "A table for two.", reason: "silence" });
    await phone.waitForTranscript(/A table for two\./);
    expect(await phone.transcript()).toEqual([
      { who: "agent", text: "Good evening, how — interrupted" },
      { who: "caller", text: "A table for two." },
    ]);
    expect(await phone.page.locator(".activity").textContent()).toContain("Thinking");
    await phone.hangUp();
    expect(await phone.transcript()).toHaveLength(2);
  });

  it("says what it calls and what that runs on, and can be used by keyboard alone", async () => {
    const { phone } = await setUp({ browser: { hint: "Say: a table for two" } });
    await phone.page.getByText("Runs on: Scripted dialogue · none · a tone").waitFor();
    await phone.page.getByText("Say: a table for two").waitFor();
    expect(await phone.page.title()).toBe("Test agent");
    await phone.page.keyboard.press("Tab");
    await phone.page.keyboard.press("Enter");
    await phone.page.getByRole("button", { name: "Hang up" }).waitFor();
    expect(await phone.page.evaluate<string>("document.activeElement.id")).toBe("mute");
    await phone.page.keyboard.press("Tab");
    await phone.page.keyboard.press("Tab");
    await phone.page.keyboard.press("Enter");
    await phone.ended();
    expect(await phone.page.evaluate<string>("document.activeElement.id")).toBe("call");
  });

  it("passes the parameters of its address to the call", async () => {
    const { server, phone, nextCall } = await setUp();
    await phone.page.goto(`${server.url}/?customer=42`);
    expect((await nextCall()).call.customParameters).toEqual({ customer: "42" });
  });

  it.each([
    ["a phone", 360, 640],
    ["a desktop", 1280, 800],
  ])("fits the screen of %s", async (_, width, height) => {
    const { phone, nextCall } = await setUp({ phone: { context: { viewport: { width, height } } } });
    const overflow = "[document.documentElement.scrollWidth - innerWidth, document.documentElement.scrollHeight - innerHeight]";
    expect(await phone.page.evaluate(overflow)).toEqual([0, 0]);
    await nextCall();
    await phone.page.getByRole("button", { name: "Keypad" }).click();
    await phone.page.getByRole("button", { name: "hash" }).waitFor();
    expect(await phone.page.evaluate(overflow)).toEqual([0, 0]);
    const hangUp = await phone.page.getByRole("button", { name: "Hang up" }).boundingBox();
    expect((hangUp?.y ?? height) + (hangUp?.height ?? 0)).toBeLessThanOrEqual(height);
  });
});

describe("the end of a call", () => {
  it("comes from the caller, who can call again", async () => {
    const { phone, nextCall } = await setUp();
    const call = await nextCall();
    await phone.hangUp();
    expect(await call.closed.promise).toBe("caller");
    expect(await phone.status()).toMatch(/^You hung up after 0:0\d$/);
    const second = await nextCall();
    await phone.hangUp();
    expect(await second.closed.promise).toBe("caller");
  });

  it("comes from the agent, and the page says so and falls silent", async () => {
    const { phone, nextCall } = await setUp();
    const call = await nextCall();
    for (const frame of toneFrames(2000, PCM16_16K)) call.call.transport.send(frame);
    await pause(500);
    await call.call.control.hangUp();
    expect(await call.closed.promise).toBe("local");
    await phone.ended();
    expect(await phone.status()).toMatch(/^The agent hung up after 0:0\d$/);
    await pause(300);
    expect(sound(await phone.renderedAudio()).audibleMs).toBeLessThan(900);
  });

  it("comes when the page is closed while the agent speaks", async () => {
    const { phone, nextCall } = await setUp();
    const call = await nextCall();
    const spoken = call.speak(2000);
    await pause(300);
    await phone.page.goto("about:blank");
    expect(await call.closed.promise).toBe("caller");
    await spoken;
  });

  it("comes when the browser dies", async () => {
    const { phone, nextCall } = await setUp();
    const call = await nextCall();
    await phone[Symbol.asyncDispose]();
    expect(["caller", "lost"]).toContain(await call.closed.promise);
  });
});

describe("a clear message", () => {
  it("says that the microphone was refused", async () => {
    const { phone } = await setUp({ phone: { permission: "refused" } });
    await phone.pressCall();
    await phone.page.getByRole("alert").getByText("The microphone was refused").waitFor();
  });

  it("says that there is no microphone", async () => {
    const { phone } = await setUp();
    await phone.page.evaluate(
      `navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("Requested device not found", "NotFoundError"))`,
    );
    await phone.pressCall();
    await phone.page.getByRole("alert").getByText("No microphone found").waitFor();
  });

  it("says that the page is insecure", async () => {
    const { server, phone } = await setUp({
      browser: { allowedHosts: ["phone.test"] },
      phone: { flags: ["--host-resolver-rules=MAP phone.test 127.0.0.1"] },
    });
    await phone.page.goto(`http://phone.test:${server.port}`);
    await phone.pressCall();
    await phone.page.getByRole("alert").getByText("The microphone needs a secure page").waitFor();
  });

  it("says that the server is gone, before and during a call", async () => {
    const { server, phone, nextCall } = await setUp();
    await nextCall();
    await server.close();
    await phone.page.getByRole("alert").getByText("The server was stopped").waitFor();
    await phone.pressCall();
    await phone.page.getByRole("alert").getByText("The server does not answer").waitFor();
  });
});

describe("the page's files", () => {
  it("come with their types, a strict policy, and caching that never serves a stale page", async () => {
    const { server } = await setUp();
    const page = await fetch(server.url);
    const html = await page.text();
    expect(page.headers.get("cache-control")).toBe("no-cache");
    expect(page.headers.get("content-security-policy")).toContain("default-src 'self'");
    expect(html).not.toMatch(/<script(?![^>]*src=)|<style|\s(style|on[a-z]+)=/);
    const unchanged = await fetch(server.url, { headers: { "if-none-match": page.headers.get("etag") ?? "" } });
    expect(unchanged.status).toBe(304);
    for (const [, path] of html.matchAll(/(?:src|href)="\.\/(assets\/[^"]+)"/g)) {
      const file = await fetch(`${server.url}/${path}`);
      expect(file.headers.get("content-type")).toMatch(/^(text\/(javascript|css)|image\/svg)/);
      expect(file.headers.get("cache-control")).toContain("immutable");
    }
  });
});
