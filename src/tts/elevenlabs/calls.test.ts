import { expect, test } from "vitest";
import { createAgent } from "../../agent/agent.js";
import { runCall } from "../../call/session.js";
import type { CallEvent } from "../../core/call-event.js";
import { type Clock, ScaledClock, VirtualClock } from "../../core/clock.js";
import type { TTS } from "../../core/tts.js";
import { ElevenLabsServer } from "../../testing/elevenlabs/server.js";
import { SpokenWords } from "../../testing/spoken-words.js";
import { TestLLM } from "../../testing/test-llm.js";
import { TestPhone } from "../../testing/test-phone.js";
import { TestSTT, TestVAD } from "../../testing/test-speech.js";
import { ElevenLabsTTS, ElevenLabsWebSocketTTS } from "../elevenlabs.js";

const ANSWER =
  "We are open from nine until five on every day of the week. On public holidays we close at noon. Shall I book a table?";
const NEXT = "On Sunday too.";

function start(clock: Clock, spoken: SpokenWords, tts: TTS) {
  const phone = new TestPhone({ clock, spoken });
  const llm = new TestLLM([ANSWER, NEXT], { wordMs: 20 });
  const events: CallEvent[] = [];
  const agent = createAgent({ stt: new TestSTT({ spoken }), vad: new TestVAD({ spoken }), tts, llm });
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
  return { phone, llm, events, ended };
}

test.each([1100, 1500, 2100, 2600, 3300, 4100])(
  "a barge-in after %i ms leaves in the history what was heard, to the word",
  async (afterMs) => {
    const clock = new VirtualClock();
    const spoken = new SpokenWords({ encoding: "mulaw" });
    await using server = await ElevenLabsServer.start({ clock, spoken, chunkMs: 200, firstByteMs: 150, chunkDelayMs: 40 });
    await using tts = new ElevenLabsTTS({ apiKey: "test", fetch: server.fetch });
    const { phone, llm, events, ended } = start(clock, spoken, tts);
    await clock.runUntil(phone.say("when are you open"));
    await clock.advance(afterMs);
    const said = phone.say("what about sunday");
    await clock.runUntil(said);
    await clock.advance(5000);
    const heard = phone.heard.replace(` ${NEXT}`, "");
    expect(ANSWER.startsWith(heard)).toBe(true);
    expect(llm.requests[1]).toEqual([
      { role: "user", content: "when are you open" },
      { role: "assistant", content: heard },
      { role: "user", content: "what about sunday" },
    ]);
    const replies = events.filter((event) => event.type === "reply_ended");
    expect(server.requests[0]?.path).toContain("output_format=ulaw_8000");
    expect(replies).toMatchObject([
      { reason: "barge_in", heard },
      { reason: "completed", heard: NEXT },
    ]);
    phone.hangUp();
    expect(await clock.runUntil(ended)).toBe("caller_hung_up");
    expect(clock.pendingTimers).toBe(0);
  },
);

test("over a socket, a barge-in closes the reply's context, and the next reply is spoken on the same socket", async () => {
  const clock = new ScaledClock(4);
  const spoken = new SpokenWords();
  await using server = await ElevenLabsServer.start({ clock, spoken, chunkMs: 200 });
  const tts = new ElevenLabsWebSocketTTS({ apiKey: "test", baseUrl: server.url });
  const { phone, llm, events, ended } = start(clock, spoken, tts);
  await phone.say("when are you open");
  await expect.poll(() => phone.heard, { timeout: 10_000 }).toContain("open from");
  await phone.say("what about sunday");
  await expect.poll(() => phone.heard, { timeout: 10_000 }).toContain(NEXT);
  const kept = String(llm.requests[1]?.[1]?.content);
  expect(kept).toContain("We are open from");
  expect(ANSWER.startsWith(kept)).toBe(true);
  expect(events.find((event) => event.type === "reply_ended")).toMatchObject({ reason: "barge_in", heard: kept });
  phone.hangUp();
  expect(await ended).toBe("caller_hung_up");
  expect(server.sockets).toHaveLength(1);
  await expect.poll(() => server.sockets[0]?.closed).toBeDefined();
});
