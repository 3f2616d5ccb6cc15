import { type Deepgram, DeepgramClient } from "@deepgram/sdk";
import { expect, onTestFinished, test, vi } from "vitest";
import { MULAW_8K } from "../src/core/audio-frame.js";
import { systemClock } from "../src/core/clock.js";
import type { SttEvent } from "../src/core/stt.js";
import { DeepgramSTT, type DeepgramSTTOptions } from "../src/stt/deepgram.js";
import { DeepgramServer } from "../src/testing/deepgram/server.js";
import type {
  FluxConfigureSuccess,
  FluxConnected,
  FluxError,
  FluxTurnInfo,
  NovaMetadata,
  NovaResults,
  NovaSpeechStarted,
  NovaUtteranceEnd,
} from "../src/testing/deepgram/wire.js";

const SCRIPT = [
  { text: "when do you open", startMs: 300 },
  { text: "and on sunday", startMs: 3000 },
];
/** 20 ms of silence in mu-law at 8 kHz. */
const FRAME = new Uint8Array(160).fill(0xff);
const FRAMES = 275;

type Numbered<Message> = Message & { readonly sequence_id: number };
type IsAccepted<Own, Sdk> = Own extends Sdk ? true : never;

/** The compiler accepts every message of the test server as the SDK's type of it. */
const ACCEPTED: readonly true[] = [
  true satisfies IsAccepted<NovaResults, Deepgram.listen.ListenV1Results>,
  true satisfies IsAccepted<NovaMetadata, Deepgram.listen.ListenV1Metadata>,
  true satisfies IsAccepted<NovaSpeechStarted, Deepgram.listen.ListenV1SpeechStarted>,
  true satisfies IsAccepted<NovaUtteranceEnd, Deepgram.listen.ListenV1UtteranceEnd>,
  true satisfies IsAccepted<Numbered<FluxConnected>, Deepgram.listen.ListenV2Connected>,
  true satisfies IsAccepted<Numbered<FluxTurnInfo>, Deepgram.listen.ListenV2TurnInfo>,
  true satisfies IsAccepted<Numbered<FluxConfigureSuccess>, Deepgram.listen.ListenV2ConfigureSuccess>,
  true satisfies IsAccepted<Numbered<FluxError>, Deepgram.listen.ListenV2FatalError>,
];

async function start(): Promise<{ readonly server: DeepgramServer; readonly client: DeepgramClient }> {
  const server = await DeepgramServer.start({ apiKey: "key" });
  onTestFinished(() => server[Symbol.asyncDispose]());
  const url = server.url.replace("http", "ws");
  const client = new DeepgramClient({
    apiKey: "key",
    environment: { base: server.url, production: url, agent: url, agentRest: server.url },
  });
  return { server, client };
}

/** What `DeepgramSTT` hears, and what it asked for. */
async function ownHandshake(
  server: DeepgramServer,
  options: DeepgramSTTOptions,
): Promise<{ query: string[]; events: SttEvent[] }> {
  server.script(SCRIPT);
  const count = server.sockets.length;
  const stream = new DeepgramSTT({ apiKey: "key", baseUrl: server.url, ...options }).open({
    language: "en",
    format: MULAW_8K,
    signal: new AbortController().signal,
    clock: systemClock,
  });
  const events: SttEvent[] = [];
  const reading = (async () => {
    for await (const event of stream) events.push(event);
  })();
  for (let frame = 0; frame < FRAMES; frame++) stream.write({ format: MULAW_8K, bytes: FRAME });
  await vi.waitFor(() => expect(events.filter(({ type }) => type === "turn_end")).toHaveLength(2));
  await stream[Symbol.asyncDispose]();
  await reading;
  return { query: parameters(server, count), events };
}

function parameters(server: DeepgramServer, socket: number): string[] {
  return [...(server.sockets[socket]?.query ?? [])].map(([name, value]) => `${name}=${value}`).toSorted();
}

function heardWords(events: readonly SttEvent[]): unknown[] {
  return events.flatMap((event) =>
    event.type === "final" ? (event.words ?? []).map(({ text, startMs, endMs }) => [text, startMs, endMs]) : [],
  );
}

test("the SDK's types accept what the test server sends", () => {
  expect(ACCEPTED).toHaveLength(8);
});

test("with nova-3 the SDK asks for the same, sends the same and hears the same as DeepgramSTT", async () => {
  const { server, client } = await start();
  const own = await ownHandshake(server, { keyterms: ["Patter", "Sunday brunch"] });
  server.script(SCRIPT);
  const args = {
    model: "nova-3",
    encoding: "mulaw",
    sample_rate: 8000,
    language: "en",
    endpointing: 150,
    interim_results: "true",
    smart_format: "true",
    vad_events: "true",
    utterance_end_ms: 1000,
    keyterm: ["Patter", "Sunday brunch"],
    Authorization: "Token key",
    reconnectAttempts: 0,
  } as const;
  const socket = await client.listen.v1.connect(args);
  const messages: { readonly type: string }[] = [];
  socket.on("message", (message) => messages.push(message));
  socket.connect();
  await socket.waitForOpen();
  for (let frame = 0; frame < FRAMES; frame++) socket.sendMedia(FRAME);
  socket.sendKeepAlive({ type: "KeepAlive" });
  socket.sendFinalize({ type: "Finalize" });
  socket.sendCloseStream({ type: "CloseStream" });
  await vi.waitFor(() => expect(server.openSockets).toBe(0));
  await vi.waitFor(() => expect(messages.at(-1)?.type).toBe("Metadata"));
  socket.close();

  expect(parameters(server, 1)).toEqual(own.query);
  expect(server.sockets[1]?.audio).toEqual(server.sockets[0]?.audio);
  expect(server.sockets[1]?.messages).toEqual([{ type: "KeepAlive" }, { type: "Finalize" }, { type: "CloseStream" }]);
  expect(new Set(messages.map(({ type }) => type))).toEqual(new Set(["SpeechStarted", "Results", "UtteranceEnd", "Metadata"]));
  const finals = messages.filter((message) => message.type === "Results") as Deepgram.listen.ListenV1Results[];
  const words = finals
    .filter(({ is_final }) => is_final === true)
    .flatMap(({ channel }) => channel.alternatives[0]?.words ?? [])
    .map(({ punctuated_word, start: startS, end: endS }) => [punctuated_word, startS * 1000, endS * 1000]);
  expect(words).toHaveLength(7);
  expect(heardWords(own.events)).toEqual(words);
});

test("with Flux the SDK asks for the same and hears the same turns as DeepgramSTT", async () => {
  const { server, client } = await start();
  const own = await ownHandshake(server, {
    model: "flux-general-en",
    keyterms: ["Patter"],
    endOfTurnThreshold: 0.8,
    eagerEndOfTurnThreshold: 0.4,
    endOfTurnTimeoutMs: 4000,
  });
  server.script(SCRIPT);
  const socket = await client.listen.v2.connect({
    model: "flux-general-en",
    encoding: "mulaw",
    sample_rate: 8000,
    eot_threshold: 0.8,
    eager_eot_threshold: 0.4,
    eot_timeout_ms: 4000,
    keyterm: ["Patter"],
    Authorization: "Token key",
    reconnectAttempts: 0,
  });
  const messages: { readonly type: string }[] = [];
  socket.on("message", (message) => messages.push(message));
  socket.connect();
  await socket.waitForOpen();
  for (let frame = 0; frame < FRAMES; frame++) socket.sendMedia(FRAME);
  socket.sendConfigure({ type: "Configure", thresholds: { eot_threshold: 0.6 } });
  socket.sendCloseStream({ type: "CloseStream" });
  await vi.waitFor(() => expect(server.openSockets).toBe(0));
  await vi.waitFor(() => expect(messages.at(-1)?.type).toBe("ConfigureSuccess"));
  socket.close();

  expect(parameters(server, 1)).toEqual(own.query);
  const turns = messages.filter(({ type }) => type === "TurnInfo") as Deepgram.listen.ListenV2TurnInfo[];
  const events = turns.map(({ event }) => event).filter((event) => event !== "Update");
  expect(events).toEqual(["StartOfTurn", "EagerEndOfTurn", "EndOfTurn", "StartOfTurn", "EagerEndOfTurn", "EndOfTurn"]);
  const finals = own.events.flatMap((event) => (event.type === "final" ? [event.transcript] : []));
  expect(finals).toEqual(turns.filter(({ event }) => event === "EndOfTurn").map(({ transcript }) => transcript));
  expect(own.events.map(({ type }) => type).filter((type) => type === "eager_turn_end")).toHaveLength(2);
});

test("the SDK takes the test server's refusals and failures for what they are", async () => {
  const { server, client } = await start();
  const problems = async (): Promise<unknown[]> => {
    const socket = await client.listen.v1.connect({
      model: "nova-3",
      encoding: "mulaw",
      sample_rate: 8000,
      Authorization: "Token key",
      reconnectAttempts: 0,
    });
    const seen: unknown[] = [];
    socket.on("error", ({ message }) => seen.push(message));
    socket.on("close", ({ code, reason }) => seen.push({ code, reason }));
    socket.connect();
    await vi.waitFor(() => expect(seen.length).toBeGreaterThan(0));
    return seen;
  };
  server.fail({ status: 402 });
  const refused = await problems();
  await vi.waitFor(() => expect(refused).toContainEqual(expect.stringContaining("402")));
  server.fail({ with: { code: 1011, reason: "NET-0001: no audio" } });
  expect(await problems()).toEqual([{ code: 1011, reason: "NET-0001: no audio" }]);
});
