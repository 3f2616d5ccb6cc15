import { expect, test } from "vitest";
import { Twilio } from "../../carriers/twilio.js";
import type { ChatMessage } from "../../core/chat.js";
import { silentLogger } from "../../core/logger.js";
import { Patter } from "../../patter.js";
import { SpokenWords, TestLLM, TestSTT, TestTTS, type TwilioCall, TwilioEmulator } from "../index.js";

const PUBLIC_URL = "https://agent.example";

/** An agent on a telephone line, over real sockets in real time; it says again what it is told. */
async function line(
  firstMessage: string,
): Promise<AsyncDisposable & { readonly twilio: TwilioEmulator; readonly spoken: SpokenWords; readonly phone: Patter }> {
  const spoken = new SpokenWords({ encoding: "mulaw" });
  const twilio = await TwilioEmulator.start();
  const { accountSid, authToken } = twilio;
  const phone = new Patter({
    carrier: new Twilio({ accountSid, authToken, baseUrl: twilio.url }),
    phoneNumber: "+15550100",
    logger: silentLogger,
  });
  const agent = phone.agent({
    stt: new TestSTT({ spoken, turnEndMs: 100 }),
    tts: new TestTTS({ spoken }),
    llm: new TestLLM(Array.from({ length: 10 }, () => (messages: readonly ChatMessage[]) => String(messages.at(-1)?.content))),
    systemPrompt: "Answer.",
    firstMessage,
  });
  await phone.serve({ agent, port: 0, webhookUrl: PUBLIC_URL });
  twilio.route(PUBLIC_URL, await phone.ready);
  return {
    twilio,
    spoken,
    phone,
    [Symbol.asyncDispose]: async () => {
      await phone.disconnect();
      await twilio[Symbol.asyncDispose]();
    },
  };
}

/** Resolves when the last words that were heard are these. */
function hears(call: TwilioCall, spoken: SpokenWords, words: string): Promise<void> {
  return call.untilHeard((audio) => spoken.words(audio).endsWith(words));
}

test("a caller hears the greeting, is answered, and hangs up", async () => {
  await using on = await line("Good morning.");
  const { twilio, spoken, phone } = on;
  const call = twilio.callIn();
  await hears(call, spoken, "Good morning.");
  await call.say(spoken.encode("a table please."));
  await hears(call, spoken, "a table please.");
  expect(spoken.words(call.heard.audio)).toBe("Good morning. a table please.");
  call.hangUp();
  expect(await call.ended).toBe("completed");
  expect(call.errors).toEqual([]);
  await phone.disconnect();
  expect(phone.activeCalls).toBe(0);
});

test("a barge-in clears the greeting, of which no more is heard", async () => {
  await using on = await line("Good morning, you are speaking with the front desk of the hotel, how can I help you today?");
  const { twilio, spoken } = on;
  const call = twilio.callIn();
  await call.until(({ type }) => type === "playout_started");
  await call.say(spoken.encode("excuse me."));
  await call.until(({ type }) => type === "clear");
  await hears(call, spoken, "excuse me.");
  const heard = spoken.words(call.heard.audio);
  expect(heard).toMatch(/^Good .*excuse me\.$/);
  expect(heard).not.toContain("today?");
  call.hangUp();
  expect(await call.ended).toBe("completed");
  expect(call.errors).toEqual([]);
});

test("callers at the same time hear their own conversation only", async () => {
  await using on = await line("Hello.");
  const { twilio, spoken } = on;
  const words = ["one.", "two.", "three.", "four."];
  const heard = await Promise.all(
    words.map(async (word) => {
      const call = twilio.callIn();
      await hears(call, spoken, "Hello.");
      await call.say(spoken.encode(word));
      await hears(call, spoken, word);
      call.hangUp();
      await call.ended;
      return spoken.words(call.heard.audio);
    }),
  );
  expect(heard).toEqual(words.map((word) => `Hello. ${word}`));
});
