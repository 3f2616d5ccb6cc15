import type { Agent } from "../agent/agent.js";
import type { Clock } from "../core/clock.js";

/** The silence is looked at so many times before the hold line is due. */
const STEPS = 4;
/** How often one reply says the hold line at the most. */
const MAX_HOLDS = 3;

export interface HoldLineOptions {
  readonly agent: Agent;
  readonly clock: Clock;
  /** Whether nothing is being said at this moment. */
  isSilent(): boolean;
  /** Says the line. */
  say(text: string): void;
}

/** Has the hold line said when an answer has been silent for too long, until it is disposed. */
export class HoldLine implements Disposable {
  readonly #options: HoldLineOptions;
  #timer: Disposable | undefined;
  #silentSteps = 0;
  #holds = 0;

  constructor(options: HoldLineOptions) {
    this.#options = options;
    this.restart();
  }

  /** Counts the silence anew from now. */
  restart(): void {
    this.#silentSteps = 0;
    this.#wait();
  }

  #wait(): void {
    this[Symbol.dispose]();
    const { agent, clock } = this.#options;
    const { longTurnMessage, longTurnMessageAfterMs } = agent;
    if (longTurnMessage === null || this.#holds === MAX_HOLDS) return;
    this.#timer = clock.setTimer(longTurnMessageAfterMs / STEPS, () => this.#look(longTurnMessage));
  }

  #look(line: string): void {
    this.#silentSteps = this.#options.isSilent() ? this.#silentSteps + 1 : 0;
    const isDue = this.#silentSteps >= STEPS;
    if (isDue) {
      this.#silentSteps = 0;
      this.#holds++;
    }
    this.#wait();
    if (isDue) this.#options.say(line);
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
  }
}
