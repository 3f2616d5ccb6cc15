import { afterEach, describe, expect, test } from "vitest";
import { MULAW_8K, PCM16_16K } from "../core/audio-frame.js";
import { systemClock, VirtualClock } from "../core/clock.js";
import {
  AuthenticationError,
  ConfigError,
  ProtocolError,
  ProviderError,
  ProviderTimeoutError,
  RateLimitError,
} from "../core/errors.js";
import type { TtsEvent, TtsOpenOptions, TtsStream } from "../core/tts.js";
import { type ElevenLabsServerOptions, ElevenLabsServer } from "../testing/elevenlabs/server.js";
import { ElevenLabsTTS, type ElevenLabsTTSOptions } from "./elevenlabs.js";

const disposables: AsyncDisposable[] = [];

afterEach(async () => {
  for (const disposable of disposables.splice(0).toReversed()) await disposable[Symbol.asyncDispose]();
});

async function rig(
  options: {
    readonly server?: ElevenLabsServerOptions;
    readonly tts?: ElevenLabsTTSOptions;
    readonly open?: Partial<TtsOpenOptions>;
  } = {},
) {
  const server = await ElevenLabsServer.start(options.server);
  const tts = new ElevenLabsTTS({ apiKey: "test", baseUrl: server.url, ...options.tts });
  disposables.push(server, tts);
  const signal = new AbortController().signal;
  const connection = tts.open({ format: MULAW_8K, language: "en", clock: systemClock, signal, ...options.open });
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

async function eventsOf(stream: TtsStream): Promise<TtsEvent[]> {
  const events: TtsEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

async function failureOf(stream: TtsStream): Promise<{ readonly error: ProviderError; readonly events: readonly TtsEvent[] }> {
  const events: TtsEvent[] = [];
  try {
    for await (const event of stream) events.push(event);
  } catch (error) {
    if (error instanceof ProviderError) return { error, events };
    throw error;
  }
  throw new Error("It did not fail.");
}

function audioMs(events: readonly TtsEvent[]): number {
  return events.reduce((sum, event) => sum + (event.type === "audio" ? event.frame.bytes.length / 8 : 0), 0);
}

describe("a reply", () => {
  test("is one request for each flush, with what was said before it", async () => {
    const { server, speak } = await rig();
    await eventsOf(say(speak(), "Good morning.", " How are you?"));
    expect(server.requests.map(({ body }) => body)).toEqual([
      { text: "Good morning.", model_id: "eleven_flash_v2_5" },
      { text: " How are you?", model_id: "eleven_flash_v2_5", previous_text: "Good morning." },
    ]);
    expect(server.requests[0]?.path).toBe(
      "/v1/text-to-speech/EXAVITQu4vr4xnSDxMaL/stream/with-timestamps?output_format=ulaw_8000",
    );
  });

  test("passes the vendor's mu-law on as it is", async () => {
    const { speak } = await rig();
    const events = await eventsOf(say(speak(), "Hi!"));
    const frames = events.flatMap((event) => (event.type === "audio" ? [event.frame] : []));
    expect(frames.every(({ format }) => format.encoding === "mulaw")).toBe(true);
    expect(audioMs(events)).toBe(180);
  });

  test("tells every word with its time since the reply's first sample, over several requests", async () => {
    const { speak } = await rig({ server: { chunkMs: 100 } });
    const events = await eventsOf(say(speak(), "Good morning.", " Bye now."));
    const words = events.flatMap((event) => (event.type === "words" ? event.words : []));
    expect(words).toMatchObject([
      { textStart: 0, textEnd: 4, startMs: 0, endMs: 240 },
      { textStart: 5, textEnd: 13, startMs: 300, endMs: 780 },
      { textStart: 14, textEnd: 17, startMs: 840, endMs: 1020 },
      { textStart: 18, textEnd: 22, startMs: 1080, endMs: 1320 },
    ]);
  });

  test("counts its characters before its audio comes, so that an aborted one is counted as well", async () => {
    const { speak } = await rig();
    const [first] = await eventsOf(say(speak(), "Good morning."));
    expect(first).toEqual({ type: "usage", characters: 13 });
  });

  test("whose text has no sound makes no request", async () => {
    const { server, speak } = await rig();
    expect(await eventsOf(say(speak(), " … "))).toEqual([{ type: "flushed", textEnd: 3 }]);
    expect(server.requests).toEqual([]);
  });

  test("that is aborted drops its request", async () => {
    const { server, speak } = await rig({ server: { chunkDelayMs: 20 } });
    const controller = new AbortController();
    const stream = say(speak(controller.signal), "A long sentence that goes on and on.", " And another one.");
    for await (const event of stream) if (event.type === "audio") controller.abort();
    await expect.poll(() => server.requests[0]?.outcome).toBe("aborted");
    expect(server.requests).toHaveLength(1);
  });
});

describe("a failure", () => {
  test("that may pass is answered by one more request", async () => {
    const { server, speak } = await rig();
    server.fail({ status: 503 });
    expect(audioMs(await eventsOf(say(speak(), "Hello.")))).toBe(360);
    expect(server.requests.map(({ outcome }) => outcome)).toEqual(["refused", "complete"]);
  });

  test("that comes again is thrown", async () => {
    const { server, speak } = await rig();
    server.fail({ status: 429 }, { status: 429 });
    const { error } = await failureOf(say(speak(), "Hello."));
    expect(error).toBeInstanceOf(RateLimitError);
    expect(error).toMatchObject({ vendorCode: "too_many_concurrent_requests", retryable: true });
  });

  test("of the credential, the quota and the voice say what to do", async () => {
    const { server, speak } = await rig();
    server.fail({ status: 401 }, { status: 401, code: "quota_exceeded", message: "You have 3 characters left." });
    server.fail({ status: 402, code: "paid_plan_required" }, { status: 404 }, { status: 422 });
    const errors: ProviderError[] = [];
    for (let index = 0; index < 5; index++) errors.push((await failureOf(say(speak(), "Hello."))).error);
    expect(errors[0]).toBeInstanceOf(AuthenticationError);
    expect(errors[1]).not.toBeInstanceOf(AuthenticationError);
    expect(errors[1]?.message).toBe(
      "ElevenLabsTTS was answered with 401 (quota_exceeded: You have 3 characters left.). Buy characters, or raise the plan's limit.",
    );
    expect(errors.map(({ status, vendorCode }) => [status, vendorCode])).toEqual([
      [401, "invalid_api_key"],
      [401, "quota_exceeded"],
      [402, "paid_plan_required"],
      [404, "voice_not_found"],
      [422, "validation_error"],
    ]);
    expect(errors[2]?.message).toMatch(/\(paid_plan_required: .*\)\. Choose a voice that the plan includes, or a larger plan\.$/);
    expect(errors[3]?.message).toMatch(
      /\(voice_not_found: .*\)\. Check \{ voiceId \}: older default voices have been retired\.$/,
    );
    expect(server.requests).toHaveLength(5);
  });

  test("in the middle keeps what has come, and the next reply is spoken", async () => {
    const { server, speak } = await rig({ server: { chunkMs: 60 } });
    server.fail({ cutAfterMs: 360 });
    const { error, events } = await failureOf(say(speak(), "Good morning."));
    expect(error.retryable).toBe(true);
    expect(audioMs(events)).toBe(360);
    expect(events.find((event) => event.type === "words")).toMatchObject({ words: [{ textStart: 0, textEnd: 4 }] });
    expect(audioMs(await eventsOf(say(speak(), "Hello.")))).toBe(360);
  });

  test("of a line that is no JSON is told after a second try, and what follows it is not waited for", async () => {
    let cancelled = 0;
    const answer = async () =>
      new Response(
        new ReadableStream<Uint8Array>({
          start: (controller) => controller.enqueue(Buffer.from("<html>\n")),
          cancel: () => {
            cancelled++;
          },
        }),
      );
    const { speak } = await rig({ tts: { fetch: answer } });
    const { error } = await failureOf(say(speak(), "Hello."));
    expect(error).toBeInstanceOf(ProtocolError);
    expect(cancelled).toBe(2);
  });

  test("to say anything within 4 s is a timeout, by the call's clock", async () => {
    const clock = new VirtualClock();
    const server = await ElevenLabsServer.start({ clock });
    disposables.push(server);
    server.fail({ silentAfterMs: 0 });
    const tts = new ElevenLabsTTS({ apiKey: "test", fetch: server.fetch });
    const connection = tts.open({ format: MULAW_8K, language: "en", clock, signal: new AbortController().signal });
    const failure = failureOf(say(connection.speak({ signal: new AbortController().signal }), "Hello."));
    expect((await clock.runUntil(failure)).error).toBeInstanceOf(ProviderTimeoutError);
    expect(clock.now()).toBe(4000);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("a voice", () => {
  test("is known by its name where it is one of the vendor's", async () => {
    const { server, tts, speak } = await rig({ tts: { voiceId: "rachel" } });
    await tts.prepare({ signal: new AbortController().signal });
    await eventsOf(say(speak(), "Hi."));
    expect(server.requests.map(({ path }) => path.split("/")[3])).toEqual(["21m00Tcm4TlvDq8ikWAM"]);
  });

  const voices = [{ voice_id: "AbCdEfGhIjKlMnOpQrSt", name: "Nora - Warm, Clear" }];

  test("is looked up in the account by any other name, once", async () => {
    const { server, tts, speak } = await rig({ server: { voices }, tts: { voiceId: "nora" } });
    await tts.prepare({ signal: new AbortController().signal });
    await eventsOf(say(speak(), "Hi."));
    await eventsOf(say(speak(), "Hi."));
    expect(server.requests.map(({ path }) => path.split("?")[0])).toEqual([
      "/v1/voices",
      "/v1/text-to-speech/AbCdEfGhIjKlMnOpQrSt/stream/with-timestamps",
      "/v1/text-to-speech/AbCdEfGhIjKlMnOpQrSt/stream/with-timestamps",
    ]);
  });

  test("that the account does not have is a mistake that names those it has", async () => {
    const { tts } = await rig({ server: { voices }, tts: { voiceId: "Zoe" } });
    await expect(tts.prepare({ signal: new AbortController().signal })).rejects.toThrow(
      'ElevenLabsTTS found no voice "Zoe" in the account, which has Nora - Warm, Clear. Pass one of these names, or a voice\'s id.',
    );
  });
});

describe("options", () => {
  test("choose model, language and voice settings, in the vendor's spelling or ours", async () => {
    const { server, speak } = await rig({
      tts: {
        modelId: "eleven_turbo_v2_5",
        languageCode: "it",
        voiceSettings: { stability: 0.4, similarity_boost: 0.9, speed: 1.1 },
      },
    });
    await eventsOf(say(speak(), "Ciao."));
    expect(server.requests[0]?.body).toEqual({
      text: "Ciao.",
      model_id: "eleven_turbo_v2_5",
      language_code: "it",
      voice_settings: { stability: 0.4, similarity_boost: 0.9, speed: 1.1 },
    });
  });

  test("the agent's language is enforced where the model can, and English is not", async () => {
    const german = await rig({ open: { language: "de-DE" } });
    await eventsOf(say(german.speak(), "Guten Tag."));
    expect(german.server.requests[0]?.body["language_code"]).toBe("de");
    const several = await rig({ open: { language: "multi" } });
    await eventsOf(say(several.speak(), "Guten Tag."));
    expect(several.server.requests[0]?.body).not.toHaveProperty("language_code");
    const other = await rig({ open: { language: "de" }, tts: { modelId: "eleven_multilingual_v2" } });
    await eventsOf(say(other.speak(), "Guten Tag."));
    expect(other.server.requests[0]?.body).not.toHaveProperty("language_code");
  });

  test("the formats begin with the wideband one; one that was chosen is the only one", () => {
    expect(new ElevenLabsTTS({ apiKey: "k" }).outputFormats.slice(0, 2)).toEqual([PCM16_16K, MULAW_8K]);
    expect(ElevenLabsTTS.forTwilio("k", { voiceId: "sarah" }).outputFormats).toEqual([MULAW_8K]);
    expect(ElevenLabsTTS.forTwilio({ apiKey: "k" }).outputFormats).toEqual([MULAW_8K]);
    expect(ElevenLabsTTS.forTelnyx({ apiKey: "k" }).outputFormats).toContainEqual({ encoding: "alaw", sampleRate: 8000 });
  });

  test.each([
    [{ voice: "x" }, 'There is no ElevenLabsTTS option "voice": did you mean "voiceId"?'],
    [{ outputFormat: "mp3_44100_128" }, 'cannot play "mp3_44100_128" in a call'],
    [{ voiceSettings: { speed: 2 } }, "speed that is a number from 0.7 to 1.2, not 2"],
    [{ voiceSettings: { pitch: 2 } }, 'no ElevenLabsTTS voice setting "pitch"'],
    [{ voiceId: " " }, "blank voiceId"],
    [{ baseUrl: "nonsense" }, "baseUrl"],
    [{ apiKey: " " }, "ElevenLabsTTS needs a credential: pass { apiKey } or set ELEVENLABS_API_KEY."],
  ])("%j is refused", (options, message) => {
    const make = () => new ElevenLabsTTS({ apiKey: "k", ...options } as ElevenLabsTTSOptions);
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(message);
  });
});
