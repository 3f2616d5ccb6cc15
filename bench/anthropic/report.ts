import { median, percentile } from "../statistics.js";
import { type ClientKind, OURS, RIVALS, UNCACHED } from "./kinds.js";
import { CONCURRENT_REPLIES, type Connections, type InputCost } from "./counts.js";
import { type Effort, PACED } from "./effort.js";

const MAX_ADDED_MS = 0.3;
const MIN_SAVED_SHARE = 0.85;

/** Time to the first token, CPU and allocation, each with its ratio to `AnthropicLLM`'s. */
export function effortTable(
  effort: ReadonlyMap<ClientKind, Effort>,
  allocation: ReadonlyMap<ClientKind, number | undefined>,
): string {
  const ours = effort.get(OURS) as Effort;
  const rows = [...effort].map(([kind, { addedMs, firstMs, pacedCpuMs, burstCpuMs }]) => [
    `${kind.name}, ${kind.protocol}`,
    firstMs.toFixed(2),
    kind.name === "bare loop" ? "" : signed(median(addedMs)),
    kind.name === "bare loop" ? "" : signed(percentile(addedMs, 0.95)),
    withRatio(pacedCpuMs, ours.pacedCpuMs, 2),
    withRatio(burstCpuMs, ours.burstCpuMs, 2),
    withRatio(kilobytes(allocation.get(kind)), kilobytes(allocation.get(OURS)), 0),
  ]);
  const head = [
    "per turn",
    "first token, ms",
    "added to the bare loop, ms",
    "at the 95th percentile",
    `CPU, ms: ${PACED.deltas} pieces, ${PACED.gapMs} ms apart`,
    `CPU, ms: ${PACED.deltas} pieces at once`,
    "allocated, kB",
  ];
  return table(head, rows);
}

export function connectionTable(connections: ReadonlyMap<ClientKind, Connections>): string {
  const rows = [...connections].map(([kind, { ofBargeIns, ofConcurrent }]) => [
    `${kind.name}, ${kind.protocol}`,
    String(ofBargeIns),
    String(ofConcurrent),
  ]);
  return table(["TLS connections", "20 turns, 10 barge-ins", `${CONCURRENT_REPLIES} replies at once`], rows);
}

export function costTable(costs: readonly InputCost[]): string {
  const uncached = costOf(costs, UNCACHED.name);
  const rows = costs.map(({ kind, costUsd, cachedShare }) => [
    kind.name,
    (costUsd * 100).toFixed(3),
    percent(1 - costUsd / uncached.costUsd),
    percent(cachedShare),
  ]);
  const what = `${uncached.turns} turns, prompt of ${uncached.firstPromptTokens} tokens at turn 1`;
  return table([what, "input cost from turn 2 on, US cents", "saved", "read from the cache"], rows);
}

/** One line for each aim, met or missed. */
export function aims({
  effort,
  connections,
  costs,
}: {
  effort: ReadonlyMap<ClientKind, Effort>;
  connections: ReadonlyMap<ClientKind, Connections>;
  costs: readonly InputCost[];
}): string {
  const ours = effort.get(OURS) as Effort;
  const added = median(ours.addedMs);
  const rivals = RIVALS.map((kind) => effort.get(kind) as Effort);
  const paced = Math.min(...rivals.map(({ pacedCpuMs }) => pacedCpuMs));
  const burst = Math.min(...rivals.map(({ burstCpuMs }) => burstCpuMs));
  const { ofBargeIns, ofConcurrent } = connections.get(OURS) as Connections;
  const saved = 1 - costOf(costs, OURS.name).costUsd / costOf(costs, UNCACHED.name).costUsd;
  return [
    aim(added <= MAX_ADDED_MS, `at most ${MAX_ADDED_MS} ms added to the first token at the median: ${signed(added)} ms`),
    aim(
      ours.pacedCpuMs < paced && ours.burstCpuMs < burst,
      `less CPU per turn than either SDK: ${ours.pacedCpuMs.toFixed(2)} against ${paced.toFixed(2)} ms paced, ${ours.burstCpuMs.toFixed(2)} against ${burst.toFixed(2)} ms at once`,
    ),
    aim(ofBargeIns === 1, `one connection for 20 turns with barge-ins: ${ofBargeIns}`),
    aim(ofConcurrent === 1, `one connection for ${CONCURRENT_REPLIES} replies at once: ${ofConcurrent}`),
    aim(
      saved >= MIN_SAVED_SHARE,
      `at least ${percent(MIN_SAVED_SHARE)} of the input cost saved from turn 2 on: ${percent(saved)}`,
    ),
  ].join("\n");
}

function aim(isMet: boolean, text: string): string {
  return `- ${isMet ? "met" : "**missed**"}: ${text}`;
}

function costOf(costs: readonly InputCost[], name: string): InputCost {
  return costs.find(({ kind }) => kind.name === name) as InputCost;
}

function withRatio(value: number | undefined, ours: number | undefined, digits: number): string {
  if (value === undefined) return "not measured";
  return ours === undefined ? value.toFixed(digits) : `${value.toFixed(digits)} (${(value / ours).toFixed(2)} x)`;
}

function kilobytes(bytes: number | undefined): number | undefined {
  return bytes === undefined ? undefined : bytes / 1000;
}

function signed(value: number): string {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rule = head.map((_, index) => (index === 0 ? "---" : "---:"));
  return `${[head, rule, ...rows].map(line).join("\n")}\n`;
}
