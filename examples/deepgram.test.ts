// Telephone recognition by Deepgram: how it is set up, and how it is tested without an account.
import { type AudioFrame, DeepgramSTT, MULAW_8K, systemClock } from "getpatter";
import { DeepgramServer } from "getpatter/testing";
import { expect, test } from "vitest";

test("Deepgram is set up for an agent", () => {
  process.env["DEEPGRAM_API_KEY"] ??= "set it in your environment";
  // #region nova
  let stt = new DeepgramSTT(); // nova-3; reads DEEPGRAM_API_KEY
  stt = new DeepgramSTT({ keyterms: ["Patter", "Sunday brunch"], language: "en-GB" });
  // #endregion
  expect(stt.model).toBe("nova-3");

  // #region flux
  stt = new DeepgramSTT({ model: "flux-general-en" }); // hears in the words when a turn is over
  stt = new DeepgramSTT({ model: "flux-general-multi", language: "de", endOfTurnThreshold: 0.8 });
  // #endregion
  expect(stt.inputFormats).toContainEqual(MULAW_8K);
});

// #region test
test("what a caller says is heard, and a socket that fails is replaced", async () => {
  await using server = await DeepgramServer.start();
  server.script(
    [{ text: "a table for two", startMs: 500 }], // what the first socket hears, and when
    [{ text: "on sunday please", startMs: 1500 }],
  );
  server.fail({ with: { code: 1011 }, afterMs: 2500 }); // the first socket is closed behind 2.5 s of audio

  const stt = new DeepgramSTT({ apiKey: "test", baseUrl: server.url });
  const signal = new AbortController().signal;
  await using stream = stt.open({ language: "en", format: MULAW_8K, signal, clock: systemClock });
  for (let frame = 0; frame < 300; frame++) stream.write(silence(20));

  const finals: string[] = [];
  for await (const event of stream) {
    if (event.type === "final" && event.transcript !== "") finals.push(event.transcript);
    if (event.type === "turn_end" && finals.length === 2) break;
  }
  expect(finals).toEqual(["A table for two.", "On sunday please."]);
  expect(server.sockets).toHaveLength(2);
});
// #endregion

function silence(durationMs: number): AudioFrame {
  return { format: MULAW_8K, bytes: new Uint8Array(durationMs * 8).fill(0xff) };
}
