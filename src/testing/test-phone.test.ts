import { describe, expect, test } from "vitest";
import { audioByteLength } from "../core/audio-frame.js";
import { VirtualClock } from "../core/clock.js";
import { CarrierError } from "../core/errors.js";
import type { TransportEvent } from "../core/transport.js";
import { SpokenWords, WordReader } from "./spoken-words.js";
import { TestPhone, type TestPhoneOptions } from "./test-phone.js";

interface Rig {
  readonly clock: VirtualClock;
  readonly spoken: SpokenWords;
  readonly phone: TestPhone;
  /** Everything but audio, with the time it came at. */
  readonly reports: string[];
  /** The words that came over the line. */
  readonly said: string[];
  readonly frameBytes: Set<number>;
}

function rig(options: Partial<TestPhoneOptions> = {}): Rig {
  const clock = new VirtualClock();
  const spoken = new SpokenWords();
  const phone = new TestPhone({ clock, spoken, ...options });
  const reports: string[] = [];
  const said: string[] = [];
  const frameBytes = new Set<number>();
  const reader = new WordReader(spoken);
  const describeEvent = (event: TransportEvent): string => {
    if (event.type === "mark") return `mark ${event.name}`;
    if (event.type === "closed") return `closed by ${event.reason}`;
    return event.type === "dtmf" ? `dtmf ${event.digit}` : event.type;
  };
  void (async () => {
    for await (const event of phone.received) {
      if (event.type !== "audio") {
        reports.push(`${describeEvent(event)} at ${clock.now()}`);
        continue;
      }
      frameBytes.add(event.frame.bytes.length);
      said.push(...reader.read(event.frame.bytes));
    }
    reports.push("ended");
  })();
  return { clock, spoken, phone, reports, said, frameBytes };
}

/** Sends `text` to the phone's ear. */
function play({ phone, spoken }: Rig, text: string): void {
  phone.send({ format: phone.format, bytes: spoken.encode(text) });
}

describe("TestPhone", () => {
  test("plays what is sent and reports marks when what was sent before has been played", async () => {
    const call = rig();
    call.phone.mark("nothing");
    play(call, "evening");
    call.phone.mark("one");
    play(call, "no");
    call.phone.mark("two");
    expect(call.phone.isPlaying).toBe(true);
    await call.clock.advance(1000);
    expect(call.phone.heard).toBe("evening no");
    expect(call.phone.isPlaying).toBe(false);
    expect(call.reports).toEqual(["mark nothing at 20", "mark one at 280", "mark two at 400"]);
  });

  test("speaks frames of 20 ms, silence where it has nothing to say", async () => {
    const call = rig();
    await call.clock.runUntil(call.phone.say("a table please"));
    expect(call.clock.now()).toBe(120 + 200 + 240);
    await call.clock.advance(100);
    expect(call.said).toEqual(["a", "table", "please"]);
    expect([...call.frameBytes]).toEqual([audioByteLength(call.phone.format, 20)]);
  });

  test("drops what a clear takes, and reports its marks at once", async () => {
    const call = rig();
    play(call, "evening evening");
    call.phone.mark("one");
    await call.clock.advance(300);
    call.phone.clear();
    await call.clock.advance(300);
    expect(call.phone.heard).toBe("evening");
    expect(call.reports).toEqual(["mark one at 300"]);
  });

  test("reports late, or never, when it is told to", async () => {
    const call = rig({ markDelayMs: 150, losesMark: (index) => index === 0 });
    for (const name of ["one", "two"]) {
      play(call, "no");
      call.phone.mark(name);
    }
    await call.clock.advance(1000);
    expect(call.reports).toEqual(["mark two at 390"]);
  });

  test("reports no marks on a line that has none", async () => {
    const call = rig({ playout: "clock" });
    play(call, "no");
    call.phone.mark("one");
    await call.clock.advance(1000);
    expect(call.reports).toEqual([]);
  });

  test("loses what was queued, marks included, when its stream is replaced", async () => {
    const call = rig();
    play(call, "evening");
    call.phone.mark("one");
    call.phone.restart();
    play(call, "no");
    await call.clock.advance(1000);
    expect(call.phone.heard).toBe("no");
    expect(call.reports).toEqual(["restarted at 0"]);
  });

  test("lets the agent's voice back in while the caller is silent, if it echoes", async () => {
    const call = rig({ echo: true });
    play(call, "evening");
    await call.clock.advance(400);
    play(call, "evening");
    await call.clock.runUntil(call.phone.say("good day"));
    await call.clock.advance(400);
    expect(call.said).toEqual(["evening", "good", "day"]);
  });

  test("presses keys", async () => {
    const call = rig();
    call.phone.press("5");
    await call.clock.advance(0);
    expect(call.reports).toEqual(["dtmf 5 at 0"]);
  });

  test("hangs up at any moment without a timer left, and hears nothing any more", async () => {
    const call = rig({ markDelayMs: 500 });
    play(call, "no");
    call.phone.mark("one");
    await call.clock.advance(200);
    const said = call.phone.say("good day");
    call.phone.hangUp();
    await said;
    play(call, "evening");
    call.phone.mark("late");
    call.phone.clear();
    expect(call.phone.isClosed).toBe(true);
    expect(call.clock.pendingTimers).toBe(0);
    await call.clock.advance(1000);
    expect(call.phone.heard).toBe("no");
    expect(call.reports).toEqual(["closed by caller at 200", "ended"]);
    await call.phone[Symbol.asyncDispose]();
    expect(call.reports).toHaveLength(2);
  });

  test("says a second text behind the first", async () => {
    const call = rig();
    const first = call.phone.say("good");
    const second = call.phone.say("day");
    await call.clock.runUntil(Promise.all([first, second]));
    await call.clock.advance(100);
    expect(call.said).toEqual(["good", "day"]);
  });

  test("hands its call over as a carrier would, and notes what the carrier is asked to do", async () => {
    const { phone } = rig({ callId: "call-7" });
    const { callId, control, transport } = phone.incoming();
    expect(callId).toBe("call-7");
    expect(transport).toBe(phone);
    await control.sendDtmf("12#");
    await control.transfer("+15550199");
    await control.hangUp();
    await expect(control.transfer("nobody")).rejects.toThrow(CarrierError);
    expect(phone.commands).toEqual(["dtmf 12#", "transfer +15550199", "hang_up"]);
  });
});
