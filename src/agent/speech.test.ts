import { expect, test } from "vitest";
import { ConfigError, ProviderError } from "../core/errors.js";
import { SpokenWords } from "../testing/spoken-words.js";
import { TestSTT, TestTTS } from "../testing/test-speech.js";
import { createAgent } from "./agent.js";
import { prepareSpeech, requireSpeech } from "./speech.js";

const spoken = new SpokenWords();
const never = new AbortController().signal;

/** An agent whose models cannot be loaded, for these reasons. */
function agentWithout(sttReason: Error, ttsReason: Error) {
  const stt = Object.assign(new TestSTT({ spoken }), { prepare: () => Promise.reject(sttReason) });
  const tts = Object.assign(new TestTTS({ spoken }), { prepare: () => Promise.reject(ttsReason) });
  return createAgent({ stt, tts });
}

test("all that an agent's speech lacks is named at once, and each thing once", async () => {
  const missing = (name: string) => new ConfigError(`Needs ${name}: run npm install ${name}.`);
  await expect(prepareSpeech(agentWithout(missing("a"), missing("b")), never)).rejects.toThrow(
    new ConfigError("Needs a: run npm install a. Needs b: run npm install b."),
  );
  await expect(prepareSpeech(agentWithout(missing("a"), missing("a")), never)).rejects.toThrow(
    new ConfigError("Needs a: run npm install a."),
  );
});

test("speech that fails otherwise fails as it does", async () => {
  const failure = new ProviderError("No connection.", { provider: "test" });
  await expect(prepareSpeech(agentWithout(new ConfigError("Needs a."), failure), never)).rejects.toBe(failure);
});

test("an agent that can neither hear nor speak is told to be given both", () => {
  expect(() => requireSpeech(createAgent({}))).toThrow("A spoken call needs stt and tts: pass them to phone.agent({ … }).");
  expect(() => requireSpeech(createAgent({ stt: new TestSTT({ spoken }) }))).toThrow("A spoken call needs tts: pass it to");
});
