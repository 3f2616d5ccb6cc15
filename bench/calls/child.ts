import { cpus } from "node:os";
import { monitorEventLoopDelay } from "node:perf_hooks";

/** How often the event loop is looked at, in ms; finer costs more than it tells. */
const RESOLUTION_MS = 10;

/** What a process spent since `begin()`, and how late its timers were. */
export interface Effort {
  readonly cpuMs: number;
  readonly wallMs: number;
  /** What every process of the machine spent meanwhile. */
  readonly machineCpuMs: number;
  /** Of the event loop, in ms. */
  readonly delayMs: { readonly p50: number; readonly p95: number; readonly p99: number; readonly max: number };
}

/** CPU and event loop of this process. */
export class EffortMeter {
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #cpu = process.cpuUsage();
  #startMs = performance.now();
  #machineMs = machineCpuMs();

  begin(): void {
    this.#cpu = process.cpuUsage();
    this.#startMs = performance.now();
    this.#machineMs = machineCpuMs();
    this.#delay.enable();
    this.#delay.reset();
  }

  read(): Effort {
    const { user, system } = process.cpuUsage(this.#cpu);
    const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
    return {
      cpuMs: (user + system) / 1000,
      wallMs: performance.now() - this.#startMs,
      machineCpuMs: machineCpuMs() - this.#machineMs,
      delayMs: {
        p50: late(this.#delay.percentile(50)),
        p95: late(this.#delay.percentile(95)),
        p99: late(this.#delay.percentile(99)),
        max: late(this.#delay.max),
      },
    };
  }
}

function machineCpuMs(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
}

/** Memory after a garbage collection, in bytes. */
export interface Memory {
  readonly residentBytes: number;
  /** The heap and the buffers outside of it. */
  readonly usedBytes: number;
}

/** Collects garbage and measures. Needs `--expose-gc`. */
export function measureMemory(): Memory {
  globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { residentBytes: rss, usedBytes: heapUsed + external };
}

/** Answers the parent's messages, which are tasks of the kind that `answer` takes, and ends with it. `first` is answered unasked. */
export function serveParent(first: unknown, answer: (task: never) => unknown): void {
  process.on("disconnect", () => process.exit());
  process.on("message", (task) => {
    void Promise.resolve()
      .then(() => answer(task as never))
      .then(
        (result) => process.send?.({ result }),
        (error: unknown) => process.send?.({ failure: String(error) }),
      );
  });
  process.send?.({ result: first });
}
