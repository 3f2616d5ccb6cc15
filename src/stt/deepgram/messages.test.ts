import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ProtocolError, ProviderError } from "../../core/errors.js";
import { fluxReader, novaReader } from "./messages.js";

const IDENTITY = { provider: "deepgram", className: "DeepgramSTT" };

const turn = (event: string, words: readonly object[], extra: object = {}): string =>
  JSON.stringify({
    type: "TurnInfo",
    event,
    turn_index: 0,
    audio_window_start: 0,
    audio_window_end: 1.5,
    transcript: words.map((word) => ("word" in word ? word.word : "")).join(" "),
    words,
    end_of_turn_confidence: 0.5,
    ...extra,
  });

describe("Nova's messages", () => {
  const read = novaReader(IDENTITY, true);

  it("a documented result is read, as it is written in the documentation", () => {
    const message = {
      type: "Results",
      channel_index: [0, 1],
      duration: 1.98,
      start: 5.99,
      is_final: true,
      speech_final: true,
      from_finalize: false,
      channel: {
        alternatives: [
          {
            transcript: "Tell me more.",
            confidence: 0.9996,
            words: [{ word: "tell", start: 6.07, end: 6.31, confidence: 0.99, punctuated_word: "Tell" }],
          },
        ],
      },
      metadata: {
        request_id: "1b6d5c57",
        model_info: { name: "general-nova-3", version: "2025", arch: "nova-3" },
        model_uuid: "1",
      },
    };
    const [words, end] = read(JSON.stringify(message));
    expect(words).toMatchObject({ transcript: "Tell me more.", isFinal: true, confidence: 0.9996, answersFinalize: false });
    expect(words).toMatchObject({ words: [{ text: "Tell", startMs: 6070, endMs: 6310, confidence: 0.99 }] });
    expect(end).toEqual({ type: "turn_end", reason: "speech_final" });
  });

  it("a result without alternatives holds no words", () => {
    const [words] = read('{"type":"Results","start":1,"duration":0.5,"is_final":true,"channel":{"alternatives":[]}}');
    expect(words).toEqual({ type: "words", isFinal: true, untilMs: 1500, answersFinalize: false, transcript: "", words: [] });
  });

  it("messages that are not known are passed over", () => {
    expect([...read('{"type":"Metadata","duration":1}'), ...read('{"type":"Novelty"}')]).toEqual([]);
  });

  it("an error is thrown with what it says", () => {
    expect(() => [...read('{"type":"Error","variant":"NET-0002","description":"Oops."}')]).toThrow(/NET-0002: Oops\./);
  });
});

describe("Flux's messages", () => {
  it("words without times are taken to have ended when they first came, for the whole turn", () => {
    const read = fluxReader(IDENTITY);
    const bare = [{ word: "one", confidence: 0.9 }];
    const [, first] = read(turn("StartOfTurn", bare));
    expect(first).toMatchObject({ words: [{ startMs: 1500, endMs: 1500 }] });
    const [second] = read(turn("Update", [...bare, { word: "two", confidence: 0.9 }], { audio_window_end: 2 }));
    expect(second).toMatchObject({ words: [{ endMs: 1500 }, { endMs: 2000 }] });
    Array.from(read(turn("EndOfTurn", bare, { audio_window_end: 3 })));
    const [, next] = read(turn("StartOfTurn", bare, { audio_window_end: 4 }));
    expect(next).toMatchObject({ words: [{ endMs: 4000 }] });
  });

  it("an end says whether the model or its timeout decided", () => {
    const reasons = ["model", "timeout", "manual", "novelty"].map((trigger) =>
      [...fluxReader(IDENTITY)(turn("EndOfTurn", [], { trigger }))].at(-1),
    );
    expect(reasons.map((reading) => reading?.type === "turn_end" && reading.reason)).toEqual([
      "end_of_turn",
      "timeout",
      "end_of_turn",
      "end_of_turn",
    ]);
  });
});

describe.each([
  ["Nova", () => novaReader(IDENTITY, false)],
  ["Flux", () => fluxReader(IDENTITY)],
])("whatever comes from %s's socket", (_, reader) => {
  const anything = fc.oneof(
    fc.string(),
    fc.json(),
    fc
      .record({
        type: fc.constantFrom("Results", "TurnInfo", "SpeechStarted", "UtteranceEnd", "Error", "Connected"),
        start: fc.jsonValue(),
        duration: fc.jsonValue(),
        timestamp: fc.jsonValue(),
        channel: fc.jsonValue(),
        words: fc.jsonValue(),
        audio_window_end: fc.jsonValue(),
        event: fc.jsonValue(),
      })
      .map((message) => JSON.stringify(message)),
  );

  it("is read or refused with a ProviderError, as text and as bytes", () => {
    fc.assert(
      fc.property(anything, fc.boolean(), (text, asBytes) => {
        try {
          Array.from(reader()(asBytes ? new TextEncoder().encode(text) : text));
        } catch (error) {
          expect(error).toBeInstanceOf(ProviderError);
        }
      }),
    );
  });

  it("is refused when it is no JSON object", () => {
    expect(() => Array.from(reader()("[]"))).toThrow(ProtocolError);
  });
});
