import { describe, test } from "vitest";
import { type AudioFormat, audioByteLength } from "../../core/audio-frame.js";
import { VirtualClock } from "../../core/clock.js";
import { DeepgramSTT } from "../../stt/deepgram.js";
import { DeepgramServer } from "../deepgram/server.js";
import { SpokenWords } from "../spoken-words.js";
import { TestSTT } from "../test-speech.js";
import { sttConformance } from "./stt.js";

describe("TestSTT", () => {
  const cases = sttConformance({
    start: () => {
      const spoken = new SpokenWords();
      const stt = new TestSTT({ spoken });
      return {
        stt,
        clock: new VirtualClock(),
        say: (phrase) => spoken.encode(phrase),
        leftovers: () => Array(stt.openStreams).fill("a stream"),
        [Symbol.asyncDispose]: async () => {},
      };
    },
  });
  test.each(cases)("$name", ({ run }) => run());
});

describe.each(["nova-3", "flux-general-en"])("DeepgramSTT with %s, words in the audio", (model) => {
  const cases = sttConformance({
    start: async () => {
      const spoken = new SpokenWords();
      const server = await DeepgramServer.start({ spoken });
      return {
        stt: new DeepgramSTT({ apiKey: "test", baseUrl: server.url, model, encoding: "linear16" }),
        say: (phrase) => spoken.encode(phrase),
        failNext: () => server.fail({ status: 401 }),
        leftovers: () => server.sockets.filter(({ closed }) => closed === undefined).map(({ path }) => path),
        [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
      };
    },
  });
  test.each(cases)("$name", ({ run }) => run());
});

describe.each(["nova-3", "flux-general-en"])("DeepgramSTT with %s, every format", (model) => {
  const cases = sttConformance({
    start: async () => {
      const server = await DeepgramServer.start();
      return {
        stt: new DeepgramSTT({ apiKey: "test", baseUrl: server.url, model }),
        // The server hears a script; each socket takes the next.
        say: (phrase: string, format: AudioFormat) => {
          server.script([{ text: phrase, startMs: 100 }]);
          return new Uint8Array(audioByteLength(format, 1200));
        },
        [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
      };
    },
  });
  test.each(cases.filter(({ name }) => name.includes("every format")))("$name", ({ run }) => run());
});
