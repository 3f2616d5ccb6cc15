// Tests of an agent on the telephone that speaks with ElevenLabs, without an account and without a network. Run them with `npx vitest`.
import { ElevenLabsTTS, ElevenLabsWebSocketTTS, Patter, type TTS, Twilio } from "getpatter";
import { ElevenLabsServer, SpokenWords, TestLLM, TestSTT, TwilioEmulator } from "getpatter/testing";
import { expect, test } from "vitest";

// #region call
/** Calls an agent with this voice and asks it something. Returns the formats that it asked ElevenLabs for. */
async function call(makeVoice: (baseUrl: string) => TTS): Promise<string[]> {
  const spoken = new SpokenWords({ encoding: "mulaw" });
  await using elevenLabs = await ElevenLabsServer.start({ spoken });
  await using twilio = await TwilioEmulator.start();
  const { accountSid, authToken, url } = twilio;
  const phone = new Patter({
    carrier: new Twilio({ accountSid, authToken, baseUrl: url }),
    phoneNumber: "+15550100",
    webhookUrl: "https://agent.example",
  });
  const agent = phone.agent({
    stt: new TestSTT({ spoken, turnEndMs: 200 }),
    llm: new TestLLM(["We open at nine."]),
    tts: makeVoice(elevenLabs.url),
    systemPrompt: "You answer for a hardware shop.",
    firstMessage: "Hello.",
  });
  await phone.serve({ agent, port: 0 });
  twilio.route("https://agent.example", await phone.ready);
  const caller = twilio.callIn({ from: "+15550199" });
  await caller.untilHeard((audio) => spoken.words(audio) === "Hello.");
  await caller.say(spoken.encode("When do you open?"));
  await caller.untilHeard((audio) => spoken.words(audio) === "Hello. We open at nine.");
  caller.hangUp();
  expect(await caller.ended).toBe("completed");
  expect(caller.errors).toEqual([]);
  await phone.disconnect();
  return [...elevenLabs.requests, ...elevenLabs.sockets].map(({ path }) => /output_format=(\w+)/.exec(path)?.[1] ?? "");
}
// #endregion

test("a caller hears what ElevenLabs' HTTP API speaks, in the telephone's own format", async () => {
  const formats = await call((baseUrl) => new ElevenLabsTTS({ apiKey: "test", baseUrl, voiceId: "rachel" }));
  expect(formats).toEqual(["ulaw_8000", "ulaw_8000"]);
});

test("a caller hears what ElevenLabs' socket speaks, one for the whole call", async () => {
  const formats = await call((baseUrl) => new ElevenLabsWebSocketTTS({ apiKey: "test", baseUrl, voiceId: "rachel" }));
  expect(formats).toEqual(["ulaw_8000"]);
});
