import { systemClock } from "../../core/clock.js";

/**
 * Runs jobs one at a time, those of one source in order. The first job of each source goes before all others,
 * because somebody waits for it; otherwise the sources take turns.
 */
export class FairQueue<Source extends object> {
  readonly #jobs = new Map<Source, (() => Promise<void>)[]>();
  readonly #served = new WeakSet<Source>();
  #isRunning = false;

  /** `job` must not reject. */
  add(source: Source, job: () => Promise<void>): void {
    const jobs = this.#jobs.get(source);
    if (jobs === undefined) this.#jobs.set(source, [job]);
    else jobs.push(job);
    if (!this.#isRunning) void this.#run();
  }

  /** Drops the jobs of a source that have not begun. */
  remove(source: Source): void {
    this.#jobs.delete(source);
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    for (let job = this.#next(); job !== undefined; job = this.#next()) {
      await job();
      // A job may have held up the thread: what has arrived meanwhile, such as the end of a source, comes first.
      await systemClock.sleep(0);
    }
    this.#isRunning = false;
  }

  #next(): (() => Promise<void>) | undefined {
    const sources = [...this.#jobs.keys()];
    const source = sources.find((each) => !this.#served.has(each)) ?? sources[0];
    if (source === undefined) return undefined;
    const jobs = this.#jobs.get(source) ?? [];
    const job = jobs.shift();
    // To the end of the line.
    this.#jobs.delete(source);
    if (jobs.length > 0) this.#jobs.set(source, jobs);
    this.#served.add(source);
    return job;
  }
}
