import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Browser } from "../../src/carriers/browser.js";
import { MULAW_8K } from "../../src/core/audio-frame.js";
import { silentLogger } from "../../src/core/logger.js";
import type { CallEnd } from "../../src/options.js";
import { Patter } from "../../src/patter.js";
import { openPhone, type PhonePage } from "../page/browser.js";
import { type Caller, INTERRUPTS, ONE_BREATH } from "./callers.js";
import { wordsHeard } from "./listener.js";
import { callerWav } from "./recordings.js";
import { CALLERS_WORDS, Restaurant } from "./restaurant.js";

/** What computers' microphones deliver, in Hz. */
const MICROPHONE_RATE = 48_000;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "spoken-page-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Words of the confirmation and the booking that a listener must have heard. */
const EXPECTED = ["table", "four", "people", "tomorrow", "correct", "booked", "booking", "number", "thank", "calling"];
const DISTRACTORS = ["seven", "window", "garden", "yesterday", "wrong", "paper", "water", "station", "blue", "morning"];

describe("a call from the page, with a recording as the microphone", () => {
  test("books a table by voice, and the reply's own audio says so", async () => {
    await using restaurant = await Restaurant.open(CALLERS_WORDS);
    await using line = await Line.open(restaurant);
    // The greeting, the confirmation and the booking are spoken into these silences.
    const microphone = await recording("booking", ONE_BREATH, [8500, 11_000, 13_000]);
    await using phone = await openPhone({ url: line.url, microphone });
    await prepare(phone, "raw-microphone.js");
    await phone.call();
    await phone.ended(90_000);
    const end = await line.end;
    expect(await restaurant.bookings()).toMatchObject([{ partySize: 4, time: "19:30" }]);
    expect(end.endReason).toBe("agent_hung_up");
    const { gaps } = await phone.stats();
    expect(gaps.filter((gap) => gap.durationMs > 20 && !gap.atMark)).toEqual([]);
    const { samples, sampleRate } = await phone.renderedAudio();
    const heard = await wordsHeard(samples, sampleRate, [...EXPECTED, ...DISTRACTORS]);
    expect(EXPECTED.filter((word) => heard.includes(word)).length).toBeGreaterThanOrEqual(8);
    expect(DISTRACTORS.filter((word) => heard.includes(word)).length).toBeLessThanOrEqual(2);
    expect(phone.complaints).toEqual([]);
  });

  test("survives its own voice leaking into the microphone, and an interruption on top of it", async () => {
    await using restaurant = await Restaurant.open();
    await using line = await Line.open(restaurant);
    // The second thing said falls into the confirmation.
    const microphone = await recording("leak", INTERRUPTS, [8500, 3300, 12_000]);
    await using phone = await openPhone({ url: line.url, microphone });
    await prepare(phone, "raw-microphone.js", "leak-page.js");
    await phone.call();
    await phone.ended(90_000);
    const end = await line.end;
    expect(end.endReason).toBe("agent_hung_up");
    expect(end.bargeIns).toBeGreaterThanOrEqual(1);
    const caller = end.transcript.filter((entry) => entry.role === "user").map((entry) => entry.text);
    expect(caller.join(" | ")).toMatch(/at seven thirty.*no thank you.*goodbye/);
    // Nothing that the agent said was taken for the caller's words.
    expect(caller.filter((text) => /table|people|booking|november/.test(text))).toEqual([]);
  });
});

/** The restaurant on a telephone-band line behind the page. */
class Line implements AsyncDisposable {
  readonly url: string;
  readonly end: Promise<CallEnd>;
  readonly #phone: Patter;

  private constructor(phone: Patter, url: string, end: Promise<CallEnd>) {
    this.#phone = phone;
    this.url = url;
    this.end = end;
  }

  static async open({ agent }: Restaurant): Promise<Line> {
    const phone = new Patter({ carrier: new Browser({ format: MULAW_8K }), logger: silentLogger });
    const end = new Promise<CallEnd>((resolve, reject) => {
      phone.serve({ agent, port: 0, onCallEnd: resolve }).catch(reject);
    });
    return new Line(phone, await phone.ready, end);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#phone.disconnect();
  }
}

async function recording(name: string, { turns }: Caller, pausesMs: readonly number[]): Promise<string> {
  const path = join(folder, `${name}.wav`);
  const spoken = turns.map((say, index) => ({ beforeMs: pausesMs[index] ?? 8000, say }));
  await writeFile(path, callerWav(spoken, 20_000, MICROPHONE_RATE));
  return path;
}

/** Loads the page again with scripts of `test/page` before its own. */
async function prepare(phone: PhonePage, ...scripts: readonly string[]): Promise<void> {
  for (const script of scripts) {
    await phone.page.addInitScript(await readFile(new URL(`../page/${script}`, import.meta.url), "utf8"));
  }
  await phone.page.reload();
}
