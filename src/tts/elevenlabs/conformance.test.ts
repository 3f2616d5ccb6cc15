import { describe, test } from "vitest";
import { ttsConformance } from "../../testing/conformance/tts.js";
import { ElevenLabsServer } from "../../testing/elevenlabs/server.js";
import { SpokenWords } from "../../testing/spoken-words.js";
import { TestTTS } from "../../testing/test-speech.js";
import { ElevenLabsTTS, ElevenLabsWebSocketTTS } from "../elevenlabs.js";

describe("ElevenLabsTTS", () => {
  const cases = ttsConformance({
    start: async () => {
      const server = await ElevenLabsServer.start({ chunkMs: 100 });
      const tts = new ElevenLabsTTS({ apiKey: "test", baseUrl: server.url });
      return {
        tts,
        leftovers: () => server.requests.filter(({ outcome }) => outcome === undefined).map(({ path }) => path),
        [Symbol.asyncDispose]: async () => {
          await tts[Symbol.asyncDispose]();
          await server[Symbol.asyncDispose]();
        },
      };
    },
  });
  test.each(cases)("$name", ({ run }) => run());
});

describe("ElevenLabsWebSocketTTS", () => {
  const cases = ttsConformance({
    start: async () => {
      const server = await ElevenLabsServer.start({ chunkMs: 100 });
      const tts = new ElevenLabsWebSocketTTS({ apiKey: "test", baseUrl: server.url });
      return {
        tts,
        leftovers: () => server.sockets.filter(({ closed }) => closed === undefined).map(({ path }) => path),
        [Symbol.asyncDispose]: async () => {
          await tts[Symbol.asyncDispose]();
          await server[Symbol.asyncDispose]();
        },
      };
    },
  });
  test.each(cases)("$name", ({ run }) => run());
});

describe("TestTTS", () => {
  const cases = ttsConformance({
    start: () => {
      const tts = new TestTTS({ spoken: new SpokenWords() });
      return { tts, leftovers: () => Array(tts.openConnections).fill("a connection"), [Symbol.asyncDispose]: async () => {} };
    },
  });
  test.each(cases)("$name", ({ run }) => run());
});
