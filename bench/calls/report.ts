import { percentile } from "../statistics.js";
import { MODEL_MS, OFFSETS_MS, VOICE_MS } from "./conversation.js";
import type { Run, SubjectName } from "./run.js";

const MAX_OVERHEAD_RATIO = 1.4;
const MAX_CPU_RATIO = 1.3;
const MAX_CLEAR_MS = 10;
const MAX_MEMORY_BYTES = 600_000;

type Runs = Readonly<Record<SubjectName, readonly Run[]>>;

/** One figure of a program: how it is computed, and shown. */
interface Figure {
  readonly name: string;
  readonly of: (runs: readonly Run[]) => number;
  readonly show: (value: number) => string;
}

/** Tables of a bench's runs, the load of the processes beside the programs, and which aims are met. */
export function report(calls: number, runs: Runs): string {
  const agent = runs.agent.map(({ subject }) => subject);
  const figures = [...overheads(), ...vendorTimes(), ...silences(), ...costs(calls)];
  const head = [`${calls} calls at once`, "agent", "bare relay", "ratio"];
  return [
    table(
      head,
      figures.map((figure) => compared(figure, runs)),
    ),
    table(["each process, of a core", "with the agent", "with the relay"], bystanders(runs)),
    `${agent.reduce((sum, { overheadMs }) => sum + overheadMs.length, 0)} turns of the agent's were timed.`,
    "",
    aims(calls, runs),
    ...troubles(runs),
  ].join("\n");
}

function overheads(): Figure[] {
  return [
    ...[0.5, 0.95].map((share) => ({
      name: `overhead per turn, from within, p${share * 100}`,
      of: (runs: readonly Run[]) => percentile(ownOverheads(runs), share),
      show: milliseconds,
    })),
    ...[0.5, 0.95].map((share) => ({
      name: `overhead per turn, at the carrier, p${share * 100}`,
      of: (runs: readonly Run[]) => percentile(carrierOverheads(runs), share),
      show: milliseconds,
    })),
  ];
}

/** Beyond the vendors' delays: what the servers, the sockets and the program's own clients take. */
function vendorTimes(): Figure[] {
  return [0.5, 0.95].flatMap((share) => [
    {
      name: `request to the model's first token, less ${MODEL_MS} ms, p${share * 100}`,
      of: (runs: readonly Run[]) =>
        percentile(
          runs.flatMap(({ subject }) => subject.modelMs),
          share,
        ) - MODEL_MS,
      show: milliseconds,
    },
    {
      name: `sentence to the voice's first audio, less ${VOICE_MS} ms, p${share * 100}`,
      of: (runs: readonly Run[]) =>
        percentile(
          runs.flatMap(({ subject }) => subject.voiceMs),
          share,
        ) - VOICE_MS,
      show: milliseconds,
    },
  ]);
}

function silences(): Figure[] {
  const atCarrier = OFFSETS_MS.flatMap((offsetMs) =>
    [0.5, 0.95].map((share) => ({
      name: `words to \`clear\` at the carrier, ${offsetMs / 1000} s into a reply, p${share * 100}`,
      of: (runs: readonly Run[]) => percentile(clearsAt(runs, offsetMs), share),
      show: milliseconds,
    })),
  );
  const within = [0.5, 0.95, 1].map((share) => ({
    name: `decision to \`clear\`, from within, ${share === 1 ? "longest" : `p${share * 100}`}`,
    of: (runs: readonly Run[]) => percentile(ownClears(runs), share),
    show: milliseconds,
  }));
  const count = (value: number): string => String(value);
  return [
    ...atCarrier,
    ...within,
    { name: "silences within a reply", of: (runs) => gaps(runs).length, show: count },
    { name: "longest of them", of: (runs) => Math.max(0, ...gaps(runs)), show: milliseconds },
  ];
}

function costs(calls: number): Figure[] {
  const worst = (name: "p50" | "p95" | "p99" | "max") => (runs: readonly Run[]) =>
    Math.max(...runs.map(({ subject }) => subject.effort.delayMs[name]));
  return [
    { name: "CPU per call, of a core", of: cpuPerCall, show: (share) => `${(share * 100).toFixed(3)} %` },
    { name: "heap and buffers per call", of: heapPerCall(calls), show: megabytes },
    {
      name: "resident memory per call, as far as it is given back",
      of: (runs) => mean(runs.map((run) => (run.subject.memory.residentBytes - run.memoryAfter.residentBytes) / calls)),
      show: megabytes,
    },
    ...(["p50", "p95", "p99", "max"] as const).map((name) => ({
      name: `event-loop delay, ${name === "max" ? "longest" : name}`,
      of: worst(name),
      show: milliseconds,
    })),
  ];
}

function compared({ name, of, show }: Figure, { agent, relay }: Runs): string[] {
  const [ours, bare] = [of(agent), of(relay)];
  return [name, show(ours), show(bare), ratio(ours, bare)];
}

/** What the vendors and the callers took: who is at its limit delays everybody. */
function bystanders({ agent, relay }: Runs): string[][] {
  const others = (runs: readonly Run[]): string => {
    const shares = runs.map(({ subject, vendors, callers }) => {
      const bench = subject.effort.cpuMs + vendors.cpuMs + callers.cpuMs;
      return (subject.effort.machineCpuMs - bench) / subject.effort.wallMs;
    });
    return `${(mean(shares) * 100).toFixed(0)} %`;
  };
  const program = (runs: readonly Run[]): string =>
    `${(mean(runs.map(({ subject: { effort } }) => effort.cpuMs / effort.wallMs)) * 100).toFixed(0)} %`;
  const rows = (["vendors", "callers"] as const).flatMap((name) => {
    const load = (runs: readonly Run[]): string =>
      `${(mean(runs.map((run) => run[name].cpuMs / run[name].wallMs)) * 100).toFixed(0)} %`;
    const delay = (runs: readonly Run[]): string => milliseconds(Math.max(...runs.map((run) => run[name].delayMs.p95)));
    return [
      [name, load(agent), load(relay)],
      [`${name}' event-loop delay, p95`, delay(agent), delay(relay)],
    ];
  });
  return [
    ["the program itself", program(agent), program(relay)],
    ...rows,
    ["other jobs of the machine", others(agent), others(relay)],
  ];
}

/** The aims, each with its figures: met or missed. */
function aims(calls: number, { agent, relay }: Runs): string {
  const lines = overheads().map(({ name, of }) => {
    const [ours, bare] = [of(agent), of(relay)];
    const text = `${name}, at most ${MAX_OVERHEAD_RATIO} x the relay's: ${milliseconds(ours)}, ${ratio(ours, bare)}`;
    return aim(ours <= bare * MAX_OVERHEAD_RATIO, text);
  });
  const memory = heapPerCall(calls)(agent);
  const cpu = cpuPerCall(agent) / cpuPerCall(relay);
  const late = gaps(agent);
  const clears = ownClears(agent);
  const longest = Math.max(...clears);
  const over = clears.filter((ms) => ms >= MAX_CLEAR_MS).length;
  return [
    ...lines,
    aim(cpu <= MAX_CPU_RATIO, `CPU per call at most ${MAX_CPU_RATIO} x the relay's, with ${calls} calls: ${cpu.toFixed(2)} x`),
    aim(memory <= MAX_MEMORY_BYTES, `at most ${megabytes(MAX_MEMORY_BYTES)} of heap and buffers per call: ${megabytes(memory)}`),
    aim(late.length === 0, `no late frame: ${late.length} silences within ${agent.length * calls} calls' replies`),
    aim(
      over === 0,
      `decision to \`clear\` under ${MAX_CLEAR_MS} ms: ${over} of ${clears.length} were longer, the longest ${milliseconds(longest)}`,
    ),
  ].join("\n");
}

/** What should not have happened at all, for each program. */
function troubles(runs: Runs): string[] {
  return (["agent", "relay"] as const).flatMap((name) => {
    const calls = runs[name].flatMap((run) => run.calls);
    const replies = calls.reduce((sum, { missingReplies }) => sum + missingReplies, 0);
    const clears = calls.reduce((sum, { missingClears }) => sum + missingClears, 0);
    const errors = [...new Set(calls.flatMap((call) => call.errors))];
    if (replies + clears + errors.length === 0) return [];
    return [`- ${name}: ${replies} replies and ${clears} clears did not come within 2 s; errors: ${errors.join("; ") || "none"}`];
  });
}

function ownOverheads(runs: readonly Run[]): number[] {
  return runs.flatMap(({ subject }) => subject.overheadMs);
}

function ownClears(runs: readonly Run[]): number[] {
  return runs.flatMap(({ subject }) => subject.clearMs);
}

function carrierOverheads(runs: readonly Run[]): number[] {
  return runs.flatMap(({ calls }) => calls.flatMap(({ overheadMs }) => overheadMs));
}

function clearsAt(runs: readonly Run[], offsetMs: number): number[] {
  const clears = runs.flatMap(({ calls }) => calls.flatMap((call) => call.clears));
  return clears.filter((clear) => clear.offsetMs === offsetMs).map(({ ms }) => ms);
}

function gaps(runs: readonly Run[]): number[] {
  return runs.flatMap(({ calls }) => calls.flatMap(({ gapsMs }) => gapsMs));
}

/** The share of a core that one call takes while it lasts. */
function cpuPerCall(runs: readonly Run[]): number {
  return mean(runs.map(({ subject, callMs }) => subject.effort.cpuMs / callMs));
}

function heapPerCall(calls: number): (runs: readonly Run[]) => number {
  return (runs) => mean(runs.map((run) => (run.subject.memory.usedBytes - run.memoryAfter.usedBytes) / calls));
}

function aim(isMet: boolean, text: string): string {
  return `- ${isMet ? "met" : "**missed**"}: ${text}`;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function milliseconds(value: number): string {
  return Number.isNaN(value) ? "none" : `${value.toFixed(value < 10 ? 2 : 1)} ms`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(2)} MB`;
}

function ratio(ours: number, bare: number): string {
  return bare > 0 && ours >= 0 && Number.isFinite(ours / bare) ? `${(ours / bare).toFixed(2)} x` : "";
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rule = head.map((_, index) => (index === 0 ? "---" : "---:"));
  return `${[head, rule, ...rows].map(line).join("\n")}\n`;
}
