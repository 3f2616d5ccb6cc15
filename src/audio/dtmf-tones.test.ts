import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AudioFormat } from "../core/audio-frame.js";
import { audioDurationMs, MULAW_8K, PCM16_16K } from "../core/audio-frame.js";
import { ConfigError } from "../core/errors.js";
import { DtmfDetector, dtmfTones } from "./dtmf-tones.js";
import { peakDbfs } from "./level.js";
import { decodeFrame } from "./pcm.js";

const KEYS = "123A456B789C*0#D";
const ROW_HZ = [697, 770, 852, 941];
const COLUMN_HZ = [1209, 1336, 1477, 1633];

function detect(digits: string, format: AudioFormat, options?: { readonly toneMs: number; readonly gapMs: number }): string {
  const detector = new DtmfDetector(format.sampleRate);
  return dtmfTones(digits, format, options)
    .flatMap((frame) => detector.push(decodeFrame(frame)))
    .join("");
}

/** A repeatable generator of normally distributed noise. */
function noiseSource(seed: number): () => number {
  let state = seed;
  const uniform = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 1) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

interface Line {
  readonly amplitude?: number;
  readonly detune?: number;
  readonly columnDb?: number;
  readonly noise?: number;
  readonly toneMs?: number;
}

/** The digits recognised when one key is pressed on a telephone line, at any moment of a block. */
function heard(key: string, lead: number, line: Line): string {
  const { amplitude = 8000, detune = 0, columnDb = 0, noise = 0, toneMs = 60 } = line;
  const index = KEYS.indexOf(key);
  const length = toneMs * 8;
  const gauss = noiseSource(index * 1000 + lead);
  const sine = (hz: number, i: number) => Math.sin((2 * Math.PI * hz * (1 + detune) * i) / 8000);
  const samples = Int16Array.from({ length: lead + length + 600 }, (_, at) => {
    const i = at - lead;
    const row = sine(ROW_HZ[index >> 2]!, i);
    const column = sine(COLUMN_HZ[index & 3]!, i) * 10 ** (columnDb / 20);
    return (i >= 0 && i < length ? amplitude * (row + column) : 0) + noise * gauss();
  });
  return new DtmfDetector().push(samples).join("");
}

function expectAll(line: Line, expected: (key: string) => string): void {
  for (const key of KEYS) {
    for (let lead = 0; lead < 120; lead += 17) expect(heard(key, lead, line)).toBe(expected(key));
  }
}

describe("generated tones", () => {
  test.each([
    ["8 kHz mu-law", MULAW_8K],
    ["8 kHz A-law", { encoding: "alaw", sampleRate: 8000 }],
    ["16 kHz PCM", PCM16_16K],
    ["44.1 kHz PCM", { encoding: "pcm16", sampleRate: 44_100 }],
  ] as const)("of every key are recognised in %s", (_, format) => {
    expect(detect(KEYS, format)).toBe(KEYS);
  });

  test("of any number, repeated digits too, are recognised at 40 ms of tone and 40 ms of gap", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...KEYS), maxLength: 12 }), (digits) => {
        expect(detect(digits, MULAW_8K, { toneMs: 40, gapMs: 40 })).toBe(digits);
      }),
      { numRuns: 40 },
    );
  });

  test("come in whole frames, with the pauses asked for, and do not clip", () => {
    const frames = dtmfTones("1w2W", MULAW_8K);
    expect(new Set(frames.map((frame) => frame.bytes.length))).toEqual(new Set([160]));
    expect(frames.reduce((ms, frame) => ms + audioDurationMs(frame.format, frame.bytes.length), 0)).toBe(200 + 500 + 200 + 1000);
    expect(Math.max(...frames.map((frame) => peakDbfs(decodeFrame(frame))))).toBeLessThan(-3);
    expect(detect("1w2W3", PCM16_16K)).toBe("123");
  });

  test("of nothing are nothing, and of what is no key are refused", () => {
    expect(dtmfTones("", MULAW_8K)).toEqual([]);
    expect(() => dtmfTones("12x", MULAW_8K)).toThrow(ConfigError);
    expect(() => dtmfTones("12x", MULAW_8K)).toThrow('"x" in "12x" is no DTMF digit');
  });
});

describe("the detector", () => {
  const itself = (key: string) => key;
  const nothing = () => "";

  test("recognises 40 ms of every key at any moment", () => expectAll({ toneMs: 40 }, itself));
  test("does not take 15 ms for a digit", () => expectAll({ toneMs: 15 }, nothing));
  test("allows frequencies 1.5 % off and refuses them 3.5 % off", () => {
    for (const detune of [-0.015, 0.015]) expectAll({ detune }, itself);
    for (const detune of [-0.035, 0.035]) expectAll({ detune }, nothing);
  });
  test("allows the twist of telephone lines and no more", () => {
    expectAll({ columnDb: 7, amplitude: 4000 }, itself);
    expectAll({ columnDb: -3 }, itself);
    expectAll({ columnDb: 10, amplitude: 4000 }, nothing);
    expectAll({ columnDb: -6 }, nothing);
  });
  test("hears digits 12 dB above the noise, and faint ones", () => {
    expectAll({ noise: 8000 / 10 ** (12 / 20) }, itself);
    expectAll({ amplitude: 250 }, itself);
  });

  test("finds no digit in ten minutes of noise, nor in silence, single tones and a dial tone", () => {
    const detector = new DtmfDetector();
    const gauss = noiseSource(1);
    for (let second = 0; second < 600; second++) {
      expect(detector.push(Int16Array.from({ length: 8000 }, () => 5000 * gauss()))).toEqual([]);
    }
    for (const tones of [[], [440], [350, 440], [941], [1209], [697, 770], [1000, 2000]]) {
      const samples = Int16Array.from({ length: 8000 }, (_, i) =>
        tones.reduce((sum, hz) => sum + 6000 * Math.sin((2 * Math.PI * hz * i) / 8000), 0),
      );
      expect(detector.push(samples)).toEqual([]);
    }
  });

  test("hears the same however the samples are chunked", () => {
    const samples = dtmfTones("159D", MULAW_8K).flatMap((frame) => [...decodeFrame(frame)]);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), (chunk) => {
        const detector = new DtmfDetector();
        const digits: string[] = [];
        for (let at = 0; at < samples.length; at += chunk)
          digits.push(...detector.push(Int16Array.from(samples.slice(at, at + chunk))));
        expect(digits.join("")).toBe("159D");
      }),
      { numRuns: 30 },
    );
  });

  test("refuses a rate too low for the tones", () => {
    expect(() => new DtmfDetector(4000)).toThrow(ConfigError);
  });
});
