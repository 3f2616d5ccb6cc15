import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AudioEncoding } from "../core/audio-frame.js";
import { MULAW_8K, PCM16_16K } from "../core/audio-frame.js";
import { ConfigError } from "../core/errors.js";
import { bytesOf } from "./pcm.js";
import { readWav, writeWav } from "./wav.js";

const ascii = (text: string) => Array.from(text, (char) => char.charCodeAt(0));
const u16 = (value: number) => [value & 255, value >> 8];
const u32 = (value: number) => [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24];
const chunk = (id: string, body: readonly number[], size = body.length) => [
  ...ascii(id),
  ...u32(size),
  ...body,
  ...(body.length & 1 ? [0] : []),
];
const fmt = (tag: number, channels: number, rate: number, bits: number, extra: readonly number[] = []) =>
  chunk("fmt ", [
    ...u16(tag),
    ...u16(channels),
    ...u32(rate),
    ...u32((rate * channels * bits) / 8),
    ...u16((channels * bits) / 8),
    ...u16(bits),
    ...extra,
  ]);

function wav(chunks: readonly (readonly number[])[], riffSize?: number): Uint8Array {
  const body = chunks.flat();
  return Uint8Array.from([...ascii("RIFF"), ...u32(riffSize ?? body.length + 4), ...ascii("WAVE"), ...body]);
}

const mono16 = fmt(1, 1, 16_000, 16);

describe("readWav", () => {
  test("gives back what writeWav wrote, mono and stereo, in every encoding", () => {
    fc.assert(
      fc.property(
        fc.constantFrom<AudioEncoding>("pcm16", "mulaw", "alaw"),
        fc.constantFrom(8000, 16_000, 44_100),
        fc.uint8Array({ maxLength: 101 }),
        fc.option(fc.uint8Array({ maxLength: 101 })),
        (encoding, sampleRate, left, right) => {
          const channels = right === null ? [left] : [left, right];
          const audio = readWav(writeWav({ encoding, sampleRate }, channels));
          expect(audio.format).toEqual({ encoding, sampleRate });
          expect(audio.channels).toBe(channels.length);
          channels.forEach((channel, index) => {
            const whole = encoding === "pcm16" ? channel.subarray(0, channel.length & ~1) : channel;
            const alone = readWav(writeWav({ encoding, sampleRate }, [whole])).samples();
            expect([...audio.samples(index).subarray(0, alone.length)]).toEqual([...alone]);
          });
        },
      ),
    );
  });

  test("converts 8, 24 and 32-bit integers and floats to 16 bits", () => {
    const read = (tag: number, bits: number, data: readonly number[]) => {
      const audio = readWav(wav([fmt(tag, 1, 8000, bits), chunk("data", data)]));
      expect(audio.format).toEqual({ encoding: "pcm16", sampleRate: 8000 });
      return [...audio.samples()];
    };
    expect(read(1, 8, [0, 128, 255])).toEqual([-32_768, 0, 32_512]);
    expect(read(1, 24, [0xff, 0x34, 0x12, 0, 0, 0x80])).toEqual([0x1234, -32_768]);
    expect(read(1, 32, [0, 0, 0x34, 0x12, 0xff, 0xff, 0xff, 0xff])).toEqual([0x1234, -1]);
    const floats = new Uint8Array(Float32Array.of(0, 0.5, -1, 2, Number.NaN, Number.NEGATIVE_INFINITY).buffer);
    expect(read(3, 32, [...floats])).toEqual([0, 16_384, -32_768, 32_767, 0, -32_768]);
  });

  test("reads the extensible form and skips chunks it does not know, odd ones too", () => {
    const guid = [1, 0, 0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];
    const extensible = fmt(0xfffe, 2, 48_000, 16, [...u16(22), ...u16(16), ...u32(3), ...guid]);
    const audio = readWav(
      wav([
        chunk("LIST", [1, 2, 3]),
        extensible,
        chunk("fact", [2, 0, 0, 0]),
        chunk("data", [1, 0, 2, 0, 3, 0, 4, 0]),
        chunk("id3 ", [9]),
      ]),
    );
    expect(audio.format).toEqual({ encoding: "pcm16", sampleRate: 48_000 });
    expect([...audio.samples(0)]).toEqual([1, 3]);
    expect([...audio.samples(1)]).toEqual([2, 4]);
  });

  test.each([
    ["both sizes 0", 0, 0],
    ["both sizes at their maximum", 0xffff_ffff, 0xffff_ffff],
    ["an audio size of 0 and a RIFF size of the header", 0, 36],
    ["an audio size larger than the file", 1_000_000, 0x7fff_ffff],
  ])("a stream with %s is read to its end", (_, dataSize, riffSize) => {
    const audio = readWav(wav([mono16, chunk("data", [1, 0, 2, 0, 3, 0], dataSize)], riffSize));
    expect([...audio.samples()]).toEqual([1, 2, 3]);
  });

  test("an audio chunk that is really empty is empty, whatever follows", () => {
    expect(readWav(wav([mono16, chunk("data", []), chunk("LIST", [1, 0, 2, 0])])).bytes).toHaveLength(0);
  });

  test("audio cut in the middle of a sample frame ends with the last whole one", () => {
    const stereo = wav([fmt(1, 2, 8000, 16), chunk("data", [1, 0, 2, 0, 3, 0, 4, 0])]);
    expect([...readWav(stereo.subarray(0, stereo.length - 1)).samples(1)]).toEqual([2]);
  });

  test.each([
    ["nothing", new Uint8Array(0), "it ends at byte 0"],
    ["another file", Uint8Array.from(ascii("ID3\x03 and more than that")), 'byte 0 has "ID3?" instead of "RIFF"'],
    [
      "another RIFF file",
      Uint8Array.from([...ascii("RIFF"), 0, 0, 0, 0, ...ascii("AVI ")]),
      'byte 8 has "AVI " instead of "WAVE"',
    ],
    ["no chunk", wav([]), 'ends at byte 12 without a "data" chunk'],
    ["no format", wav([chunk("data", [1, 0])]), '"data" chunk at byte 12, before any "fmt "'],
    ["a short format", wav([chunk("fmt ", [1, 0])]), '"fmt " chunk at byte 12 has 2 bytes'],
    ["a short extensible format", wav([fmt(0xfffe, 1, 8000, 16)]), 'extensible "fmt " chunk at byte 12 has 16 bytes'],
    ["a chunk beyond the end", wav([mono16, chunk("LIST", [1], 500)]), '"LIST" chunk at byte 36 claims 500 bytes, but 2 follow'],
    ["no channels", wav([fmt(1, 0, 8000, 16), chunk("data", [])]), "0 channels at byte 22"],
    ["no rate", wav([fmt(1, 1, 0, 16), chunk("data", [])]), "0 Hz at byte 24"],
    ["a compressed format", wav([fmt(0x55, 1, 8000, 0), chunk("data", [])]), "format 0x0055 with 0 bits is not supported"],
    ["12-bit samples", wav([fmt(1, 1, 8000, 12), chunk("data", [])]), "format 0x0001 with 12 bits is not supported"],
  ])("%s is refused with the reason", (_, bytes, message) => {
    expect(() => readWav(bytes)).toThrow(ConfigError);
    expect(() => readWav(bytes)).toThrow(message);
  });

  test("a channel that is not there is refused", () => {
    const audio = readWav(wav([mono16, chunk("data", [1, 0])]));
    expect(() => audio.samples(1)).toThrow("The WAV file has channels 0 to 0, not 1.");
  });

  test("any bytes are read or refused with a ConfigError", () => {
    const valid = writeWav(PCM16_16K, [Uint8Array.of(1, 2, 3, 4), Uint8Array.of(5, 6, 7, 8)]);
    const mutated = fc
      .tuple(fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 6 }), fc.nat(valid.length))
      .map(([edits, length]) => {
        const bytes = valid.slice(0, length);
        for (const [at, value] of edits) if (at < length) bytes[at] = value;
        return bytes;
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated), (bytes) => {
        try {
          const audio = readWav(bytes);
          for (let channel = 0; channel < Math.min(audio.channels, 4); channel++) audio.samples(channel);
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError);
        }
      }),
      { numRuns: 5000 },
    );
  });
});

describe("writeWav", () => {
  test("pads the shorter channel with silence", () => {
    const audio = readWav(writeWav(MULAW_8K, [Uint8Array.of(1, 2, 3), Uint8Array.of(4)]));
    expect([...audio.bytes]).toEqual([1, 4, 2, 0xff, 3, 0xff]);
  });

  test("writes the header that players expect", () => {
    const file = writeWav(PCM16_16K, [bytesOf(Int16Array.of(1, -1))]);
    expect(file).toEqual(wav([mono16, chunk("data", [1, 0, 0xff, 0xff])]));
    const odd = writeWav(MULAW_8K, [Uint8Array.of(7)]);
    expect(odd).toEqual(wav([fmt(7, 1, 8000, 8, [0, 0]), chunk("fact", u32(1)), chunk("data", [7])]));
  });

  test("needs a channel", () => {
    expect(() => writeWav(PCM16_16K, [])).toThrow(ConfigError);
  });
});
