import { expect, test } from "vitest";
import { type AudioFormat, MULAW_8K } from "../../core/audio-frame.js";
import type { TTS, TtsConnection, TtsEvent, TtsOpenOptions, TtsStream } from "../../core/tts.js";
import { SpokenWords } from "../spoken-words.js";
import { TestTTS } from "../test-speech.js";
import { ttsConformance } from "./tts.js";

/** A synthesiser with a fault: what it does to the events, or to a reply's signal. */
interface Fault {
  readonly change?: (event: TtsEvent) => readonly TtsEvent[];
  readonly ignoresAbort?: boolean;
  readonly formats?: readonly AudioFormat[];
}

class FaultyTTS implements TTS {
  readonly provider = "faulty";
  readonly model = "none";
  readonly outputFormats: readonly AudioFormat[];
  readonly #inner = new TestTTS({ spoken: new SpokenWords() });
  readonly #fault: Fault;

  constructor(fault: Fault) {
    this.#fault = fault;
    this.outputFormats = fault.formats ?? this.#inner.outputFormats;
  }

  get openConnections(): number {
    return this.#inner.openConnections;
  }

  open(options: TtsOpenOptions): TtsConnection {
    const connection = this.#inner.open(options);
    const never = new AbortController().signal;
    return {
      speak: ({ signal }) => this.#changed(connection.speak({ signal: this.#fault.ignoresAbort === true ? never : signal })),
      [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
    };
  }

  #changed(stream: TtsStream): TtsStream {
    const { change = (event) => [event] } = this.#fault;
    return {
      write: (text) => stream.write(text),
      flush: () => stream.flush(),
      end: () => stream.end(),
      async *[Symbol.asyncIterator]() {
        for await (const event of stream) yield* change(event);
      },
    };
  }
}

async function failing(fault: Fault): Promise<string[]> {
  const cases = ttsConformance({
    start: () => {
      const tts = new FaultyTTS(fault);
      return { tts, leftovers: () => Array(tts.openConnections).fill("a connection"), [Symbol.asyncDispose]: async () => {} };
    },
  });
  const failed: string[] = [];
  for (const { name, run } of cases) {
    await run().catch(() => {
      failed.push(name);
    });
  }
  return failed;
}

test("a synthesiser without a fault passes", async () => {
  expect(await failing({})).toEqual([]);
});

test.each<[string, Fault, string]>([
  ["tells no flush", { change: (event) => (event.type === "flushed" ? [] : [event]) }, "answers every flush"],
  [
    "counts the text from the flush",
    { change: (event) => (event.type === "flushed" ? [{ ...event, textEnd: event.textEnd - 1 }] : [event]) },
    "answers every flush",
  ],
  ["goes on after an abort", { ignoresAbort: true }, "falls silent"],
  ["offers a format that it does not speak", { formats: [MULAW_8K] }, "speaks whole samples"],
  ["has no audio", { change: (event) => (event.type === "audio" ? [] : [event]) }, "takes a text in pieces"],
  ["counts no characters", { change: (event) => (event.type === "usage" ? [] : [event]) }, "reports the characters"],
  ["tells no words", { change: (event) => (event.type === "words" ? [] : [event]) }, "tells when each word"],
])("one that %s fails", async (_, fault, name) => {
  expect((await failing(fault)).some((failed) => failed.startsWith(name))).toBe(true);
});
