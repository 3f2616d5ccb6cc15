// Spoken calls in no time: a caller, speech that stands for words, and time that moves only when it is told to.
import { type AgentOptions, AnthropicLLM, type Carrier, type CarrierHost, Patter, VirtualClock } from "getpatter";
import { AnthropicServer, SpokenWords, TestLLM, TestPhone, TestSTT, TestTTS, TestVAD } from "getpatter/testing";
import { expect, test } from "vitest";

/** A carrier whose calls are made by the test. */
class TestLine implements Carrier {
  readonly name = "test";
  #host: CarrierHost | undefined;

  async open(host: CarrierHost): Promise<AsyncDisposable> {
    this.#host = host;
    return { [Symbol.asyncDispose]: async () => {} };
  }

  connect(caller: TestPhone): void {
    this.#host?.incoming(caller.incoming());
  }

  async handle(): Promise<undefined> {}

  upgrade(): undefined {}
}

/** A caller whose call the agent has answered. What is said to it is words, not sound. */
async function callOf(options: AgentOptions, clock: VirtualClock) {
  const spoken = new SpokenWords();
  const carrier = new TestLine();
  const phone = new Patter({ carrier, clock });
  const speech = { stt: new TestSTT({ spoken }), tts: new TestTTS({ spoken }), vad: new TestVAD({ spoken }) };
  await phone.serve({ agent: phone.agent({ ...speech, ...options }), port: 0 });
  const caller = new TestPhone({ clock, spoken });
  carrier.connect(caller);
  return {
    caller,
    [Symbol.asyncDispose]: async () => {
      caller.hangUp();
      await clock.advance(100);
      await phone.disconnect();
    },
  };
}

test("a caller is greeted, interrupts, and is answered", async () => {
  const clock = new VirtualClock();
  const llm = new TestLLM(["We are open from nine to five, Monday to Friday.", "Yes."]);
  await using call = await callOf({ llm, firstMessage: "Hello." }, clock);
  await clock.advance(2000);
  await clock.runUntil(call.caller.say("when do you open"));
  await clock.advance(1200);
  await clock.runUntil(call.caller.say("on Monday too"));
  await clock.advance(5000);
  expect(call.caller.heard).toMatch(/^Hello\. We are open .* Yes\.$/);
  expect(call.caller.heard).not.toContain("Friday");
});

test("a caller who waits for Claude hears that the agent is there", async () => {
  const clock = new VirtualClock();
  await using server = await AnthropicServer.start({ clock, replies: [{ text: "We open at nine.", firstTokenMs: 4000 }] });
  await using llm = new AnthropicLLM({ apiKey: "test", fetch: server.fetch });
  await using call = await callOf({ llm, longTurnMessage: "One moment, please." }, clock);
  await clock.runUntil(call.caller.say("when do you open"));
  await clock.advance(10_000);
  expect(call.caller.heard).toBe("One moment, please. We open at nine.");
});
