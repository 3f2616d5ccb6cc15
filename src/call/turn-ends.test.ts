import { describe, expect, test } from "vitest";
import { createAgent } from "../agent/agent.js";
import type { CallEvent } from "../core/call-event.js";
import { VirtualClock } from "../core/clock.js";
import { AsyncQueue } from "../core/queue.js";
import type { STT, SttEvent, SttStream } from "../core/stt.js";
import { SpokenWords } from "../testing/spoken-words.js";
import { TestLLM } from "../testing/test-llm.js";
import { TestPhone } from "../testing/test-phone.js";
import { TestTTS, TestVAD } from "../testing/test-speech.js";
import { runCall } from "./session.js";

/** Recognition that reports what the test says. */
class ToldSTT implements STT {
  readonly provider = "test";
  readonly model = "told";
  readonly inputFormats = [new SpokenWords().format];
  readonly turnEndWithinMs = 2000;
  readonly #events = new AsyncQueue<SttEvent>();
  #partial = "";

  says(...events: SttEvent[]): void {
    for (const event of events) this.#events.push(event);
  }

  /** Words that are not final yet. */
  hears(transcript: string): void {
    this.#partial = transcript;
    this.says({ type: "partial", transcript });
  }

  endsTurn(): void {
    this.#settle({});
    this.says({ type: "turn_end", reason: "end_of_turn" });
  }

  #settle(flags: { readonly finalized?: true }): void {
    this.says({ type: "final", transcript: this.#partial, ...flags });
    this.#partial = "";
  }

  open(): SttStream {
    return {
      write: () => {},
      finalize: () => this.#settle({ finalized: true }),
      [Symbol.asyncIterator]: () => this.#events[Symbol.asyncIterator](),
      [Symbol.asyncDispose]: async () => this.#events.end(),
    };
  }
}

function rig({ hasVad }: { readonly hasVad: boolean }) {
  const clock = new VirtualClock();
  const spoken = new SpokenWords();
  const phone = new TestPhone({ clock, spoken });
  const stt = new ToldSTT();
  const agent = createAgent({
    stt,
    tts: new TestTTS({ spoken }),
    llm: new TestLLM(["Yes, we are open all day long today."]),
    ...(hasVad ? { vad: new TestVAD({ spoken }) } : {}),
  });
  const events: CallEvent[] = [];
  const ended = runCall({
    agent,
    incoming: phone.incoming(),
    carrier: "test",
    clock,
    signal: new AbortController().signal,
    onEvents: (stream) => {
      stream.subscribe((event) => events.push(event));
    },
  });
  const turns = (): { readonly atMs: number; readonly transcript: string; readonly reason: string }[] =>
    events.flatMap((event) => (event.type === "turn_committed" ? [event] : []));
  const hangUp = async (): Promise<void> => {
    phone.hangUp();
    expect(await clock.runUntil(ended)).toBe("caller_hung_up");
    expect(clock.pendingTimers).toBe(0);
  };
  return { clock, phone, stt, events, turns, hangUp };
}

describe.each([
  ["without", false],
  ["with", true],
] as const)("recognition that hears the ends of turns, %s a VAD", (_, hasVad) => {
  test("decides alone: a pause within a sentence ends no turn", async () => {
    const { clock, phone, stt, turns, hangUp } = rig({ hasVad });
    await clock.runUntil(phone.say("my number is"));
    stt.hears("my number is");
    await clock.advance(1900);
    expect(turns()).toEqual([]);
    await clock.runUntil(phone.say("five"));
    stt.hears(hasVad ? "five" : "my number is five");
    await clock.advance(1900);
    expect(turns()).toEqual([]);
    const decidedAtMs = clock.now();
    stt.endsTurn();
    await clock.advance(0);
    expect(turns()).toMatchObject([{ transcript: "my number is five", reason: "end_of_turn", atMs: decidedAtMs }]);
    await hangUp();
  });

  test("that is late leaves the decision to silence", async () => {
    const { clock, phone, stt, turns, hangUp } = rig({ hasVad });
    await clock.runUntil(phone.say("are you open"));
    stt.hears("are you open");
    await clock.advance(2500);
    expect(turns()).toEqual([]);
    await clock.advance(500);
    expect(turns()).toMatchObject([{ transcript: "are you open", reason: "silence" }]);
    await hangUp();
  });

  test("may think early that a turn is over, and think again: nothing is answered yet", async () => {
    const { clock, stt, events, turns, hangUp } = rig({ hasVad });
    stt.hears("are you");
    stt.says({ type: "eager_turn_end", transcript: "are you" });
    await clock.advance(200);
    stt.says({ type: "turn_resumed", transcript: "are you" });
    stt.hears("are you open");
    await clock.advance(200);
    expect(turns()).toEqual([]);
    expect(events.some(({ type }) => type === "reply_started")).toBe(false);
    stt.endsTurn();
    await clock.advance(0);
    expect(turns()).toMatchObject([{ transcript: "are you open" }]);
    await hangUp();
  });
});

describe("the end of a turn that was committed before", () => {
  test("does not let the agent talk on over a voice whose words are still to come", async () => {
    const { clock, phone, stt, turns, hangUp } = rig({ hasVad: true });
    stt.hears("are you open");
    stt.endsTurn();
    await clock.advance(1000);
    expect(phone.isPlaying).toBe(true);
    const speaking = phone.say("wait a moment please");
    await clock.advance(200);
    expect(phone.isPlaying).toBe(false);
    const heard = phone.heard;
    stt.says({ type: "turn_end", reason: "utterance_end" });
    await clock.advance(500);
    expect(phone.heard).toBe(heard);
    stt.hears("wait a moment please");
    await clock.runUntil(speaking);
    stt.endsTurn();
    await clock.advance(0);
    expect(turns().map(({ transcript }) => transcript)).toEqual(["are you open", "wait a moment please"]);
    await hangUp();
  });
});
