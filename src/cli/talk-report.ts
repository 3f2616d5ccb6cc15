import type { CallCost } from "../observe/call-cost.js";
import type { TranscriptEntry, TurnRecord } from "../observe/recorder.js";
import type { WavCallResult } from "../simulate/wav-call.js";
import { type WordErrors, wordErrors } from "../simulate/word-errors.js";
import { type Output, table } from "./output.js";

/** One answer to the caller. Times are whole ms; what did not happen is absent. */
export interface TalkTurn {
  readonly turn: number;
  readonly understood: string;
  /** Measured in the recording: the caller's last audible sample to the reply's first. */
  readonly answerMs?: number;
  readonly endpointingMs?: number;
  readonly llmFirstTokenMs?: number;
  readonly ttsFirstAudioMs?: number;
  /** The share of the prompts that was read from the model's cache, 0 to 1. */
  readonly cacheHitShare?: number;
  readonly costUsd?: number;
}

/** What `talk` found out. */
export interface TalkReport {
  /** False for a call that ran faster than real time. */
  readonly isMeasurement: boolean;
  readonly endReason: string | undefined;
  readonly callerTurns: number;
  readonly turns: readonly TalkTurn[];
  readonly medianAnswerMs?: number;
  readonly bargeIns: number;
  /** Silences within a sentence of the agent, in ms of the recording. */
  readonly gaps: readonly { readonly startMs: number; readonly durationMs: number }[];
  readonly wordErrors?: WordErrors;
  readonly transcript: readonly TranscriptEntry[];
  readonly cost: CallCost;
  readonly errors: readonly { readonly stage: string; readonly message: string }[];
  readonly out?: string;
}

export interface ReportOptions {
  readonly isMeasurement: boolean;
  readonly reference: string | undefined;
  readonly out: string | undefined;
}

export function callReport(result: WavCallResult, { isMeasurement, reference, out }: ReportOptions): TalkReport {
  const { record, replies, callerTurns } = result;
  const said = record.transcript.filter(({ role }) => role === "user").map(({ text }) => text);
  const turns = said.map((understood, index): TalkTurn => {
    const turn = index + 1;
    const found = record.turns.find((each) => each.turn === turn) ?? {};
    const { endpointingMs, llmFirstTokenMs, ttsFirstAudioMs, cacheHitShare, costUsd }: Partial<TurnRecord> = found;
    const answerMs = replies.find((reply) => reply.turn === turn)?.latencyMs;
    return {
      turn,
      understood,
      ...rounded({ answerMs, endpointingMs, llmFirstTokenMs, ttsFirstAudioMs }),
      ...(cacheHitShare !== undefined && { cacheHitShare }),
      ...(costUsd !== undefined && { costUsd }),
    };
  });
  const medianAnswerMs = median(turns.flatMap(({ answerMs }) => answerMs ?? []));
  return {
    isMeasurement,
    endReason: record.endReason,
    callerTurns,
    turns,
    ...rounded({ medianAnswerMs }),
    bargeIns: record.bargeIns,
    gaps: replies.flatMap(({ gaps }) => gaps),
    ...(reference !== undefined && { wordErrors: wordErrors(reference, said.join(" ")) }),
    transcript: record.transcript.map((entry) => ({ ...entry, atMs: Math.round(entry.atMs) })),
    cost: record.cost,
    errors: record.errors,
    ...(out !== undefined && { out }),
  };
}

export function printReport(report: TalkReport, out: Output): void {
  const ms = (value: number | undefined): string => (value === undefined ? "-" : String(value));
  out.line();
  const header = ["turn", "answer after", "endpointing", "model", "voice", "understood"].map((title) => out.style("dim", title));
  const rows = report.turns.map((turn) => [
    String(turn.turn),
    out.style("bold", turn.answerMs === undefined ? "-" : `${ms(turn.answerMs)} ms`),
    ms(turn.endpointingMs),
    ms(turn.llmFirstTokenMs),
    ms(turn.ttsFirstAudioMs),
    turn.understood,
  ]);
  for (const row of table([header, ...rows])) out.line(row);
  out.line();
  if (report.turns.length < report.callerTurns)
    out.line(`The recording has ${report.callerTurns} turns; ${report.turns.length} were understood.`);
  if (report.medianAnswerMs !== undefined) out.line(`Median answer after ${ms(report.medianAnswerMs)} ms.`);
  if (!report.isMeasurement) out.line("The call ran faster than real time: these latencies are no measurement.");
  out.line(`Playout gaps within a sentence: ${gapText(report.gaps)}.`);
  if (report.bargeIns > 0) out.line(`Barge-ins: ${report.bargeIns}.`);
  if (report.wordErrors !== undefined) out.line(errorText(report.wordErrors));
  if (report.out !== undefined) out.line(`Wrote ${report.out}: the caller left, the agent right.`);
}

function gapText(gaps: TalkReport["gaps"]): string {
  if (gaps.length === 0) return "none";
  return `${gaps.length}, the longest ${Math.round(Math.max(...gaps.map(({ durationMs }) => durationMs)))} ms`;
}

function errorText({ words, errors, substitutions, deletions, insertions }: WordErrors): string {
  const share = words === 0 ? "" : `, ${((errors / words) * 100).toFixed(1)} %`;
  return `Word errors: ${errors} of ${words}${share} (${substitutions} wrong, ${deletions} missing, ${insertions} too many).`;
}

function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  return upper === undefined || lower === undefined ? undefined : (upper + lower) / 2;
}

/** The values that there are, as whole numbers. */
function rounded<Name extends string>(values: Readonly<Record<Name, number | undefined>>): { [Key in Name]?: number } {
  const known = Object.entries<number | undefined>(values).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Math.round(value)]],
  );
  return Object.fromEntries(known) as { [Key in Name]?: number };
}
