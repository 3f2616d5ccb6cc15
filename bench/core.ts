/**
 * What the framework itself costs: its share of a turn with instant providers, the audio path per frame, imports.
 * Run with `npm run bench:core`; every figure is the median of several runs on this machine.
 */
import { execFileSync } from "node:child_process";
import { createAgent } from "../src/agent/agent.js";
import { runCall } from "../src/call/session.js";
import { Transcoder } from "../src/audio/transcode.js";
import { type AudioFormat, type AudioFrame, MULAW_8K, PCM16_16K } from "../src/core/audio-frame.js";
import type { IncomingCall } from "../src/core/carrier.js";
import { systemClock } from "../src/core/clock.js";
import type { LLM } from "../src/core/llm.js";
import { AsyncQueue } from "../src/core/queue.js";
import type { STT, SttEvent } from "../src/core/stt.js";
import type { Transport, TransportEvent } from "../src/core/transport.js";
import type { TTS, TtsEvent } from "../src/core/tts.js";
import { median, percentile, row } from "./statistics.js";

const RUNS = 5;
const TURNS = 400;
const ANSWER = "Yes, that is possible. ";

const llm: LLM = {
  provider: "instant",
  model: "instant",
  async *stream() {
    yield { type: "text", content: ANSWER };
    yield { type: "done", stopReason: "end_turn" };
  },
};

function instantTts(format: AudioFormat): TTS {
  const audio: AudioFrame = { format, bytes: new Uint8Array(320).fill(0x55) };
  return {
    provider: "instant",
    model: "instant",
    outputFormats: [format],
    open: () => ({
      speak: () => {
        const events = new AsyncQueue<TtsEvent>();
        let written = 0;
        return {
          write: (text) => {
            written += text.length;
          },
          flush: () => {
            events.push({ type: "audio", frame: audio });
            events.push({ type: "flushed", textEnd: written });
          },
          end: () => events.end(),
          [Symbol.asyncIterator]: () => events[Symbol.asyncIterator](),
        };
      },
      [Symbol.asyncDispose]: async () => {},
    }),
  };
}

/** A transport that plays at once, and an STT whose turns the bench ends by hand. */
function rig(): {
  transport: Transport;
  received: AsyncQueue<TransportEvent>;
  stt: STT;
  words: AsyncQueue<SttEvent>;
  sent: () => Promise<number>;
} {
  const received = new AsyncQueue<TransportEvent>();
  const words = new AsyncQueue<SttEvent>();
  let onSent: (atMs: number) => void = () => {};
  const transport: Transport = {
    format: MULAW_8K,
    playout: "marks",
    received,
    send: () => onSent(performance.now()),
    mark: (name) => received.push({ type: "mark", name }),
    clear: () => {},
    [Symbol.asyncDispose]: async () => received.end(),
  };
  const stt: STT = {
    provider: "instant",
    model: "instant",
    inputFormats: [MULAW_8K],
    open: ({ signal }) => {
      signal.addEventListener("abort", () => words.end());
      return {
        write: () => {},
        finalize: () => {},
        [Symbol.asyncIterator]: () => words[Symbol.asyncIterator](),
        [Symbol.asyncDispose]: async () => {},
      };
    },
  };
  const sent = (): Promise<number> =>
    new Promise((resolve) => {
      onSent = resolve;
    });
  return { transport, received, stt, words, sent };
}

/** End of turn received from the STT to the first audio sent, in ms, for each turn. */
async function turnOverheads(): Promise<number[]> {
  const { transport, received, stt, words, sent } = rig();
  const agent = createAgent({ stt, llm, tts: instantTts(MULAW_8K), systemPrompt: "You answer questions about opening hours." });
  const incoming: IncomingCall = {
    callId: "bench",
    from: "",
    to: "",
    direction: "inbound",
    customParameters: {},
    transport,
    control: { hangUp: async () => {}, transfer: async () => {}, sendDtmf: async () => {} },
  };
  const running = runCall({
    agent,
    incoming,
    carrier: "bench",
    clock: systemClock,
    signal: new AbortController().signal,
    onEvents: () => {},
  });
  await immediate();
  const overheads: number[] = [];
  for (let turn = 0; turn < TURNS; turn++) {
    const first = sent();
    const startedMs = performance.now();
    words.push({ type: "final", transcript: "are you open on monday" });
    words.push({ type: "turn_end", reason: "bench" });
    overheads.push((await first) - startedMs);
    // The reply ends when its mark has come back: let it, so that turns do not interrupt one another.
    await immediate();
    await immediate();
  }
  received.push({ type: "closed", reason: "caller" });
  received.end();
  await running;
  return overheads;
}

/** The same model and voice in a bare loop: what a turn costs with no framework. */
async function bareOverheads(): Promise<number[]> {
  const overheads: number[] = [];
  const connection = instantTts(MULAW_8K).open({
    format: MULAW_8K,
    language: "en",
    signal: new AbortController().signal,
    clock: systemClock,
  });
  for (let turn = 0; turn < TURNS; turn++) {
    const startedMs = performance.now();
    const speech = connection.speak({ signal: new AbortController().signal });
    for await (const chunk of llm.stream([])) if (chunk.type === "text") speech.write(chunk.content);
    speech.flush();
    speech.end();
    for await (const event of speech) if (event.type === "audio") overheads.push(performance.now() - startedMs);
    await immediate();
  }
  return overheads;
}

/** Microseconds to convert one 20 ms frame. */
function frameMicroseconds(from: AudioFormat, to: AudioFormat): number {
  const frame: AudioFrame = {
    format: from,
    bytes: new Uint8Array((from.sampleRate / 50) * (from.encoding === "pcm16" ? 2 : 1)).fill(0x35),
  };
  const transcoder = new Transcoder(from, to);
  const frames = 5000;
  const run = (): number => {
    const startedMs = performance.now();
    for (let index = 0; index < frames; index++) transcoder.process(frame);
    return ((performance.now() - startedMs) / frames) * 1000;
  };
  run();
  return median(Array.from({ length: RUNS }, run));
}

/** Ms that a fresh process needs to import a built entry point. */
function importMs(entry: string): number {
  const script = `const t = performance.now(); await import(${JSON.stringify(entry)}); console.log(performance.now() - t);`;
  const once = (): number => Number(execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" }));
  once();
  return median(Array.from({ length: 9 }, once));
}

function immediate(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function milliseconds(value: number): string {
  return `${value.toFixed(value < 10 ? 3 : 1)} ms`;
}

await turnOverheads();
const framework: number[] = [];
const bare: number[] = [];
for (let run = 0; run < RUNS; run++) {
  framework.push(...(await turnOverheads()));
  bare.push(...(await bareOverheads()));
}
console.log(row("end of turn to first audio, instant providers", "p50", "p95", "p99"));
console.log(row("  framework", ...[0.5, 0.95, 0.99].map((share) => milliseconds(percentile(framework, share)))));
console.log(
  row("  bare loop over the same providers", ...[0.5, 0.95, 0.99].map((share) => milliseconds(percentile(bare, share)))),
);
console.log(row("  ratio of the medians", `${(median(framework) / median(bare)).toFixed(1)} x`));
console.log();
console.log(row("audio path, per 20 ms frame", "median"));
for (const [name, from, to] of [
  ["mulaw 8 kHz untouched (telephone to STT)", MULAW_8K, MULAW_8K],
  ["mulaw 8 kHz to pcm16 16 kHz (telephone to VAD)", MULAW_8K, PCM16_16K],
  ["pcm16 16 kHz to mulaw 8 kHz (voice to telephone)", PCM16_16K, MULAW_8K],
  ["pcm16 16 kHz untouched (page)", PCM16_16K, PCM16_16K],
] as const) {
  console.log(row(`  ${name}`, `${frameMicroseconds(from, to).toFixed(2)} us`));
}
console.log();
console.log(row("import in a fresh process", "median"));
for (const entry of ["index", "llm/anthropic"]) {
  const url = new URL(`../dist/${entry}.js`, import.meta.url).href;
  console.log(row(`  getpatter${entry === "index" ? "" : `/${entry}`}`, milliseconds(importMs(url))));
}
