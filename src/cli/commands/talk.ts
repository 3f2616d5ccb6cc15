import { existsSync } from "node:fs";
import { open, readFile, rm, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { WavAudio } from "../../audio/wav.js";
import type { Agent } from "../../agent/agent.js";
import { MULAW_8K, PCM16_16K } from "../../core/audio-frame.js";
import { errorMessage } from "../../core/errors.js";
import type { WavCallResult } from "../../simulate/wav-call.js";
import type { AgentFile } from "../agent-file.js";
import { command, type CommandContext } from "../command.js";
import { Failure, UsageError } from "../failure.js";
import type { Output } from "../output.js";

/** How much faster than real time `--fast` is: more, and a machine of two cores changes who interrupts whom. */
const FAST = 2;

const LINES = { telephone: MULAW_8K, wideband: PCM16_16K } as const;

/** `getpatter talk FILE --wav IN --out OUT` */
export const talkCommand = command({
  help: `Let a recording call the agent of a file, and measure the answers in what was heard.

Usage: getpatter talk [FILE] --wav in.wav [--out out.wav] [options]

FILE exports by default an agent, or { phone, agent }; without it the demo's restaurant
answers, on local speech.

The recording is cut at silences of more than 1.2 s; each part is spoken once the agent
has finished. Latency is measured in the sound: from the caller's last audible sample to
the first of the reply.

  --wav FILE        what the caller says: a WAV file, of any rate; its first channel counts
  --out FILE        where to write the call: stereo, the caller left, the agent right
  --line KIND       telephone (mu-law, 8 kHz) or wideband (PCM, 16 kHz); default telephone for a
                    recording at 8 kHz, else wideband
  --noise DB        noise on the caller's side, so many dB below full scale, or none; default 65,
                    a quiet room; 40 is a loud one
  --straight        play the recording as it is, and do not wait for the agent
  --fast            run the call ${FAST} times as fast; its latencies are no measurement
  --reference FILE  a text of what the caller says: prints the word errors
  --json            print the result as JSON, and nothing else

Example:
  getpatter talk agent.ts --wav caller.wav --out call.wav`,
  options: {
    wav: { type: "string" },
    out: { type: "string" },
    line: { type: "string" },
    noise: { type: "string" },
    straight: { type: "boolean", default: false },
    fast: { type: "boolean", default: false },
    reference: { type: "string" },
    json: { type: "boolean", default: false },
  },
  operands: ["FILE?"],
  run: async ({ values, positionals: [file] }, context) => {
    if (values.wav === undefined) throw new UsageError("--wav is missing: name the recording of a caller.");
    if (values.line !== undefined && !Object.hasOwn(LINES, values.line))
      throw new UsageError(`--line is telephone or wideband, not "${values.line}".`);
    const wav = await readRecording(resolve(context.cwd, values.wav));
    const reference = values.reference === undefined ? undefined : await readText(resolve(context.cwd, values.reference));
    const out = values.out === undefined ? undefined : resolve(context.cwd, values.out);
    if (out !== undefined) await requireWritable(out);
    const { callReport, printReport } = await import("../talk-report.js");
    const { closeModel, loadAgentFile } = await import("../agent-file.js");
    const agentFile = file === undefined ? await restaurant(context) : await loadAgentFile(file, context);
    const result = await call(agentFile, wav, values, context);
    await closeModel(agentFile.agent);
    if (out !== undefined) await write(out, result.recording);
    const report = callReport(result, { isMeasurement: !values.fast, reference, out });
    if (values.json) context.out.line(JSON.stringify(report, null, 2));
    else printReport(report, context.out);
    return result.record.endReason === "error" ? 1 : 0;
  },
});

async function restaurant({ cwd, env }: CommandContext): Promise<AgentFile> {
  const [{ createAgent }, { demoModel, spokenRestaurant }, { loadEnvFiles }, { restaurantFolder }] = await Promise.all([
    import("../../agent/agent.js"),
    import("../demo-agent.js"),
    import("../env-file.js"),
    import("../folders.js"),
  ]);
  loadEnvFiles([cwd], env);
  return { agent: createAgent(await spokenRestaurant(await demoModel(env), restaurantFolder(env))) };
}

interface TalkOptions {
  readonly line?: string | undefined;
  readonly noise?: string | undefined;
  readonly straight: boolean;
  readonly fast: boolean;
  readonly json: boolean;
}

async function call(file: AgentFile, wav: WavAudio, options: TalkOptions, { out, err }: CommandContext): Promise<WavCallResult> {
  const [
    { runWavCall },
    { CallLog, duration },
    { answeringAgent },
    { Pricing },
    { transcriptEntry },
    { ScaledClock, systemClock },
  ] = await Promise.all([
    import("../../simulate/wav-call.js"),
    import("../call-log.js"),
    import("../../answering.js"),
    import("../../observe/pricing.js"),
    import("../../observe/recorder.js"),
    import("../../core/clock.js"),
  ]);
  const agent: Agent = answeringAgent("talk", file);
  const pricing = new Pricing(file.pricing);
  // Recognition at 16 kHz misses what a recording at 8 kHz does not have; a telephone line makes up for it.
  const line = (options.line ?? (wav.format.sampleRate <= 8000 ? "telephone" : "wideband")) as keyof typeof LINES;
  const stop = new AbortController();
  const onInterrupt = (): void => stop.abort();
  process.once("SIGINT", onInterrupt);
  const log = options.json ? undefined : new CallLog(out, { showsLatency: false, pricing });
  const seconds = duration((wav.bytes.length / bytesPerSecond(wav)) * 1000);
  const header = `The caller: ${seconds} of sound, on a ${line} line${options.fast ? `, ${FAST} times as fast` : ""}.`;
  const result = await runWavCall({
    agent,
    wav,
    format: LINES[line],
    clock: options.fast ? new ScaledClock(FAST) : systemClock,
    takesTurns: !options.straight,
    ...(options.noise !== undefined && { noiseDbfs: noiseLevel(options.noise) }),
    ...(file.onCallStart && { onStart: file.onCallStart }),
    onEvent: (event) => {
      if (event.type === "call_started" && !options.json) out.line(header);
      log?.show(event);
      const entry = transcriptEntry(event);
      if (entry !== undefined)
        void tell(err, async () => file.onTranscript?.({ callId: event.callId, role: entry.role, text: entry.text }));
    },
    signal: stop.signal,
    pricing,
  }).catch((error: unknown) => {
    throw stop.signal.aborted ? new Failure("Stopped before the call began.", { cause: error }) : error;
  });
  process.off("SIGINT", onInterrupt);
  await tell(err, async () => file.onCallEnd?.({ ...result.record, caller: result.record.from, callee: result.record.to }));
  return result;
}

function noiseLevel(text: string): number {
  if (text === "none") return Number.NEGATIVE_INFINITY;
  if (/^\d+(\.\d+)?$/.test(text)) return -Number(text);
  throw new UsageError(`--noise is a number of dB below full scale, such as 50, or none, not "${text}".`);
}

/** Runs a callback of the file; its failure is not the call's. */
async function tell(err: Output, callback: () => Promise<unknown>): Promise<void> {
  try {
    await callback();
  } catch (error) {
    err.line(`error: a callback failed: ${errorMessage(error)}`);
  }
}

function bytesPerSecond({ format, channels }: WavAudio): number {
  return format.sampleRate * channels * (format.encoding === "pcm16" ? 2 : 1);
}

async function readRecording(path: string): Promise<WavAudio> {
  const { readWav } = await import("../../audio/wav.js");
  const bytes = await readOrFail(path);
  try {
    return readWav(bytes);
  } catch (error) {
    throw new Failure(`${path}: ${errorMessage(error)}`, { cause: error });
  }
}

async function readText(path: string): Promise<string> {
  return (await readOrFail(path)).toString("utf8");
}

async function readOrFail(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw fileFailure(`${path} cannot be read`, error);
  }
}

/** Fails now and not after the call. */
async function requireWritable(path: string): Promise<void> {
  const isNew = !existsSync(path);
  try {
    await (await open(path, "a")).close();
    if (isNew) await rm(path);
  } catch (error) {
    throw fileFailure(`${path} cannot be written`, error);
  }
}

async function write(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeFile(path, bytes);
  } catch (error) {
    throw fileFailure(`${path} cannot be written`, error);
  }
}

function fileFailure(what: string, error: unknown): Failure {
  const reasons: Record<string, string> = {
    ENOENT: "there is no such file or folder",
    EISDIR: "it is a folder",
    EACCES: "permission is denied",
  };
  const code = (error as NodeJS.ErrnoException).code ?? "";
  return new Failure(`${what}: ${reasons[code] ?? String(error)}.`, { cause: error });
}
