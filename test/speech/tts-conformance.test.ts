import { afterAll, describe, it } from "vitest";
import { ttsConformance } from "../../src/testing/conformance/tts.js";
import { LocalTTS } from "../../src/tts/local.js";

describe("LocalTTS", () => {
  // Its voice is loaded once.
  const tts = new LocalTTS();
  afterAll(() => tts[Symbol.asyncDispose]());
  const cases = ttsConformance({ start: () => ({ tts, [Symbol.asyncDispose]: async () => {} }) });
  it.each(cases)("$name", ({ run }) => run());
});
