import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { type AudioFormat, audioByteLength, MULAW_8K, PCM16_16K } from "../core/audio-frame.js";
import { type Clock, systemClock, VirtualClock } from "../core/clock.js";
import { ConfigError } from "../core/errors.js";
import type { SttEvent, SttStream } from "../core/stt.js";
import { DeepgramServer, type DeepgramServerOptions } from "../testing/deepgram/server.js";
import { SpokenWords } from "../testing/spoken-words.js";
import { DeepgramSTT, type DeepgramSTTOptions } from "./deepgram.js";

afterEach(() => vi.unstubAllEnvs());

async function start(options: DeepgramServerOptions = {}): Promise<DeepgramServer> {
  const server = await DeepgramServer.start(options);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

/** An open stream, what it has reported, and a voice. */
class Listening {
  readonly events: SttEvent[] = [];
  readonly stream: SttStream;
  readonly controller = new AbortController();
  readonly #format: AudioFormat;
  failure: unknown;
  isOver = false;

  constructor(
    server: DeepgramServer,
    options: DeepgramSTTOptions = {},
    { format = MULAW_8K, language = "en", clock = systemClock }: { format?: AudioFormat; language?: string; clock?: Clock } = {},
  ) {
    const stt = new DeepgramSTT({ apiKey: "key", baseUrl: server.url, ...options });
    this.#format = format;
    this.stream = stt.open({ language, format, signal: this.controller.signal, clock });
    void this.#read();
    onTestFinished(() => this.stream[Symbol.asyncDispose]());
  }

  async #read(): Promise<void> {
    try {
      for await (const event of this.stream) this.events.push(event);
    } catch (error) {
      this.failure = error;
    }
    this.isOver = true;
  }

  /** Writes this much audio, in frames of 20 ms. */
  speak(durationMs: number): void {
    for (let ms = 0; ms < durationMs; ms += 20)
      this.stream.write({ format: this.#format, bytes: new Uint8Array(audioByteLength(this.#format, 20)) });
  }

  say(bytes: Uint8Array): void {
    this.stream.write({ format: this.#format, bytes });
  }

  of<T extends SttEvent["type"]>(type: T): (SttEvent & { readonly type: T })[] {
    return this.events.filter((event): event is SttEvent & { readonly type: T } => event.type === type);
  }

  get texts(): string[] {
    return this.events.flatMap((event) => {
      if (event.type === "partial" || event.type === "final")
        return [`${event.type}${event.finalized === true ? "!" : ""}: ${event.transcript}`];
      if (event.type === "turn_end") return [`turn_end: ${event.reason}`];
      return event.type === "usage" ? [] : [event.type];
    });
  }
}

const GREETING = [{ text: "hello there", startMs: 200 }];

describe("what is sent", () => {
  it("nova-3 is asked for with the options' defaults, and the key and headers go with it", async () => {
    const server = await start();
    const listening = new Listening(server, { headers: { "X-Project": "one" } }, { language: "en-GB" });
    listening.speak(20);
    await vi.waitFor(() => expect(server.sockets[0]?.frames).toBe(1));
    const { path, query, headers } = server.sockets[0] as (typeof server.sockets)[0];
    expect(path).toBe("/v1/listen");
    expect(Object.fromEntries(query)).toEqual({
      model: "nova-3",
      encoding: "mulaw",
      sample_rate: "8000",
      language: "en-GB",
      endpointing: "150",
      interim_results: "true",
      smart_format: "true",
      vad_events: "true",
      utterance_end_ms: "1000",
    });
    expect(headers).toMatchObject({ authorization: "Token key", "x-project": "one" });
  });

  it("every option of Nova models reaches the query", async () => {
    const server = await start();
    const listening = new Listening(
      server,
      {
        model: "nova-3-medical",
        language: "multi",
        keyterms: ["Patter", "Dr. Who"],
        endpointingMs: false,
        utteranceEndMs: null,
        smartFormat: false,
        interimResults: false,
        vadEvents: false,
      },
      { format: PCM16_16K, language: "de" },
    );
    listening.speak(20);
    await vi.waitFor(() => expect(server.sockets[0]?.audioMs).toBe(20));
    const query = server.sockets[0]?.query as URLSearchParams;
    expect(query.getAll("keyterm")).toEqual(["Patter", "Dr. Who"]);
    query.delete("keyterm");
    expect(Object.fromEntries(query)).toEqual({
      model: "nova-3-medical",
      encoding: "linear16",
      sample_rate: "16000",
      language: "multi",
      endpointing: "false",
      interim_results: "false",
      smart_format: "false",
      vad_events: "false",
    });
  });

  it("every option of Flux reaches the query", async () => {
    const server = await start();
    const listening = new Listening(
      server,
      {
        model: "flux-general-multi",
        keyterms: ["Patter"],
        endOfTurnThreshold: 0.8,
        eagerEndOfTurnThreshold: 0.5,
        endOfTurnTimeoutMs: 3000,
        baseUrl: server.url.replace("http", "ws"),
      },
      { language: "de-AT" },
    );
    listening.speak(20);
    await vi.waitFor(() => expect(server.sockets[0]?.frames).toBe(1));
    expect(server.sockets[0]?.path).toBe("/v2/listen");
    expect(Object.fromEntries(server.sockets[0]?.query ?? [])).toEqual({
      model: "flux-general-multi",
      encoding: "mulaw",
      sample_rate: "8000",
      language_hint: "de",
      keyterm: "Patter",
      eot_threshold: "0.8",
      eager_eot_threshold: "0.5",
      eot_timeout_ms: "3000",
    });
  });

  it("telephone audio passes untouched, a message for each frame", async () => {
    const server = await start();
    const { stream } = new Listening(server);
    const bytes = Uint8Array.from({ length: 1600 }, (_, index) => index % 256);
    for (let offset = 0; offset < bytes.length; offset += 160)
      stream.write({ format: MULAW_8K, bytes: bytes.subarray(offset, offset + 160) });
    await vi.waitFor(() => expect(server.sockets[0]?.frames).toBe(10));
    expect(Buffer.from(server.sockets[0]?.audio ?? []).equals(bytes)).toBe(true);
  });

  it("the end of the call is told to Deepgram, and nothing is left", async () => {
    const server = await start();
    const clock = new VirtualClock();
    const listening = new Listening(server, {}, { clock });
    listening.speak(100);
    await vi.waitFor(() => expect(server.sockets[0]?.frames).toBe(5));
    listening.controller.abort();
    await listening.stream[Symbol.asyncDispose]();
    await vi.waitFor(() => expect(server.openSockets).toBe(0));
    expect(server.sockets[0]?.messages).toEqual([{ type: "CloseStream" }]);
    expect(listening.isOver).toBe(true);
    expect(listening.failure).toBeUndefined();
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("Nova models", () => {
  it("words come as they are spoken, then for good, and their absence ends the turn", async () => {
    const server = await start();
    server.script(GREETING);
    const listening = new Listening(server);
    listening.speak(2000);
    await vi.waitFor(() => expect(listening.of("turn_end")).toHaveLength(1));
    expect(listening.texts).toEqual([
      "speech_start",
      "partial: Hello.",
      "partial: Hello there.",
      "final: Hello there.",
      "turn_end: utterance_end",
    ]);
    expect(listening.of("speech_start")).toEqual([{ type: "speech_start", audioMs: 200 }]);
    expect(listening.of("final")).toEqual([
      {
        type: "final",
        transcript: "Hello there.",
        confidence: 0.98,
        words: [
          { text: "Hello", startMs: 200, endMs: 450, confidence: 0.98 },
          { text: "there.", startMs: 450, endMs: 700, confidence: 0.98 },
        ],
      },
    ]);
  });

  it("a pause of 300 ms ends the turn where that was asked for", async () => {
    const server = await start();
    server.script(GREETING);
    const listening = new Listening(server, { endpointingMs: 300 });
    listening.speak(1100);
    await vi.waitFor(() => expect(listening.of("turn_end")).toEqual([{ type: "turn_end", reason: "speech_final" }]));
    listening.speak(1000);
    await vi.waitFor(() => expect(server.sockets[0]?.audioMs).toBe(2100));
    expect(server.sockets[0]?.sent.filter(({ type }) => type === "UtteranceEnd")).toHaveLength(1);
    // One turn ends once.
    expect(listening.of("turn_end")).toHaveLength(1);
  });

  it("finalize is answered by Deepgram, and does not end the turn", async () => {
    const server = await start();
    server.script(GREETING);
    const listening = new Listening(server, { endpointingMs: 500 });
    listening.speak(800);
    listening.stream.finalize();
    await vi.waitFor(() => expect(listening.of("final")).toHaveLength(1));
    expect(listening.of("final")[0]).toMatchObject({ transcript: "Hello there.", finalized: true });
    expect(server.sockets[0]?.messages).toEqual([{ type: "Finalize" }]);
    expect(listening.of("turn_end")).toEqual([]);
  });

  it("reports the audio it sent", async () => {
    const server = await start();
    server.script(GREETING);
    const listening = new Listening(server);
    listening.speak(1000);
    await vi.waitFor(() => expect(listening.of("usage").length).toBeGreaterThan(0));
    expect(listening.of("usage").reduce((sum, { audioMs }) => sum + audioMs, 0)).toBe(1000);
  });

  it("a socket without audio is kept alive", async () => {
    const clock = new VirtualClock();
    const server = await start({ clock });
    const listening = new Listening(server, {}, { clock });
    listening.speak(20);
    await vi.waitFor(() => expect(server.sockets[0]?.frames).toBe(1));
    for (let count = 1; count <= 5; count++) {
      await clock.advance(4000);
      await vi.waitFor(() => expect(server.sockets[0]?.messages).toHaveLength(count));
    }
    expect(server.sockets[0]?.messages[0]).toEqual({ type: "KeepAlive" });
    expect(server.openSockets).toBe(1);
  });
});

describe("Flux", () => {
  const flux = { model: "flux-general-en" };

  it("says when a turn begins and when it is over", async () => {
    const server = await start();
    server.script([...GREETING, { text: "one more thing", startMs: 2000 }]);
    const listening = new Listening(server, flux);
    listening.speak(4000);
    await vi.waitFor(() => expect(listening.of("turn_end")).toHaveLength(2));
    expect(listening.texts).toEqual([
      "speech_start",
      "partial: hello",
      "partial: hello there",
      "final: hello there",
      "turn_end: end_of_turn",
      "speech_start",
      "partial: one",
      "partial: one more",
      "partial: one more thing",
      "final: one more thing",
      "turn_end: end_of_turn",
    ]);
    expect(listening.of("final")[1]?.words?.[0]).toEqual({ text: "one", startMs: 2000, endMs: 2250, confidence: 0.98 });
  });

  it("says early that a turn may be over, and takes it back when the caller goes on", async () => {
    const server = await start();
    server.script([
      { text: "I think", startMs: 200 },
      { text: "so", startMs: 1050 },
    ]);
    const listening = new Listening(server, { ...flux, eagerEndOfTurnThreshold: 0.4, endOfTurnThreshold: 0.9 });
    listening.speak(2500);
    await vi.waitFor(() => expect(listening.of("turn_end")).toHaveLength(1));
    expect(listening.texts.filter((text) => !text.startsWith("partial"))).toEqual([
      "speech_start",
      "eager_turn_end",
      "turn_resumed",
      "eager_turn_end",
      "final: I think so",
      "turn_end: end_of_turn",
    ]);
  });

  it("ends a turn by its timeout where the words sound unfinished", async () => {
    const server = await start();
    server.script([{ text: "my number is", startMs: 0, endsTurn: false }]);
    const listening = new Listening(server, { ...flux, endOfTurnTimeoutMs: 1000 });
    listening.speak(2000);
    await vi.waitFor(() => expect(listening.of("turn_end")).toEqual([{ type: "turn_end", reason: "timeout" }]));
  });

  it("finalize is answered from the words so far, and the rest of the turn comes behind them", async () => {
    const server = await start();
    server.script([{ text: "book a table", startMs: 200 }]);
    const listening = new Listening(server, flux);
    listening.speak(500);
    listening.stream.finalize();
    listening.speak(1500);
    await vi.waitFor(() => expect(listening.of("turn_end")).toHaveLength(1));
    const finals = listening.of("final").map(({ transcript, finalized }) => [transcript, finalized === true]);
    expect(finals.filter(([, finalized]) => finalized)).toHaveLength(1);
    expect(finals.map(([transcript]) => transcript).join(" ")).toBe("book a table");
  });

  it("a socket without audio is given a little silence, and no message that it does not know", async () => {
    const clock = new VirtualClock();
    const server = await start({ clock });
    const listening = new Listening(server, flux, { clock });
    listening.speak(20);
    await vi.waitFor(() => expect(server.sockets[0]?.frames).toBe(1));
    await clock.advance(4000);
    await vi.waitFor(() => expect(server.sockets[0]?.audioMs).toBe(100));
    expect(server.sockets[0]?.audio.at(-1)).toBe(0xff);
    expect(server.sockets[0]?.messages).toEqual([]);
  });

  it("an error that Flux reports before it closes is passed on once reconnecting has not helped", async () => {
    const server = await start();
    server.fail(
      ...Array.from({ length: 4 }, () => ({ with: { error: "INTERNAL_SERVER_ERROR", description: "Oops." } }) as const),
    );
    const listening = new Listening(server, flux);
    await vi.waitFor(() => expect(listening.isOver).toBe(true), 5000);
    expect(listening.failure).toMatchObject({ code: "provider", vendorCode: "INTERNAL_SERVER_ERROR", retryable: true });
    expect(server.handshakes).toBe(4);
  });
});

describe("failures", () => {
  it.each([
    [400, "provider", "Bad Request", false],
    [401, "authentication", "INVALID_AUTH", false],
    [402, "provider", "ASR_PAYMENT_REQUIRED", false],
    [403, "authentication", "INSUFFICIENT_PERMISSIONS", false],
    [429, "rate_limit", "TOO_MANY_REQUESTS", true],
    [500, "provider", "INTERNAL_SERVER_ERROR", true],
    [503, "provider", "INTERNAL_SERVER_ERROR", true],
  ] as const)("a handshake refused with %i fails the stream with the code %s", async (status, code, vendorCode, retryable) => {
    const server = await start();
    server.fail({ status });
    const listening = new Listening(server);
    await vi.waitFor(() => expect(listening.isOver).toBe(true));
    expect(listening.failure).toMatchObject({ code, status, vendorCode, retryable, provider: "deepgram" });
    expect(listening.failure).toMatchObject({ requestId: "00000000-0000-4000-8000-000000000001" });
  });

  it("an empty account's error says where to add credits", async () => {
    const server = await start();
    server.fail({ status: 402 });
    const listening = new Listening(server);
    await vi.waitFor(() => expect((listening.failure as Error).message).toContain("Add credits at console.deepgram.com"));
  });

  it("a proxy's page is quoted", async () => {
    const server = await start();
    server.fail({ status: 502, body: "<h1>Bad gateway</h1>" });
    const listening = new Listening(server);
    await vi.waitFor(() => expect(listening.failure).toMatchObject({ status: 502, retryable: true }));
  });

  it("a handshake without an answer fails with a timeout", async () => {
    const clock = new VirtualClock();
    const server = await start();
    server.fail({ handshake: "silence" });
    const listening = new Listening(server, {}, { clock });
    await vi.waitFor(() => expect(server.handshakes).toBe(1));
    await clock.advance(3000);
    await vi.waitFor(() => expect(listening.failure).toMatchObject({ code: "timeout", retryable: true }));
  });

  it("audio that cannot be decoded is not sent again", async () => {
    const server = await start();
    server.fail({ with: { code: 1008, reason: "DATA-0000: The payload cannot be decoded as audio." } });
    const listening = new Listening(server);
    await vi.waitFor(() =>
      expect(listening.failure).toMatchObject({ code: "protocol", vendorCode: "DATA-0000", retryable: false }),
    );
    expect(server.handshakes).toBe(1);
  });

  it.each([
    ["is reset", { with: "reset" }],
    ["is closed with 1011", { with: { code: 1011, reason: "NET-0000: Deepgram has not transmitted a Text frame." } }],
    ["is closed in order", { with: { code: 1000 } }],
  ] as const)("a socket that %s in mid call is replaced, and no word is lost or doubled", async (_, failure) => {
    const spoken = new SpokenWords();
    const server = await start({ spoken });
    server.fail({ ...failure, afterMs: 1760 });
    const listening = new Listening(server, { encoding: "linear16", smartFormat: false }, { format: PCM16_16K });
    listening.speak(1200);
    // 160 ms for each word: the socket breaks within "four".
    const speech = spoken.encode("nine lots from four");
    const frameBytes = audioByteLength(PCM16_16K, 20);
    for (let offset = 0; offset < speech.length; offset += frameBytes)
      listening.say(speech.subarray(offset, offset + frameBytes));
    listening.speak(2000);
    await vi.waitFor(() => expect(listening.of("turn_end")).toHaveLength(1));
    const words = listening.of("final").flatMap((final) => final.words ?? []);
    expect(words.map(({ text: word }) => word)).toEqual(["nine", "lots", "from", "four"]);
    expect(words.map(({ startMs }) => Math.round(startMs))).toEqual([1200, 1360, 1520, 1680]);
    expect(server.sockets).toHaveLength(2);
  });

  it("a socket that is open at one end only is replaced after 5 s", async () => {
    const clock = new VirtualClock();
    const server = await start();
    server.fail({ with: "silence", afterMs: 100 });
    const listening = new Listening(server, {}, { clock });
    listening.speak(200);
    await vi.waitFor(() => expect(server.sockets[0]?.frames).toBe(5));
    await clock.advance(3000);
    await clock.advance(2000);
    await vi.waitFor(() => expect(server.sockets).toHaveLength(2));
    await vi.waitFor(() => expect(server.sockets[1]?.audioMs).toBe(200));
    expect(listening.failure).toBeUndefined();
  });

  it("a server that answers late loses nothing", async () => {
    const clock = new VirtualClock();
    const server = await start({ clock });
    server.fail({ latencyMs: 700 });
    server.script(GREETING);
    const listening = new Listening(server, {}, { clock });
    listening.speak(1000);
    await vi.waitFor(() => expect(server.sockets[0]?.frames).toBe(50));
    await clock.advance(700);
    await vi.waitFor(() => expect(listening.of("final")[0]?.transcript).toBe("Hello there."));
  });

  it("a language that the model does not know is an error of configuration", async () => {
    const server = await start();
    const listening = new Listening(server, { model: "flux-general-en" }, { language: "de" });
    await vi.waitFor(() => expect(listening.failure).toBeInstanceOf(ConfigError));
    expect((listening.failure as Error).message).toContain("flux-general-multi");
    expect(server.handshakes).toBe(0);
  });
});

describe("options", () => {
  it("the key comes from the environment, and without one the error names it", () => {
    vi.stubEnv("DEEPGRAM_API_KEY", "");
    expect(() => new DeepgramSTT()).toThrow("DeepgramSTT needs a credential: pass { apiKey } or set DEEPGRAM_API_KEY.");
    vi.stubEnv("DEEPGRAM_API_KEY", "key");
    expect(new DeepgramSTT()).toMatchObject({ provider: "deepgram", model: "nova-3" });
  });

  it("offers telephone audio as it is, unless an encoding was chosen", () => {
    expect(new DeepgramSTT({ apiKey: "key" }).inputFormats).toContainEqual(MULAW_8K);
    expect(new DeepgramSTT({ apiKey: "key", encoding: "linear16" }).inputFormats).toEqual([PCM16_16K]);
    expect(new DeepgramSTT({ apiKey: "key", encoding: "mulaw" }).inputFormats).toEqual([MULAW_8K]);
    expect(new DeepgramSTT({ apiKey: "key", sampleRate: 8000 }).inputFormats).toEqual([{ encoding: "pcm16", sampleRate: 8000 }]);
  });

  it.each([
    [{ keyterm: ["x"] }, 'did you mean "keyterms"?'],
    [{ endpointingMs: -1 }, "{ endpointingMs: -1 }: pass a count of ms, or false."],
    [{ utteranceEndMs: 500 }, "at least 1000"],
    [{ model: "flux-general-en", endpointingMs: 100 }, '"endpointingMs" is for Nova models and not for flux-general-en'],
    [{ eagerEndOfTurnThreshold: 0.5 }, '"eagerEndOfTurnThreshold" is for Flux models and not for nova-3'],
    [{ model: "flux-general-en", endOfTurnThreshold: 0.4 }, "pass a number from 0.5 to 1"],
    [{ model: "flux-general-en", eagerEndOfTurnThreshold: 0.8 }, "lower eagerEndOfTurnThreshold"],
    [{ model: "nova-2", keyterms: ["x"] }, "nova-2 takes no keyterms"],
    [{ interimResults: false, utteranceEndMs: 1000 }, "leave out interimResults or utteranceEndMs"],
    [{ baseUrl: "ftp://example.com" }, "begins with https://"],
    [{ encoding: "opus" }, "pass linear16, mulaw or alaw"],
    [{ headers: { a: "b\n" } }, "one-line texts"],
  ])("%o is refused with what to do", (options, message) => {
    const build = (): DeepgramSTT => new DeepgramSTT({ apiKey: "key", ...options } as DeepgramSTTOptions);
    expect(build).toThrow(ConfigError);
    expect(build).toThrow(message);
  });
});
