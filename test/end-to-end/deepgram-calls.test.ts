import { expect, test, vi } from "vitest";
import { createAgent } from "../../src/agent/agent.js";
import { runCall } from "../../src/call/session.js";
import type { CallEvent } from "../../src/core/call-event.js";
import { ScaledClock } from "../../src/core/clock.js";
import { DeepgramSTT, type DeepgramSTTOptions } from "../../src/stt/deepgram.js";
import { DeepgramServer } from "../../src/testing/deepgram/server.js";
import { SpokenWords } from "../../src/testing/spoken-words.js";
import { TestLLM } from "../../src/testing/test-llm.js";
import { TestPhone } from "../../src/testing/test-phone.js";
import { TestTTS } from "../../src/testing/test-speech.js";

const WAIT = { timeout: 15_000, interval: 10 };

test.each([
  [{ model: "flux-general-en", eagerEndOfTurnThreshold: 0.4 }, "end_of_turn"],
  [{ model: "nova-3", endpointingMs: 400 }, "speech_final"],
] as const)(
  "a call without a VAD takes turns as %o hears them, and the words interrupt",
  async (model, reason) => {
    const spoken = new SpokenWords();
    await using server = await DeepgramServer.start({ spoken });
    // Sockets are real, so the call runs in real time, twice as fast.
    const clock = new ScaledClock(2);
    const phone = new TestPhone({ clock, spoken });
    const options: DeepgramSTTOptions = { apiKey: "test", baseUrl: server.url, encoding: "linear16", ...model };
    const llm = new TestLLM(["We open at nine in the morning and we close at ten in the evening every day.", "Goodbye then."]);
    const agent = createAgent({ stt: new DeepgramSTT(options), tts: new TestTTS({ spoken }), llm });
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
    const turns = (): unknown[] =>
      events.flatMap((event) => (event.type === "turn_committed" ? [[plain(event.transcript), event.reason]] : []));

    await phone.say("when do you open");
    await vi.waitFor(() => expect(phone.heard).toMatch(/^We open at/), WAIT);
    expect(turns()).toEqual([["when do you open", reason]]);

    await phone.say("thanks that is enough");
    await vi.waitFor(() => expect(phone.heard).toMatch(/Goodbye then\.$/), WAIT);
    expect(turns()[1]).toEqual(["thanks that is enough", reason]);
    expect(phone.heard).not.toContain("every day");

    phone.hangUp();
    expect(await ended).toBe("caller_hung_up");
    await vi.waitFor(() => expect(server.openSockets).toBe(0));
    expect(server.sockets).toHaveLength(1);
  },
  30_000,
);

function plain(text: string): string {
  return text.toLowerCase().replace(/[^a-z ]/g, "");
}
