// Tests of an agent on the telephone, without an account and without a network. Run them with `npx vitest`.
import { Patter, Twilio } from "getpatter";
import { SpokenWords, TestLLM, TestSTT, TestTTS, TwilioEmulator, type TwilioEmulatorOptions } from "getpatter/testing";
import { expect, test } from "vitest";

// #region line
/** Speech that stands for words, in the format of the telephone: what is said and heard can be read back. */
const spoken = new SpokenWords({ encoding: "mulaw" });

/** A telephone line to the agent, whose model has one answer. Twilio is on this machine, the sockets are real. */
async function line(answer: string, options: TwilioEmulatorOptions = {}) {
  const twilio = await TwilioEmulator.start(options);
  const { accountSid, authToken, url } = twilio;
  const phone = new Patter({
    carrier: new Twilio({ accountSid, authToken, baseUrl: url }),
    phoneNumber: "+15550100",
    webhookUrl: "https://agent.example",
  });
  const agent = phone.agent({
    stt: new TestSTT({ spoken, turnEndMs: 200 }),
    llm: new TestLLM([answer]),
    tts: new TestTTS({ spoken }),
    systemPrompt: "You answer for a hardware shop.",
    firstMessage: "Hello.",
  });
  await phone.serve({ agent, port: 0 });
  twilio.route("https://agent.example", await phone.ready);
  return {
    twilio,
    phone,
    agent,
    [Symbol.asyncDispose]: async () => {
      await phone.disconnect();
      await twilio[Symbol.asyncDispose]();
    },
  };
}
// #endregion

// #region in
test("a caller is greeted, asks, and is answered", async () => {
  await using shop = await line("We open at nine.");
  const call = shop.twilio.callIn({ from: "+15550199" });
  await call.untilHeard((audio) => spoken.words(audio) === "Hello.");
  await call.say(spoken.encode("When do you open?"));
  await call.untilHeard((audio) => spoken.words(audio) === "Hello. We open at nine.");
  call.hangUp();
  expect(await call.ended).toBe("completed");
  expect(call.errors).toEqual([]);
});
// #endregion

// #region out
test("a call to someone who is busy says so", async () => {
  await using shop = await line("Goodbye.", { callee: () => ({ outcome: "busy", ringMs: 100 }) });
  const result = await shop.phone.call({ to: "+15550123", agent: shop.agent, wait: true });
  expect(result.outcome).toBe("busy");
  expect(shop.twilio.requests.find(({ path }) => path.endsWith("/Calls.json"))?.form.get("To")).toBe("+15550123");
});
// #endregion
