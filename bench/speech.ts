/**
 * Local speech on this machine: recognition, synthesis and voice detection alone, then calls in real time, one to
 * six at once. Run with `npm run build && npx tsx bench/speech.ts`; needs the speech files and the recordings that
 * the tests need. Latencies of recognition are from `finalize` to the final; those of calls include pacing.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { decodeFrame, encodeFrame } from "../src/audio/pcm.js";
import { type AudioFrame, audioDurationMs, MULAW_8K, PCM16_16K } from "../src/core/audio-frame.js";
import { systemClock } from "../src/core/clock.js";
import type { SttEvent } from "../src/core/stt.js";
import type { VadEvent } from "../src/core/vad.js";
import { LocalSTT } from "../src/stt/local.js";
import { LocalTTS, type LocalTtsVoice } from "../src/tts/local.js";
import { SileroVAD } from "../src/vad/silero.js";
import { cards, frames, prompts, type Recording, readSentences, wordErrors, words } from "../test/speech/recordings.js";
import { median, percentile, row } from "./statistics.js";

const { signal } = new AbortController();
const REPLY = "We have a table for four people tomorrow at half past seven. Would you like me to book it for you?";
const SILENCE_MS = 300;

const stt = new LocalSTT();
const tts = new LocalTTS();
const vad = new SileroVAD({ sampleRate: 8000 });
for (const [name, part] of [
  ["recognition", stt],
  ["synthesis", tts],
  ["voice detection", vad],
] as const) {
  const startedMs = performance.now();
  await part.prepare({ signal });
  console.log(row(`load ${name}`, ms(performance.now() - startedMs)));
}

await recognition();
await synthesis();
await detection();
await calls();
for (const part of [stt, tts, vad]) await part[Symbol.asyncDispose]();

/** Word errors and cost, each recording as fast as it goes in one stream. */
async function recognition(): Promise<void> {
  console.log("\nrecognition                                       word errors       of words  time/audio");
  const sets = { "prompts, telephone": prompts(6), "sentences, telephone": readSentences(), "cards, telephone": cards() };
  for (const [name, recordings] of Object.entries(sets)) await recognise(name, recordings, MULAW_8K);
  await recognise("sentences, wideband", readSentences(), PCM16_16K);
}

async function recognise(name: string, recordings: readonly Recording[], format: AudioFrame["format"]): Promise<void> {
  await using stream = stt.open({ language: "en", format, signal, clock: systemClock });
  const events = stream[Symbol.asyncIterator]();
  const startedMs = performance.now();
  let [errors, total, audioMs] = [0, 0, 0];
  for (const recording of recordings) {
    const spoken = frames(recording, format, { before: SILENCE_MS, after: SILENCE_MS });
    for (const frame of spoken) stream.write(frame);
    audioMs += durationMs(spoken);
    stream.finalize();
    const reference = words(recording.text);
    errors += wordErrors(reference, words(await transcript(events)));
    total += reference.length;
  }
  const share = (performance.now() - startedMs) / audioMs;
  console.log(row(`  ${name}`, `${((100 * errors) / total).toFixed(1)} %`, `${total}`, share.toFixed(3)));
}

/** Time to the first audio of a reply, per voice, and of all of it. */
async function synthesis(): Promise<void> {
  console.log("\nsynthesis                                         first audio p50            p95     time/audio");
  for (const voice of ["slt", "rms", "awb", "kal16", "kal"] satisfies LocalTtsVoice[]) {
    await using other = new LocalTTS({ voice });
    await other.prepare({ signal });
    const runs = [];
    for (let run = 0; run < 12; run++) runs.push(await speak(other));
    const firstMs = runs.map((run) => run.firstMs);
    const share = median(runs.map((run) => run.tookMs / run.audioMs));
    console.log(row(`  ${voice}`, ms(median(firstMs)), ms(percentile(firstMs, 0.95)), share.toFixed(3)));
  }
}

async function speak(voice: LocalTTS): Promise<{ firstMs: number; tookMs: number; audioMs: number }> {
  await using connection = voice.open({ format: MULAW_8K, language: "en", signal, clock: systemClock });
  const stream = connection.speak({ signal });
  const startedMs = performance.now();
  stream.write(REPLY);
  stream.flush();
  stream.end();
  let firstMs: number | undefined;
  let audioMs = 0;
  for await (const event of stream) {
    if (event.type !== "audio") continue;
    firstMs ??= performance.now() - startedMs;
    audioMs += durationMs([event.frame]);
  }
  return { firstMs: firstMs ?? Number.NaN, tookMs: performance.now() - startedMs, audioMs };
}

/** How late the events of a paced voice come, behind the sample they report. */
async function detection(): Promise<void> {
  const delays: Record<VadEvent["type"], number[]> = { speech_start: [], speech_end: [] };
  await Promise.all(
    prompts(40).map(async (recording) => {
      await using stream = vad.open({ signal, clock: systemClock });
      const startedMs = performance.now();
      const listening = (async () => {
        for await (const event of stream) delays[event.type].push(performance.now() - startedMs - event.audioMs);
      })();
      await pace(frames(recording, vad.inputFormat, { before: 1000, after: 1000 }), (frame) => stream.write(frame));
      await Promise.race([listening, sleep(100)]);
    }),
  );
  console.log("\nvoice detection, behind the sample it reports                p50            p95");
  for (const [type, values] of Object.entries(delays))
    console.log(row(`  ${type}`, ms(median(values)), ms(percentile(values, 0.95))));
}

interface Turn {
  readonly speech: readonly AudioFrame[];
  readonly silence: readonly AudioFrame[];
}

/** Calls at once, each in turns: the caller speaks, the reply is synthesised, the caller is silent for a while. */
async function calls(): Promise<void> {
  console.log("\ncalls at once, with turns     final p50            p95   first audio p95     voice p95  longest stall");
  const recordings = [...readSentences(), ...prompts(20)];
  for (const count of [1, 2, 4, 6]) {
    const [finals, firsts, starts]: [number[], number[], number[]] = [[], [], []];
    // Made beforehand, so that the stalls are those of the calls.
    const turns = recordings.map((recording) => ({
      speech: frames(recording, MULAW_8K, { before: SILENCE_MS, after: SILENCE_MS }),
      silence: frames({ ...recording, samples: new Int16Array(recording.sampleRate * 4) }, MULAW_8K),
    }));
    const stalls = monitorEventLoopDelay({ resolution: 1 });
    stalls.enable();
    await Promise.all(
      Array.from({ length: count }, async (_, call) => {
        await sleep(call * 700);
        await callInTurns(turns.slice(2 * call, 2 * call + 3), finals, firsts, starts);
      }),
    );
    stalls.disable();
    const cells = [
      median(finals),
      percentile(finals, 0.95),
      percentile(firsts, 0.95),
      percentile(starts, 0.95),
      stalls.max / 1e6,
    ];
    console.log(row(`  ${count}`, ...cells.map(ms)));
  }
}

async function callInTurns(turns: readonly Turn[], finals: number[], firsts: number[], starts: number[]): Promise<void> {
  await using recognising = stt.open({ language: "en", format: MULAW_8K, signal, clock: systemClock });
  await using detecting = vad.open({ signal, clock: systemClock });
  const events = recognising[Symbol.asyncIterator]();
  const startedMs = performance.now();
  const listening = (async () => {
    for await (const event of detecting)
      if (event.type === "speech_start") starts.push(performance.now() - startedMs - event.audioMs);
  })();
  let audioMs = 0;
  const hear = async (spoken: readonly AudioFrame[]): Promise<void> => {
    await pace(
      spoken,
      (frame) => {
        recognising.write(frame);
        detecting.write(encodeFrame(decodeFrame(frame), vad.inputFormat));
      },
      startedMs + audioMs,
    );
    audioMs += durationMs(spoken);
  };
  for (const turn of turns) {
    await hear(turn.speech);
    const finalizedMs = performance.now();
    recognising.finalize();
    await transcript(events);
    finals.push(performance.now() - finalizedMs);
    const reply = speak(tts);
    await hear(turn.silence);
    firsts.push((await reply).firstMs);
  }
  await Promise.race([listening, sleep(50)]);
}

/** Hands out frames at the pace at which they are spoken, whatever the timer does. */
async function pace(
  spoken: readonly AudioFrame[],
  write: (frame: AudioFrame) => void,
  fromMs = performance.now(),
): Promise<void> {
  let atMs = fromMs;
  for (const frame of spoken) {
    atMs += durationMs([frame]);
    const waitMs = atMs - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    write(frame);
  }
}

/** All that is said up to the answer to the next `finalize`. */
async function transcript(events: AsyncIterator<SttEvent>): Promise<string> {
  const parts: string[] = [];
  for (;;) {
    const { value, done } = await events.next();
    if (done === true) throw new Error("Recognition ended before its final.");
    if (value.type !== "final") continue;
    parts.push(value.transcript);
    if (value.finalized === true) return parts.join(" ");
  }
}

function durationMs(spoken: readonly AudioFrame[]): number {
  return spoken.reduce((sum, { format, bytes }) => sum + audioDurationMs(format, bytes.length), 0);
}

function ms(value: number): string {
  return `${value.toFixed(0)} ms`;
}
