import { type Effort, EffortMeter, type Memory, measureMemory, serveParent } from "./child.js";
import type { Account } from "./callers.js";
import type { VendorUrls } from "./vendors.js";

/** What a program under test is started with, as JSON in its first argument. */
export interface SubjectSettings {
  readonly vendors: VendorUrls;
  readonly account: Account;
}

/** What a program saw of its own calls. */
export interface OwnTimes {
  /** The end of turn received to the first audio sent, less what the model and the voice took, in ms. */
  readonly overheadMs: number[];
  /** The model's first token and the voice's first audio, from the request on, in ms: the vendors' delays and what is around them. */
  readonly modelMs: number[];
  readonly voiceMs: number[];
  /** The words that interrupt received to `clear` sent, in ms. */
  readonly clearMs: number[];
}

export type SubjectTask = { readonly do: "begin" | "read" | "memory" };

export interface SubjectReading extends OwnTimes {
  readonly effort: Effort;
  /** While all calls are open. */
  readonly memory: Memory;
}

export function settings(): SubjectSettings {
  return JSON.parse(process.argv[2] ?? "{}") as SubjectSettings;
}

/** Measures this process whenever the parent asks; `collect` settles what the calls have told so far. */
export function serveSubject(url: string, times: OwnTimes, collect: () => void = () => {}): void {
  const meter = new EffortMeter();
  serveParent(url, (task: SubjectTask) => {
    if (task.do === "begin") {
      for (const values of [times.overheadMs, times.modelMs, times.voiceMs, times.clearMs]) values.length = 0;
      meter.begin();
      return undefined;
    }
    if (task.do === "memory") return measureMemory();
    const effort = meter.read();
    collect();
    return { ...times, effort, memory: measureMemory() } satisfies SubjectReading;
  });
}
