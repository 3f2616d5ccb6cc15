import { afterEach, describe, expect, test } from "vitest";
import { MULAW_8K } from "../../core/audio-frame.js";
import { type Clock, systemClock, VirtualClock } from "../../core/clock.js";
import { AuthenticationError, ConfigError, ProviderError, ProviderTimeoutError, RateLimitError } from "../../core/errors.js";
import type { TtsEvent, TtsStream } from "../../core/tts.js";
import type { ElevenLabsFailure } from "../../testing/elevenlabs/failures.js";
import { type ElevenLabsServerOptions, ElevenLabsServer } from "../../testing/elevenlabs/server.js";
import { ElevenLabsWebSocketTTS, type ElevenLabsWebSocketTTSOptions } from "../elevenlabs.js";

const disposables: AsyncDisposable[] = [];

afterEach(async () => {
  for (const disposable of disposables.splice(0).toReversed()) await disposable[Symbol.asyncDispose]();
});

async function rig(
  options: {
    readonly server?: ElevenLabsServerOptions;
    readonly tts?: ElevenLabsWebSocketTTSOptions;
    readonly clock?: Clock;
    readonly failures?: readonly ElevenLabsFailure[];
  } = {},
) {
  const clock = options.clock ?? systemClock;
  const server = await ElevenLabsServer.start({ clock, ...options.server });
  server.fail(...(options.failures ?? []));
  const tts = new ElevenLabsWebSocketTTS({ apiKey: "test", baseUrl: server.url, ...options.tts });
  const signal = new AbortController().signal;
  const connection = tts.open({ format: MULAW_8K, language: "en", clock, signal });
  disposables.push(server, connection);
  return { server, tts, connection, speak: (abort = signal) => connection.speak({ signal: abort }) };
}

function say(stream: TtsStream, ...texts: readonly string[]): TtsStream {
  for (const text of texts) {
    stream.write(text);
    stream.flush();
  }
  stream.end();
  return stream;
}

async function eventsOf(stream: TtsStream, events: TtsEvent[] = []): Promise<TtsEvent[]> {
  for await (const event of stream) events.push(event);
  return events;
}

async function failureOf(stream: TtsStream, events: TtsEvent[] = []): Promise<ProviderError> {
  const error = await eventsOf(stream, events).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof ProviderError) return error;
  throw new Error("It did not fail with a ProviderError.");
}

function audioMs(events: readonly TtsEvent[]): number {
  return events.reduce((sum, event) => sum + (event.type === "audio" ? event.frame.bytes.length / 8 : 0), 0);
}

function flushed(events: readonly TtsEvent[]): number[] {
  return events.flatMap((event) => (event.type === "flushed" ? [event.textEnd] : []));
}

/** Lets virtual time pass in steps between which real sockets get their turn. */
async function pass(clock: VirtualClock, ms: number): Promise<void> {
  for (let passedMs = 0; passedMs < ms; passedMs += 500) {
    await clock.advance(500);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe("a call", () => {
  test("has its socket, and a context, before the first reply", async () => {
    const { server } = await rig();
    await expect.poll(() => server.sockets[0]?.messages).toEqual([{ text: " ", context_id: "reply-1" }]);
    expect(server.sockets[0]?.path).toBe(
      "/v1/text-to-speech/EXAVITQu4vr4xnSDxMaL/multi-stream-input?model_id=eleven_flash_v2_5&output_format=ulaw_8000" +
        "&inactivity_timeout=180&auto_mode=true&sync_alignment=true",
    );
  });

  test("speaks each reply in a context of its own, on one socket", async () => {
    const { server, speak } = await rig();
    await eventsOf(say(speak(), "Good morning.", " How are you?"));
    await eventsOf(say(speak(), "Bye."));
    expect(server.sockets).toHaveLength(1);
    await expect
      .poll(() => server.sockets[0]?.messages)
      .toEqual([
        { text: " ", context_id: "reply-1" },
        { text: "Good morning. ", context_id: "reply-1", flush: true },
        { text: "How are you? ", context_id: "reply-1", flush: true },
        { context_id: "reply-1", close_context: true },
        { text: " ", context_id: "reply-2" },
        { text: "Bye. ", context_id: "reply-2", flush: true },
        { context_id: "reply-2", close_context: true },
        { text: " ", context_id: "reply-3" },
      ]);
  });

  test("keeps the socket and the waiting context alive", async () => {
    const clock = new VirtualClock();
    const { server, speak } = await rig({ clock, tts: { inactivityTimeout: 20 } });
    await expect.poll(() => server.sockets[0]?.messages.length).toBe(1);
    await pass(clock, 60_000);
    expect(server.sockets[0]?.closed).toBeUndefined();
    expect(server.sockets[0]?.messages.at(-1)).toEqual({ text: "", context_id: "reply-1" });
    expect(audioMs(await eventsOf(say(speak(), "Hello.")))).toBe(420);
  });

  test("opens the socket again when it breaks between two replies", async () => {
    const clock = new VirtualClock();
    const { server, speak } = await rig({ clock });
    await expect.poll(() => server.sockets.length).toBe(1);
    await pass(clock, 6000);
    server.dropConnections();
    await expect.poll(() => server.sockets.length).toBe(2);
    expect(audioMs(await eventsOf(say(speak(), "Hello.")))).toBe(420);
  });
});

describe("words", () => {
  test("have times since the reply's first sample, although every message counts from its own", async () => {
    const { speak } = await rig({ server: { chunkMs: 100 } });
    const events = await eventsOf(say(speak(), "Good morning.", " Bye now."));
    const words = events.flatMap((event) => (event.type === "words" ? event.words : []));
    // The text is sent with a space at its end, which is spoken as well.
    expect(words).toMatchObject([
      { textStart: 0, textEnd: 4, startMs: 0, endMs: 240 },
      { textStart: 5, textEnd: 13, startMs: 300, endMs: 780 },
      { textStart: 14, textEnd: 17, startMs: 840, endMs: 1020 },
      { textStart: 18, textEnd: 22, startMs: 1080, endMs: 1320 },
    ]);
    expect(flushed(events)).toEqual([13, 22]);
  });

  test("that never come hold no flush up for longer than a second without audio", async () => {
    const clock = new VirtualClock();
    const { server, speak } = await rig({ clock, server: { alignments: false } });
    const stream = speak();
    stream.write("Hello.");
    stream.flush();
    const events: TtsEvent[] = [];
    const ended = eventsOf(stream, events);
    await expect.poll(() => audioMs(events)).toBe(420);
    expect(flushed(events)).toEqual([]);
    await pass(clock, 1000);
    expect(flushed(events)).toEqual([6]);
    stream.end();
    await ended;
    expect(server.sockets).toHaveLength(1);
  });
});

describe("a barge-in", () => {
  test("closes the reply's context at once and has the next one ready", async () => {
    const { server, speak } = await rig({ server: { chunkDelayMs: 20 } });
    const controller = new AbortController();
    const stream = say(speak(controller.signal), "A long sentence that goes on and on and on.");
    for await (const event of stream) if (event.type === "audio") controller.abort();
    await expect
      .poll(() => server.sockets[0]?.messages.slice(-2))
      .toEqual([
        { context_id: "reply-1", close_context: true },
        { text: " ", context_id: "reply-2" },
      ]);
    expect(audioMs(await eventsOf(say(speak(), "Yes?")))).toBe(300);
  });

  test("after barge-in never opens a fifth context on a socket, and all are answered", async () => {
    const { server, speak } = await rig({ server: { firstByteMs: 150 } });
    for (let count = 0; count < 12; count++) {
      const controller = new AbortController();
      const stream = speak(controller.signal);
      stream.write("I was about to say something.");
      stream.flush();
      const ended = eventsOf(stream);
      await new Promise((resolve) => setTimeout(resolve, 10));
      controller.abort();
      await ended;
    }
    expect(audioMs(await eventsOf(say(speak(), "Go on.")))).toBe(420);
    expect(Math.max(...server.sockets.map(({ mostContexts }) => mostContexts))).toBeLessThanOrEqual(4);
    expect(server.sockets.every(({ closed }) => closed?.code !== 1008)).toBe(true);
  });

  test("when the vendor ends no context, the next reply gets another socket", async () => {
    const { server, speak } = await rig({ server: { firstByteMs: 60_000 } });
    for (let count = 0; count < 4; count++) {
      const controller = new AbortController();
      const stream = speak(controller.signal);
      stream.write("I was about to say something.");
      stream.flush();
      await expect.poll(() => server.sockets[0]?.messages.filter(({ flush }) => flush === true).length).toBe(count + 1);
      controller.abort();
    }
    server.fail({ firstByteMs: 0 });
    expect(audioMs(await eventsOf(say(speak(), "Go on.")))).toBe(420);
    expect(server.sockets.map(({ mostContexts }) => mostContexts)).toEqual([4, 1]);
  });
});

describe("a failure", () => {
  test("of the socket before any audio has the text sent again on another", async () => {
    const { server, speak } = await rig({ failures: [{ cutAfterMs: 0 }] });
    const events = await eventsOf(say(speak(), "Hello.", " Again."));
    expect(flushed(events)).toEqual([6, 13]);
    expect(audioMs(events)).toBe(840);
    expect(server.sockets).toHaveLength(2);
  });

  test("of the handshake has what is written meanwhile sent once", async () => {
    const { server, speak } = await rig({ server: { firstByteMs: 200 }, failures: [{ status: 503 }] });
    const stream = speak();
    stream.write("Hello.");
    stream.flush();
    await expect.poll(() => server.connections).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    stream.write(" Again.");
    stream.flush();
    stream.end();
    const events = await eventsOf(stream);
    expect(flushed(events)).toEqual([6, 13]);
    expect(audioMs(events)).toBe(840);
    const texts = server.sockets.flatMap(({ messages }) => messages.filter(({ flush }) => flush === true));
    expect(texts.map(({ text }) => text)).toEqual(["Hello. ", "Again. "]);
  });

  test("in the middle is thrown, keeps what has come, and the next reply is spoken", async () => {
    const { speak } = await rig({ server: { chunkMs: 60 }, failures: [{ cutAfterMs: 360 }] });
    const events: TtsEvent[] = [];
    const error = await failureOf(say(speak(), "Good morning."), events);
    expect(error).toMatchObject({ provider: "elevenlabs", retryable: true });
    expect(audioMs(events)).toBe(360);
    expect(events.find((event) => event.type === "words")).toMatchObject({ words: [{ textStart: 0, textEnd: 4 }] });
    expect(audioMs(await eventsOf(say(speak(), "Hello.")))).toBe(420);
  });

  test("that the vendor names before it closes the socket has that name", async () => {
    const quota = await rig({ failures: [{ closeCode: 1008, code: "quota_exceeded", message: "You have 0 characters left." }] });
    const error = await failureOf(say(quota.speak(), "Hello."));
    expect(error).toMatchObject({ vendorCode: "quota_exceeded", retryable: false });
    expect(error.message).toContain("Buy characters");
    const limit = { closeCode: 1008, code: "too_many_concurrent_requests" } as const;
    const busy = await rig({ failures: [limit, limit] });
    expect(await failureOf(say(busy.speak(), "Hello."))).toBeInstanceOf(RateLimitError);
  });

  test("without a name says how the socket was closed", async () => {
    const { speak } = await rig({ failures: [{ closeCode: 1011 }, { closeCode: 1011 }] });
    expect((await failureOf(say(speak(), "Hello."))).message).toBe(
      "ElevenLabsWebSocketTTS lost its socket: ElevenLabs closed it with 1011. Try again.",
    );
  });

  test("of the handshake is thrown by the reply that needs it, or passes", async () => {
    const refused = await rig({ failures: [{ status: 401 }, { status: 401 }] });
    expect(await failureOf(say(refused.speak(), "Hello."))).toBeInstanceOf(AuthenticationError);
    const spent = { status: 401, code: "quota_exceeded" };
    const poor = await rig({ failures: [spent, spent] });
    const error = await failureOf(say(poor.speak(), "Hello."));
    expect(error).not.toBeInstanceOf(AuthenticationError);
    expect(error.message).toMatch(/\(quota_exceeded: .*\)\. Buy characters, or raise the plan's limit\.$/);
    const passing = await rig({ failures: [{ status: 503 }, { status: 503 }] });
    await expect.poll(() => passing.server.connections).toBeGreaterThan(0);
    expect(audioMs(await eventsOf(say(passing.speak(), "Hello.")))).toBe(420);
  });

  test("of a vendor that says nothing is a timeout after 4 s, and the next reply gets another socket", async () => {
    const clock = new VirtualClock();
    const { server, speak } = await rig({ clock, failures: [{ silentAfterMs: 0 }] });
    const failure = failureOf(say(speak(), "Hello."));
    await expect.poll(() => server.sockets[0]?.messages.length).toBe(3);
    await clock.advance(4000);
    const error = await failure;
    expect(error).toBeInstanceOf(ProviderTimeoutError);
    expect(error.message).toBe("ElevenLabsWebSocketTTS was sent no audio for 4000 ms. Try again, or fall back to another voice.");
    expect(audioMs(await eventsOf(say(speak(), "Hello.")))).toBe(420);
    expect(server.sockets).toHaveLength(2);
    await clock.advance(2000);
  });
});

test("a context that the vendor closed for inactivity is followed by another, with the times going on", async () => {
  const { server, speak } = await rig({ tts: { inactivityTimeout: 20 } });
  const stream = speak();
  const events: TtsEvent[] = [];
  const ended = eventsOf(stream, events);
  stream.write("One.");
  stream.flush();
  await expect.poll(() => flushed(events)).toEqual([4]);
  server.closeContexts();
  await expect.poll(() => server.sockets[0]?.liveContexts).toBe(1);
  stream.write(" Two.");
  stream.flush();
  stream.end();
  await ended;
  expect(events.flatMap((event) => (event.type === "words" ? event.words : []))).toMatchObject([
    { textStart: 0, textEnd: 4, startMs: 0 },
    { textStart: 5, textEnd: 9, startMs: 300 },
  ]);
});

describe("options", () => {
  test("a chunk length schedule is sent, and text as it is written", async () => {
    const { server, speak } = await rig({ tts: { chunkLengthSchedule: [50, 100], voiceSettings: { stability: 0.4 } } });
    const stream = speak();
    stream.write("Good ");
    stream.write("morning.");
    stream.end();
    await eventsOf(stream);
    expect(server.sockets[0]?.path).toContain("auto_mode=false");
    expect(server.sockets[0]?.messages.slice(0, 4)).toEqual([
      {
        text: " ",
        context_id: "reply-1",
        voice_settings: { stability: 0.4 },
        generation_config: { chunk_length_schedule: [50, 100] },
      },
      { text: "Good ", context_id: "reply-1" },
      { text: "morning.", context_id: "reply-1" },
      { text: " ", context_id: "reply-1", flush: true },
    ]);
  });

  test.each([
    [{ modelId: "eleven_v3" }, "offers over HTTP only: use ElevenLabsTTS"],
    [{ inactivityTimeout: 500 }, "inactivityTimeout from 1 to 180 seconds, not 500"],
    [{ chunkLengthSchedule: [10] }, "numbers from 50 to 500, not [10]"],
    [{ chunkLengthSchedule: [50], autoMode: true }, "either autoMode or a chunkLengthSchedule"],
    [{ chunkSize: 512 }, 'option "chunkSize" is not supported yet'],
  ])("%j is refused", (options, message) => {
    const make = () => new ElevenLabsWebSocketTTS({ apiKey: "k", ...options });
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(message);
  });

  test("a carrier's mu-law is the only format where it was asked for", () => {
    expect(ElevenLabsWebSocketTTS.forTwilio("k").outputFormats).toEqual([MULAW_8K]);
    expect(ElevenLabsWebSocketTTS.forTelnyx({ apiKey: "k" }).outputFormats).toContainEqual(MULAW_8K);
  });
});
