import { ElevenLabsClient } from "@elevenlabs/elevenlabs-js";
import { StreamTextToSpeechWithTimestampsRequest } from "@elevenlabs/elevenlabs-js/serialization/resources/textToSpeech/client/requests/StreamTextToSpeechWithTimestampsRequest.js";
import { AudioOutputMulti } from "@elevenlabs/elevenlabs-js/serialization/types/AudioOutputMulti.js";
import { CloseContext } from "@elevenlabs/elevenlabs-js/serialization/types/CloseContext.js";
import { FinalOutputMulti } from "@elevenlabs/elevenlabs-js/serialization/types/FinalOutputMulti.js";
import { InitializeConnectionMulti } from "@elevenlabs/elevenlabs-js/serialization/types/InitializeConnectionMulti.js";
import { KeepContextAlive } from "@elevenlabs/elevenlabs-js/serialization/types/KeepContextAlive.js";
import { SendTextMulti } from "@elevenlabs/elevenlabs-js/serialization/types/SendTextMulti.js";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { ElevenLabsTTS, ElevenLabsWebSocketTTS, MULAW_8K, systemClock, type TTS, VirtualClock } from "../src/index.js";
import { ElevenLabsServer } from "../src/testing/index.js";

const VOICE = "EXAVITQu4vr4xnSDxMaL";
const STRICT = { unrecognizedObjectKeys: "fail" } as const;

function clientOf(server: ElevenLabsServer): ElevenLabsClient {
  return new ElevenLabsClient({ apiKey: "test", baseUrl: server.url, maxRetries: 0 });
}

async function speak(tts: TTS, ...texts: readonly string[]): Promise<void> {
  const signal = new AbortController().signal;
  await using connection = tts.open({ format: MULAW_8K, language: "de", clock: systemClock, signal });
  const stream = connection.speak({ signal });
  for (const text of texts) {
    stream.write(text);
    stream.flush();
  }
  stream.end();
  for await (const event of stream) void event;
}

describe("ElevenLabs' client, with the server", () => {
  test("streams speech with its timestamps", async () => {
    await using server = await ElevenLabsServer.start({ chunkMs: 100 });
    const stream = await clientOf(server).textToSpeech.streamWithTimestamps(VOICE, {
      text: "Good morning.",
      modelId: "eleven_flash_v2_5",
      outputFormat: "ulaw_8000",
    });
    let audioBytes = 0;
    const characters: string[] = [];
    const ends: number[] = [];
    for await (const { audioBase64, alignment } of stream) {
      audioBytes += Buffer.from(audioBase64, "base64").length;
      characters.push(...(alignment?.characters ?? []));
      ends.push(...(alignment?.characterEndTimesSeconds ?? []));
    }
    expect(audioBytes).toBe(13 * 480);
    expect(characters.join("")).toBe("Good morning.");
    expect(ends.at(-1)).toBeCloseTo(0.78);
  });

  test("streams speech as plain audio", async () => {
    await using server = await ElevenLabsServer.start();
    const stream = await clientOf(server).textToSpeech.stream(VOICE, { text: "Hi.", outputFormat: "pcm_16000" });
    expect((await new Response(stream).arrayBuffer()).byteLength).toBe(3 * 1920);
  });

  test("lists the voices", async () => {
    await using server = await ElevenLabsServer.start();
    const { voices } = await clientOf(server).voices.getAll();
    expect(voices.map(({ voiceId, name }) => [voiceId, name])).toContainEqual([VOICE, "Sarah"]);
  });

  test.each([
    [{ status: 401 }, "ElevenLabsError", "invalid_api_key"],
    [{ status: 404 }, "ElevenLabsError", "voice_not_found"],
    [{ status: 429 }, "ElevenLabsError", "too_many_concurrent_requests"],
    [{ status: 422 }, "UnprocessableEntityError", "value is not valid"],
  ])("understands the failure %j", async (failure, name, said) => {
    await using server = await ElevenLabsServer.start();
    server.fail(failure);
    const request = clientOf(server).textToSpeech.streamWithTimestamps(VOICE, { text: "Hi.", outputFormat: "ulaw_8000" });
    const error: unknown = await request.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ statusCode: failure.status });
    expect((error as Error).constructor.name).toBe(name);
    expect(JSON.stringify((error as { readonly body?: unknown }).body)).toContain(said);
  });
});

describe("ElevenLabs' own types", () => {
  test("describe the bodies that ElevenLabsTTS sends", async () => {
    await using server = await ElevenLabsServer.start();
    await using tts = new ElevenLabsTTS({
      apiKey: "test",
      baseUrl: server.url,
      voiceSettings: { stability: 0.4, similarityBoost: 0.8, style: 0, useSpeakerBoost: true, speed: 1.1 },
    });
    await speak(tts, "Guten Morgen.", " Bis bald.");
    expect(server.requests).toHaveLength(2);
    for (const { body } of server.requests)
      expect(StreamTextToSpeechWithTimestampsRequest.parse(body, STRICT)).toMatchObject({ ok: true });
  });

  test("describe the messages that ElevenLabsWebSocketTTS sends", async () => {
    const clock = new VirtualClock();
    await using server = await ElevenLabsServer.start({ clock });
    const tts = new ElevenLabsWebSocketTTS({
      apiKey: "test",
      baseUrl: server.url,
      chunkLengthSchedule: [50, 120],
      voiceSettings: { stability: 0.4, similarityBoost: 0.8, speed: 1.1 },
    });
    await speak(tts, "Guten Morgen.", " Bis bald.");
    const signal = new AbortController().signal;
    await using _idle = tts.open({ format: MULAW_8K, language: "de", clock, signal });
    await expect.poll(() => server.sockets[1]?.messages.length).toBe(1);
    // In steps: the socket's pings are answered in real time.
    for (let step = 0; step < 20; step++) {
      await clock.advance(500);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await expect.poll(() => server.sockets[1]?.messages.length).toBe(2);
    const kinds = { InitializeConnectionMulti, SendTextMulti, CloseContext, KeepContextAlive };
    const kindOf = (message: unknown) => Object.entries(kinds).find(([, kind]) => kind.parse(message, STRICT).ok)?.[0];
    const [speaking, idle] = server.sockets.map(({ messages }) => messages.map(kindOf));
    expect(speaking?.slice(0, 6)).toEqual([
      "InitializeConnectionMulti",
      "SendTextMulti",
      "SendTextMulti",
      "SendTextMulti",
      "SendTextMulti",
      "CloseContext",
    ]);
    expect(idle).toEqual(["InitializeConnectionMulti", "SendTextMulti"]);
    expect(KeepContextAlive.parse(server.sockets[1]?.messages[1], STRICT).ok).toBe(true);
  });

  test("describe the messages that the server sends", async () => {
    await using server = await ElevenLabsServer.start({ chunkMs: 100 });
    const path = `/v1/text-to-speech/${VOICE}/multi-stream-input?output_format=ulaw_8000&auto_mode=true`;
    const socket = new WebSocket(`${server.url.replace("http", "ws")}${path}`, { headers: { "xi-api-key": "test" } });
    const messages: unknown[] = [];
    socket.on("open", () => {
      socket.send(JSON.stringify({ text: "Good morning. ", context_id: "one" }));
      socket.send(JSON.stringify({ context_id: "one", close_context: true }));
      socket.send(JSON.stringify({ close_socket: true }));
    });
    socket.on("message", (data) => messages.push(JSON.parse((data as Buffer).toString("utf8"))));
    await new Promise((resolve) => {
      socket.on("close", resolve);
    });
    const final = messages.pop();
    expect(FinalOutputMulti.parse(final, STRICT)).toMatchObject({ ok: true });
    expect(messages).toHaveLength(9);
    // Live messages of audio say `isFinal: null` as well, which the type leaves out.
    for (const message of messages)
      expect(AudioOutputMulti.parse(message, { unrecognizedObjectKeys: "strip" })).toMatchObject({ ok: true });
  });
});
