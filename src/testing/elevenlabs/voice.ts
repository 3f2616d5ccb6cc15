import { encodeAlaw, encodeMulaw } from "../../audio/g711.js";
import type { AudioFormat } from "../../core/audio-frame.js";
import type { SpokenWords } from "../spoken-words.js";

/** When each character of a text is spoken, in ms of its utterance. Characters are UTF-16 units of the text. */
export interface CharacterTimes {
  readonly characters: readonly string[];
  readonly startMs: readonly number[];
  readonly durationMs: readonly number[];
}

/** A text, spoken. */
export interface Utterance extends CharacterTimes {
  readonly format: AudioFormat;
  readonly bytes: Uint8Array;
}

const LOUDNESS = 6000;

/** The audio format behind a name such as `ulaw_8000`; `undefined` for one that the test server does not make. */
export function formatNamed(name: string): AudioFormat | undefined {
  if (name === "ulaw_8000") return { encoding: "mulaw", sampleRate: 8000 };
  if (name === "alaw_8000") return { encoding: "alaw", sampleRate: 8000 };
  const rate = /^pcm_(8000|16000|22050|24000|32000|44100|48000)$/.exec(name)?.[1];
  return rate === undefined ? undefined : { encoding: "pcm16", sampleRate: Number(rate) };
}

/** Speaks every character for the same time: letters and digits as a tone of their own, all else as silence. */
export function speakTones(text: string, format: AudioFormat, characterMs: number): Utterance {
  const characters = text.split("");
  const perCharacter = Math.round((characterMs * format.sampleRate) / 1000);
  const samples = new Int16Array(characters.length * perCharacter);
  characters.forEach((character, index) => {
    if (!/[\p{L}\p{N}]/u.test(character)) return;
    const hertz = 200 + ((character.charCodeAt(0) * 37) % 1600);
    for (let sample = 0; sample < perCharacter; sample++) {
      const angle = (2 * Math.PI * hertz * sample) / format.sampleRate;
      samples[index * perCharacter + sample] = Math.round(LOUDNESS * Math.sin(angle));
    }
  });
  return {
    characters,
    startMs: characters.map((_, index) => index * characterMs),
    durationMs: characters.map(() => characterMs),
    format,
    bytes: encode(samples, format),
  };
}

/** Speaks words that a `TestPhone` can read back; what is between them takes no time. */
export function speakWords(text: string, spoken: SpokenWords): Utterance {
  const startMs: number[] = [];
  const durationMs: number[] = [];
  let atMs = 0;
  for (const part of text.match(/\s+|\S+/g) ?? []) {
    const partMs = part.trim() === "" ? 0 : spoken.durationMs(part);
    for (let index = 0; index < part.length; index++) {
      startMs.push(atMs + (partMs * index) / part.length);
      durationMs.push(partMs / part.length);
    }
    atMs += partMs;
  }
  return { characters: text.split(""), startMs, durationMs, format: spoken.format, bytes: spoken.encode(text) };
}

function encode(samples: Int16Array, { encoding }: AudioFormat): Uint8Array {
  if (encoding === "mulaw") return encodeMulaw(samples);
  if (encoding === "alaw") return encodeAlaw(samples);
  return new Uint8Array(samples.buffer);
}
