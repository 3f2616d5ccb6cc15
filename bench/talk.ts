/**
 * Spoken calls on local speech, measured in their recordings: recorded callers book tables by telephone (8 kHz mu-law).
 * Prints voice-to-voice latency from the audio, its parts, word errors and playout gaps, for 1, 2 and 6 calls at once.
 * Run with `npm run bench:talk`, after `npm test` has installed the recordings.
 */
import { readWav } from "../src/audio/wav.js";
import { MULAW_8K } from "../src/core/audio-frame.js";
import { runWavCall, type WavCallResult } from "../src/simulate/wav-call.js";
import { wordErrors } from "../src/simulate/word-errors.js";
import { CALLERS, type Caller } from "../test/end-to-end/callers.js";
import { callerWav } from "../test/end-to-end/recordings.js";
import { Restaurant } from "../test/end-to-end/restaurant.js";
import { median, percentile, row } from "./statistics.js";

const CALLS_AT_ONCE = [1, 2, 6];

interface Measured {
  readonly caller: Caller;
  readonly result: WavCallResult;
}

async function callsAtOnce(count: number): Promise<readonly Measured[]> {
  await using restaurant = await Restaurant.open();
  const rounds = count === 1 ? CALLERS.length : 1;
  const measured: Measured[] = [];
  for (let round = 0; round < rounds; round++) {
    const callers = Array.from({ length: count }, (_, index) => CALLERS[(round + index) % CALLERS.length] as Caller);
    measured.push(...(await Promise.all(callers.map(async (caller) => ({ caller, result: await speak(restaurant, caller) })))));
  }
  return measured;
}

function speak(restaurant: Restaurant, caller: Caller): Promise<WavCallResult> {
  const turns = caller.turns.map((say) => ({ beforeMs: 1500, say }));
  return runWavCall({ agent: restaurant.agent, wav: readWav(callerWav(turns, 1500)), format: MULAW_8K });
}

/** The event loop's longest delay while `run` runs, in ms. */
async function withLoopDelay<T>(run: () => Promise<T>): Promise<{ readonly value: T; readonly maxDelayMs: number }> {
  let lastMs = performance.now();
  let maxDelayMs = 0;
  const timer = setInterval(() => {
    maxDelayMs = Math.max(maxDelayMs, performance.now() - lastMs - 10);
    lastMs = performance.now();
  }, 10);
  const value = await run();
  clearInterval(timer);
  return { value, maxDelayMs };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function milliseconds(values: readonly number[]): string {
  return values.length === 0 ? "-" : `${Math.round(median(values))} / ${Math.round(percentile(values, 0.95))}`;
}

console.log(row("ms, median / 95 %", ...CALLS_AT_ONCE.map((count) => `${count} at once`)));
const columns: Record<string, string>[] = [];
for (const count of CALLS_AT_ONCE) {
  const { value: measured, maxDelayMs } = await withLoopDelay(() => callsAtOnce(count));
  const turns = measured.flatMap(({ result }) => result.record.turns);
  const errors = measured.map(({ caller, result }) => {
    const heard = result.record.transcript.flatMap((entry) => (entry.role === "user" ? [entry.text] : []));
    return wordErrors(caller.words, heard.join(" "));
  });
  const gaps = measured.flatMap(({ result }) => result.replies.flatMap((reply) => reply.gaps.map((gap) => gap.durationMs)));
  columns.push({
    "last speech to first reply sample, in the audio": milliseconds(
      measured.flatMap(({ result }) => result.replies.flatMap((reply) => reply.latencyMs ?? [])),
    ),
    "  endpointing": milliseconds(turns.flatMap((turn) => turn.endpointingMs ?? [])),
    "  model (a script), to its first token": milliseconds(turns.flatMap((turn) => turn.llmFirstTokenMs ?? [])),
    "  voice, to its first audio": milliseconds(turns.flatMap((turn) => turn.ttsFirstAudioMs ?? [])),
    "  the rest, framework included": milliseconds(turns.flatMap((turn) => turn.overheadMs ?? [])),
    "word errors": `${sum(errors.map((each) => each.substitutions + each.deletions + each.insertions))} of ${sum(errors.map((each) => each.words))}`,
    "playout gaps over 20 ms": String(gaps.filter((gap) => gap > 20).length),
    "longest event loop delay": `${Math.round(maxDelayMs)}`,
    turns: String(turns.length),
  });
}
for (const name of Object.keys(columns[0] ?? {})) console.log(row(name, ...columns.map((column) => column[name] ?? "")));
process.exit(0);
