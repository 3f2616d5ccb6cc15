import { systemClock } from "../../core/clock.js";

/** Runs jobs one at a time. Sources that have several take turns; those of one source run in order. */
export class FairQueue<Source> {
  readonly #jobs = new Map<Source, (() => Promise<void>)[]>();
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
    for (const [source, jobs] of this.#jobs) {
      const job = jobs.shift();
      this.#jobs.delete(source);
      if (jobs.length > 0) this.#jobs.set(source, jobs);
      return job;
    }
    return undefined;
  }
}
