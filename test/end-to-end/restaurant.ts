import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Agent, createAgent } from "../../src/agent/agent.js";
import { restaurantAgent } from "../../src/cli/demo-agent.js";
import { restaurantScript } from "../../src/cli/restaurant/restaurant.js";
import { systemClock } from "../../src/core/clock.js";
import { ScriptedLLM } from "../../src/llm/scripted.js";
import { LocalSTT } from "../../src/stt/local.js";
import { LocalTTS } from "../../src/tts/local.js";
import { SileroVAD } from "../../src/vad/silero.js";

/**
 * What callers of a restaurant say, word by word. Spliced recordings have no melody to go by, and a small recogniser that knows
 * 67,000 words mistakes one of their words now and then: tests that need each of them use this.
 */
export const CALLERS_WORDS: readonly string[] = [
  ..."one two three four five six seven eight nine ten eleven twelve thirty fifteen".split(" "),
  ..."monday tuesday wednesday thursday friday saturday sunday today tomorrow yesterday".split(" "),
  ..."at for people table o'clock noon evening yes no not this is correct wrong thank you goodbye please change".split(" "),
  "[unk]",
];

export interface Booking {
  readonly table: number;
  readonly date: string;
  readonly time: string;
  readonly partySize: number;
}

/** The demo's restaurant on local speech, with a table book of its own. */
export class Restaurant implements AsyncDisposable {
  readonly agent: Agent;
  readonly #folder: string;

  private constructor(folder: string, grammar: readonly string[] | undefined) {
    this.#folder = folder;
    const llm = new ScriptedLLM({ script: restaurantScript({ clock: systemClock }) });
    const options = restaurantAgent({ llm, description: "script" }, folder);
    this.agent = createAgent({
      ...options,
      stt: new LocalSTT(grammar === undefined ? {} : { grammar }),
      tts: new LocalTTS(),
      vad: new SileroVAD(),
    });
  }

  /** `grammar`: the only words its recognition knows. */
  static async open(grammar?: readonly string[]): Promise<Restaurant> {
    return new Restaurant(await mkdtemp(join(tmpdir(), "restaurant-")), grammar);
  }

  /** What stands in the table book. */
  async bookings(): Promise<readonly Booking[]> {
    const book = JSON.parse(await readFile(join(this.#folder, "tables.json"), "utf8")) as { bookings: readonly Booking[] };
    return book.bookings;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}
