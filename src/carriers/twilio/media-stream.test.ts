import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseStreamMessage, StreamWriter } from "./media-stream.js";

const SID = `MZ${"0".repeat(32)}`;

function startOf(change: object = {}): string {
  const mediaFormat = { encoding: "audio/x-mulaw", sampleRate: 8000, channels: 1 };
  const start = { streamSid: SID, accountSid: "AC1", callSid: "CA1", tracks: ["inbound"], customParameters: {}, mediaFormat };
  return JSON.stringify({ event: "start", sequenceNumber: "1", start: { ...start, ...change }, streamSid: SID });
}

describe("a message from Twilio", () => {
  it("is read in each of its kinds", () => {
    const dtmf = { event: "dtmf", streamSid: SID, sequenceNumber: "5", dtmf: { track: "inbound_track", digit: "#" } };
    const mark = { event: "mark", sequenceNumber: "4", streamSid: SID, mark: { name: "1-160" } };
    const stop = { event: "stop", sequenceNumber: "5", streamSid: SID, stop: { accountSid: "AC1", callSid: "CA1" } };
    expect(parseStreamMessage('{"event":"connected","protocol":"Call","version":"1.0.0"}')).toEqual({ type: "connected" });
    expect(parseStreamMessage(startOf())).toEqual({ type: "start", streamSid: SID, callSid: "CA1", isPhoneAudio: true });
    expect(parseStreamMessage(JSON.stringify(dtmf))).toEqual({ type: "dtmf", digit: "#" });
    expect(parseStreamMessage(JSON.stringify(mark))).toEqual({ type: "mark", name: "1-160" });
    expect(parseStreamMessage(JSON.stringify(stop))).toEqual({ type: "stop" });
  });

  it("says whether the audio is a telephone's", () => {
    const formats = [
      { encoding: "audio/x-mulaw", sampleRate: 16_000, channels: 1 },
      { encoding: "audio/x-l16", sampleRate: 8000, channels: 1 },
      {},
    ];
    for (const mediaFormat of formats)
      expect(parseStreamMessage(startOf({ mediaFormat }))).toMatchObject({ isPhoneAudio: false });
    const inText = { encoding: "audio/x-mulaw", sampleRate: "8000", channels: "1" };
    expect(parseStreamMessage(startOf({ mediaFormat: inText }))).toMatchObject({ isPhoneAudio: true });
  });

  it("holds the caller's audio byte for byte, whatever the order and the spacing of its fields", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 400 }), fc.boolean(), fc.boolean(), (bytes, isSpaced, isSwapped) => {
        const payload = Buffer.from(bytes).toString("base64");
        const media = isSwapped
          ? { payload, timestamp: "20", chunk: "2", track: "inbound" }
          : { track: "inbound", chunk: "2", timestamp: "20", payload };
        const text = JSON.stringify({ event: "media", sequenceNumber: "3", media, streamSid: SID }, null, isSpaced ? 1 : 0);
        const escaped = isSwapped ? text.replaceAll("/", "\\/") : text;
        const message = parseStreamMessage(escaped);
        expect(message?.type === "media" && Uint8Array.from(message.bytes)).toEqual(bytes);
      }),
    );
  });

  it.each([
    ["no JSON", "hello"],
    ["no object", "[1]"],
    ["an unknown event", '{"event":"surprise"}'],
    ["a start without a call", startOf({ callSid: undefined })],
    ["a start with a name that is none", startOf({ streamSid: '","x":"' })],
    ["our own audio", JSON.stringify({ event: "media", media: { track: "outbound", payload: "/////w==" } })],
    ["audio without samples", '{"event":"media","media":{"track":"inbound","payload":""}}'],
    ["audio that is cut off", '{"event":"media","media":{"track":"inbound","payload":"////'],
    ["no key", '{"event":"dtmf","dtmf":{"digit":"12"}}'],
    ["a mark without a name", '{"event":"mark","mark":{}}'],
  ])("is none: %s", (_, text) => {
    expect(parseStreamMessage(text)).toBeUndefined();
  });

  it("never throws", () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void parseStreamMessage(text)));
  });
});

describe("a message to Twilio", () => {
  it("holds the stream and the audio of the frame alone, not of the memory around it", () => {
    const memory = Uint8Array.from({ length: 10 }, (_, index) => index);
    const writer = new StreamWriter(SID);
    expect(JSON.parse(writer.media(memory.subarray(2, 5)))).toEqual({
      event: "media",
      streamSid: SID,
      media: { payload: Buffer.from([2, 3, 4]).toString("base64") },
    });
    expect(JSON.parse(writer.mark("1-160"))).toEqual({ event: "mark", streamSid: SID, mark: { name: "1-160" } });
    expect(JSON.parse(writer.clear())).toEqual({ event: "clear", streamSid: SID });
  });
});
