/**
 * What each conversion on the audio path costs, in microseconds per 20 ms frame, beside the plain loop that a
 * program would write by hand. Run with `npx tsx bench/audio.ts`; medians of several runs on this machine.
 */
import { BandwidthExtension, loadBandwidthExtensionWeights } from "../src/audio/bandwidth-extension.js";
import { DtmfDetector } from "../src/audio/dtmf-tones.js";
import { FrameCutter } from "../src/audio/frames.js";
import { decodeMulaw, encodeMulaw } from "../src/audio/g711.js";
import { rmsDbfs } from "../src/audio/level.js";
import { decodeFrame, encodeFrame } from "../src/audio/pcm.js";
import { Resampler } from "../src/audio/resample.js";
import { Transcoder } from "../src/audio/transcode.js";
import { type AudioFormat, type AudioFrame, MULAW_8K, PCM16_16K } from "../src/core/audio-frame.js";
import { median, row } from "./statistics.js";

const RUNS = 9;
const FRAMES = 2000;
const FRAME_US = 20_000;

/** Speech-like samples: a decaying pulse train with some noise. */
function voice(sampleRate: number): Int16Array {
  return Int16Array.from({ length: sampleRate / 50 }, (_, i) => {
    const position = (i % Math.round(sampleRate / 120)) / sampleRate;
    return Math.round(9000 * Math.exp(-position * 400) * Math.sin(2 * Math.PI * 700 * position) + 300 * Math.sin(i * i));
  });
}

function frameOf(format: AudioFormat): AudioFrame {
  return encodeFrame(voice(format.sampleRate), format);
}

function frameMicroseconds(run: () => unknown): number {
  const once = (): number => {
    const startedMs = performance.now();
    for (let frame = 0; frame < FRAMES; frame++) run();
    return ((performance.now() - startedMs) / FRAMES) * 1000;
  };
  once();
  return median(Array.from({ length: RUNS }, once));
}

function report(name: string, run: () => unknown, plain?: () => unknown): void {
  const us = frameMicroseconds(run);
  const cells = [`${us.toFixed(2)} us`, `${((100 * us) / FRAME_US).toFixed(3)} %`];
  if (plain !== undefined) cells.push(`${frameMicroseconds(plain).toFixed(2)} us`);
  console.log(row(`  ${name}`, ...cells));
}

/** Mu-law the way of a textbook: one sample at a time, searching for the segment. */
function plainEncodeMulaw(samples: readonly number[]): number[] {
  const codes: number[] = [];
  for (const sample of samples) {
    const sign = sample < 0 ? 0x80 : 0;
    const magnitude = Math.min(Math.abs(sample), 32_635) + 132;
    let segment = 7;
    for (let mask = 0x4000; (magnitude & mask) === 0 && segment > 0; mask >>= 1) segment--;
    codes.push(~(sign | (segment << 4) | ((magnitude >> (segment + 3)) & 15)) & 255);
  }
  return codes;
}

function plainDecodeMulaw(codes: readonly number[]): number[] {
  return codes.map((byte) => {
    const code = ~byte & 255;
    const magnitude = (((code & 15) << 3) + 132) << ((code & 0x70) >> 4);
    return code & 0x80 ? 132 - magnitude : magnitude - 132;
  });
}

/** A resampler as one writes it first: filters made beforehand, the last samples joined to the new ones, two loops. */
function plainResampler(fromRate: number, toRate: number): (samples: Int16Array) => Int16Array {
  const half = Math.ceil(24 * Math.max(1, fromRate / toRate));
  const filters = new Map<number, Float32Array>();
  for (let phase = 0; phase < toRate; phase += greatestCommonDivisor(fromRate, toRate)) {
    const filter = Float32Array.from({ length: 2 * half }, (_, k) => {
      const x = (k - half + 1 - phase / toRate) * 0.94 * Math.min(1, toRate / fromRate) * Math.PI;
      return x === 0 ? 1 : Math.sin(x) / x;
    });
    filters.set(phase, filter);
  }
  let history = new Float32Array(2 * half - 1);
  let phase = 0;
  return (samples) => {
    const input = Float32Array.from([...history, ...samples]);
    const output: number[] = [];
    let at = 0;
    for (; at + 2 * half <= input.length; at += Math.floor(phase / toRate), phase %= toRate) {
      const filter = filters.get(phase)!;
      let sum = 0;
      for (let k = 0; k < filter.length; k++) sum += input[at + k]! * filter[k]!;
      output.push(Math.max(-32_768, Math.min(32_767, Math.round(sum))));
      phase += fromRate;
    }
    history = input.slice(at);
    return Int16Array.from(output);
  };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

function reportResampler(from: number, to: number): void {
  const samples = voice(from);
  const resampler = new Resampler(from, to);
  const plainly = plainResampler(from, to);
  const name = `${from} to ${to} Hz, ${resampler.delayMs.toFixed(1)} ms of delay`;
  report(
    name,
    () => resampler.process(samples),
    () => plainly(samples),
  );
}

function reportTranscoder(name: string, from: AudioFormat, to: AudioFormat): void {
  const frame = frameOf(from);
  const transcoder = new Transcoder(from, to);
  report(name, () => transcoder.process(frame));
}

const heard = voice(8000);
const wide = voice(16_000);
const codes = encodeMulaw(heard);

console.log(row("coding", "per frame", "of a core", "plain loop"));
report(
  "decode mu-law",
  () => decodeMulaw(codes),
  () => plainDecodeMulaw([...codes]),
);
report(
  "encode mu-law",
  () => encodeMulaw(heard),
  () => plainEncodeMulaw([...heard]),
);

console.log(row("\nsample rates"));
for (const [from, to] of [
  [8000, 16_000],
  [16_000, 8000],
  [24_000, 8000],
  [44_100, 16_000],
  [48_000, 16_000],
] as const) {
  reportResampler(from, to);
}

console.log(row("\nwhole frames"));
reportTranscoder("mu-law 8 kHz untouched (telephone to STT)", MULAW_8K, { ...MULAW_8K });
reportTranscoder("mu-law 8 kHz to PCM 16 kHz (telephone to VAD)", MULAW_8K, PCM16_16K);
reportTranscoder("PCM 16 kHz to mu-law 8 kHz (voice to telephone)", PCM16_16K, MULAW_8K);
reportTranscoder("PCM 24 kHz to mu-law 8 kHz (voice to telephone)", { encoding: "pcm16", sampleRate: 24_000 }, MULAW_8K);

console.log(row("\nthe rest"));
const cutter = new FrameCutter(MULAW_8K, 20);
const detector = new DtmfDetector();
const extension = new BandwidthExtension(await loadBandwidthExtensionWeights());
const frame = frameOf(MULAW_8K);
report("cut 20 ms out of a byte stream", () => cutter.push(codes));
report("level of a frame", () => rmsDbfs(decodeFrame(frame)));
report("look for DTMF, 8 kHz", () => detector.push(heard));
report("bandwidth extension, 16 kHz", () => extension.process(wide));
