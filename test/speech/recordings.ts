import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { encodeMulaw } from "../../src/audio/g711.js";
import { samplesOf } from "../../src/audio/pcm.js";
import { Resampler } from "../../src/audio/resample.js";
import { readWav } from "../../src/audio/wav.js";
import type { AudioFormat, AudioFrame } from "../../src/core/audio-frame.js";
import { MULAW_8K, PCM16_16K } from "../../src/core/audio-frame.js";

const READERS = "/usr/share/pocketsphinx/test/data";
const PROMPTS = "/usr/share/asterisk/sounds/en_US_f_Allison";
const PROMPT_TEXTS = "/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz";

/** Something a person said, and the words they were to say. */
export interface Recording {
  readonly name: string;
  readonly text: string;
  readonly sampleRate: number;
  readonly samples: Int16Array;
}

/** Sentences read aloud, one reader, 16 kHz. */
export function readSentences(): Recording[] {
  return transcribed(`${READERS}/librivox/transcription`, `${READERS}/librivox`);
}

/** Names of playing cards, one speaker, 16 kHz. */
export function cards(): Recording[] {
  return transcribed(`${READERS}/cards/cards.transcription`, `${READERS}/cards`);
}

/** "Go forward ten meters", 16 kHz. */
export function goForward(): Recording {
  return {
    name: "goforward",
    text: "go forward ten meters",
    sampleRate: 16_000,
    samples: samplesOf(readFileSync(`${READERS}/goforward.raw`)),
  };
}

/** Prompts of a telephone system, one speaker, 8 kHz: every `step`th of those with 4 to 40 words. */
export function prompts(step: number): Recording[] {
  const lines = gunzipSync(readFileSync(PROMPT_TEXTS)).toString("utf8").split("\n");
  const matches = lines.flatMap((line) => {
    const [, name, text] = /^([\w/-]+): (.*)$/.exec(line) ?? [];
    if (name === undefined || text === undefined || /[[;]/.test(text)) return [];
    const count = words(text).length;
    return count < 4 || count > 40 ? [] : [{ name, text }];
  });
  return matches
    .filter((_, index) => index % step === 0)
    .flatMap(({ name, text }) => wavRecording(`${PROMPTS}/${name}.wav`, name, text));
}

/** The recording as a wideband microphone sends it, or as a telephone does, in frames of 20 ms. */
export function frames(recording: Recording, format: AudioFormat = PCM16_16K, silenceMs = { before: 0, after: 0 }): AudioFrame[] {
  const { sampleRate } = format;
  const resampler = new Resampler(recording.sampleRate, sampleRate);
  const parts = [new Int16Array((silenceMs.before * sampleRate) / 1000), resampler.process(recording.samples), resampler.flush()];
  const samples = Int16Array.from([...parts, new Int16Array((silenceMs.after * sampleRate) / 1000)].flatMap((part) => [...part]));
  return cut(samples, format);
}

/** Samples at the format's rate, pcm16 or mu-law, in frames of 20 ms; the last one is shorter. */
export function cut(samples: Int16Array, format: AudioFormat): AudioFrame[] {
  const size = format.sampleRate / 50;
  return Array.from({ length: Math.ceil(samples.length / size) }, (_, index) => {
    const part = samples.slice(index * size, (index + 1) * size);
    return { format, bytes: format.encoding === MULAW_8K.encoding ? encodeMulaw(part) : new Uint8Array(part.buffer) };
  });
}

/** Lower case words, numbers spelled out as digits are spoken, without punctuation or hesitations in brackets. */
export function words(text: string): string[] {
  return text
    .toLowerCase()
    .replace(/\([^)]*\)/g, " ")
    .replace(/\bmister\b/g, "mr")
    .replace(/\d+/g, (digits) =>
      Number(digits) < 20 ? (NUMBERS[Number(digits)] as string) : [...digits].map((digit) => NUMBERS[Number(digit)]).join(" "),
    )
    .replace(/[^a-z' ]/g, " ")
    .replace(/\blog in\b/g, "login")
    .split(/\s+/)
    .filter((word) => word !== "");
}

/** Words that were inserted, left out or replaced. */
export function wordErrors(reference: readonly string[], heard: readonly string[]): number {
  let previous = Array.from({ length: heard.length + 1 }, (_, j) => j);
  for (let i = 1; i <= reference.length; i++) {
    const current = [i];
    for (let j = 1; j <= heard.length; j++) {
      const replaced = (previous[j - 1] as number) + (reference[i - 1] === heard[j - 1] ? 0 : 1);
      current.push(Math.min((previous[j] as number) + 1, (current[j - 1] as number) + 1, replaced));
    }
    previous = current;
  }
  return previous[heard.length] as number;
}

const NUMBERS =
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(
    " ",
  );

function transcribed(list: string, folder: string): Recording[] {
  const lines = readFileSync(list, "utf8").trim().split("\n");
  return lines.flatMap((line) => {
    const [, text, name] = /^(.*)\(([^)]*)\)\s*$/.exec(line) ?? [];
    if (text === undefined || name === undefined) return [];
    return wavRecording(`${folder}/${name}.wav`, name, text.replace(/<\/?s>/g, "").trim());
  });
}

function wavRecording(path: string, name: string, text: string): Recording[] {
  try {
    const wav = readWav(readFileSync(path));
    return [{ name, text, sampleRate: wav.format.sampleRate, samples: wav.samples() }];
  } catch (error) {
    // Some transcripts have no recording.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
