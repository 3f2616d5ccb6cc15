import type { AudioFormat } from "../core/audio-frame.js";
import { bytesPerSample } from "../core/audio-frame.js";
import { ConfigError } from "../core/errors.js";
import { silenceByte } from "./g711.js";
import { bytesOf, decodeFrame } from "./pcm.js";

const TAG_PCM = 1;
const TAG_FLOAT = 3;
const TAG_ALAW = 6;
const TAG_MULAW = 7;
const TAG_EXTENSIBLE = 0xfffe;

/** The audio of a WAV file. Integer and float samples of other widths have become pcm16. */
export interface WavAudio {
  readonly format: AudioFormat;
  readonly channels: number;
  /** In `format`, channels interleaved, whole sample frames only; may be a view of the bytes read. */
  readonly bytes: Uint8Array;
  /** The samples of one channel, 0 by default. Throws `ConfigError` for a channel the file lacks. */
  samples(channel?: number): Int16Array;
}

interface WavHeader {
  readonly tag: number;
  readonly channels: number;
  readonly sampleRate: number;
  readonly bitsPerSample: number;
}

/**
 * Reads a WAV file: PCM of 8, 16, 24 or 32 bits, 32-bit float, mu-law or A-law, any number of channels.
 *
 * Tolerates what is found in practice: unknown chunks, the sizes that streaming writers leave at 0 or at
 * their maximum, and audio that is cut short. Throws `ConfigError`, with the byte, when it is no such file.
 */
export function readWav(bytes: Uint8Array): WavAudio {
  const { header, data } = parseChunks(bytes);
  const { encoding, bytes: audio } = toSupportedEncoding(header, data);
  const format: AudioFormat = { encoding, sampleRate: header.sampleRate };
  const { channels } = header;
  return { format, channels, bytes: audio, samples: (channel = 0) => channelSamples(format, audio, channels, channel) };
}

/**
 * Writes a WAV file of one or more channels of one format; a shorter channel is padded with silence.
 * Throws `ConfigError` without a channel, or beyond the 4 GiB that a WAV file can hold.
 */
export function writeWav(format: AudioFormat, channels: readonly Uint8Array[]): Uint8Array {
  const width = bytesPerSample(format.encoding);
  if (channels.length === 0) throw new ConfigError("A WAV file needs at least one channel.");
  const sampleCount = Math.max(...channels.map((channel) => Math.floor(channel.length / width)));
  const dataBytes = sampleCount * width * channels.length;
  if (dataBytes > 0xffff_ff00)
    throw new ConfigError(`A WAV file holds at most 4 GiB of audio, not ${dataBytes} bytes: split it.`);

  const isPcm = format.encoding === "pcm16";
  // Companded formats carry the size of an (empty) extension and a `fact` chunk with the sample count.
  const headerBytes = isPcm ? 44 : 58;
  const file = new Uint8Array(headerBytes + dataBytes + (dataBytes & 1));
  const view = new DataView(file.buffer);
  writeId(file, 0, "RIFF");
  view.setUint32(4, file.length - 8, true);
  writeId(file, 8, "WAVE");
  writeId(file, 12, "fmt ");
  view.setUint32(16, isPcm ? 16 : 18, true);
  view.setUint16(20, isPcm ? TAG_PCM : format.encoding === "mulaw" ? TAG_MULAW : TAG_ALAW, true);
  view.setUint16(22, channels.length, true);
  view.setUint32(24, format.sampleRate, true);
  view.setUint32(28, format.sampleRate * width * channels.length, true);
  view.setUint16(32, width * channels.length, true);
  view.setUint16(34, width * 8, true);
  if (!isPcm) {
    writeId(file, 38, "fact");
    view.setUint32(42, 4, true);
    view.setUint32(46, sampleCount, true);
  }
  writeId(file, headerBytes - 8, "data");
  view.setUint32(headerBytes - 4, dataBytes, true);
  interleave(format, channels, sampleCount, file.subarray(headerBytes, headerBytes + dataBytes));
  return file;
}

function parseChunks(bytes: Uint8Array): { header: WavHeader; data: Uint8Array } {
  if (bytes.length < 12)
    throw new ConfigError(`This is not a WAV file: it ends at byte ${bytes.length}, before its first chunk.`);
  expectId(bytes, 0, "RIFF");
  expectId(bytes, 8, "WAVE");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const riffEnd = view.getUint32(4, true) + 8;
  let header: WavHeader | undefined;
  let at = 12;
  while (at + 8 <= bytes.length) {
    const id = readId(bytes, at);
    const size = view.getUint32(at + 4, true);
    const start = at + 8;
    if (id === "data") {
      if (header === undefined)
        throw new ConfigError(`The WAV file has its "data" chunk at byte ${at}, before any "fmt " chunk: its format is unknown.`);
      // Writers to a pipe cannot come back to fill in the sizes.
      const isUnsized = size === 0 && (riffEnd <= start || riffEnd > bytes.length);
      return { header, data: bytes.subarray(start, isUnsized ? bytes.length : start + size) };
    }
    if (start + size > bytes.length) {
      throw new ConfigError(
        `The WAV file is cut short: its "${id}" chunk at byte ${at} claims ${size} bytes, but ${bytes.length - start} follow.`,
      );
    }
    if (id === "fmt ") header = parseFormat(view, start, size);
    at = start + size + (size & 1);
  }
  throw new ConfigError(`The WAV file ends at byte ${bytes.length} without a "data" chunk: it holds no audio.`);
}

function parseFormat(view: DataView, start: number, size: number): WavHeader {
  if (size < 16)
    throw new ConfigError(`The WAV file's "fmt " chunk at byte ${start - 8} has ${size} bytes instead of at least 16.`);
  let tag = view.getUint16(start, true);
  if (tag === TAG_EXTENSIBLE) {
    if (size < 40)
      throw new ConfigError(`The WAV file's extensible "fmt " chunk at byte ${start - 8} has ${size} bytes instead of 40.`);
    // The sub-format is a GUID that begins with the plain format tag.
    tag = view.getUint16(start + 24, true);
  }
  const channels = view.getUint16(start + 2, true);
  const sampleRate = view.getUint32(start + 4, true);
  if (channels === 0) throw new ConfigError(`The WAV file's header says 0 channels at byte ${start + 2}.`);
  if (sampleRate === 0) throw new ConfigError(`The WAV file's header says a sample rate of 0 Hz at byte ${start + 4}.`);
  return { tag, channels, sampleRate, bitsPerSample: view.getUint16(start + 14, true) };
}

function toSupportedEncoding(header: WavHeader, data: Uint8Array): { encoding: AudioFormat["encoding"]; bytes: Uint8Array } {
  const bytes = wholeFrames(data, (header.bitsPerSample >> 3) * header.channels);
  switch (`${header.tag}/${header.bitsPerSample}`) {
    case `${TAG_PCM}/8`:
      return { encoding: "pcm16", bytes: convert(bytes, 1, (view, at) => (view.getUint8(at) - 128) << 8) };
    case `${TAG_PCM}/16`:
      return { encoding: "pcm16", bytes };
    case `${TAG_PCM}/24`:
      return { encoding: "pcm16", bytes: convert(bytes, 3, (view, at) => view.getInt16(at + 1, true)) };
    case `${TAG_PCM}/32`:
      return { encoding: "pcm16", bytes: convert(bytes, 4, (view, at) => view.getInt16(at + 2, true)) };
    case `${TAG_FLOAT}/32`:
      return { encoding: "pcm16", bytes: convert(bytes, 4, (view, at) => fromFloat(view.getFloat32(at, true))) };
    case `${TAG_MULAW}/8`:
      return { encoding: "mulaw", bytes };
    case `${TAG_ALAW}/8`:
      return { encoding: "alaw", bytes };
    default:
      throw new ConfigError(
        `WAV audio of format 0x${header.tag.toString(16).padStart(4, "0")} with ${header.bitsPerSample} bits is not supported. Convert it: ffmpeg -i in.wav -c:a pcm_s16le out.wav`,
      );
  }
}

function wholeFrames(data: Uint8Array, frameBytes: number): Uint8Array {
  return frameBytes === 0 ? data : data.subarray(0, data.length - (data.length % frameBytes));
}

function convert(bytes: Uint8Array, width: number, read: (view: DataView, at: number) => number): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const samples = new Int16Array(bytes.length / width);
  for (let i = 0; i < samples.length; i++) samples[i] = read(view, i * width);
  return bytesOf(samples);
}

function fromFloat(value: number): number {
  return Math.max(-32_768, Math.min(32_767, Math.round(value * 32_768)));
}

function channelSamples(format: AudioFormat, bytes: Uint8Array, channels: number, channel: number): Int16Array {
  if (!Number.isInteger(channel) || channel < 0 || channel >= channels) {
    throw new ConfigError(`The WAV file has channels 0 to ${channels - 1}, not ${channel}.`);
  }
  const all = decodeFrame({ format, bytes });
  if (channels === 1) return all;
  const samples = new Int16Array(all.length / channels);
  for (let i = 0; i < samples.length; i++) samples[i] = all[i * channels + channel]!;
  return samples;
}

function interleave(format: AudioFormat, channels: readonly Uint8Array[], sampleCount: number, target: Uint8Array): void {
  const width = bytesPerSample(format.encoding);
  target.fill(silenceByte(format.encoding));
  channels.forEach((channel, index) => {
    const length = Math.floor(channel.length / width);
    for (let i = 0; i < Math.min(length, sampleCount); i++) {
      const to = (i * channels.length + index) * width;
      for (let byte = 0; byte < width; byte++) target[to + byte] = channel[i * width + byte]!;
    }
  });
}

function readId(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4)).replace(/[^ -~]/g, "?");
}

function writeId(bytes: Uint8Array, at: number, id: string): void {
  for (let i = 0; i < 4; i++) bytes[at + i] = id.charCodeAt(i);
}

function expectId(bytes: Uint8Array, at: number, id: string): void {
  const found = readId(bytes, at);
  if (found === id) return;
  throw new ConfigError(
    `This is not a WAV file: byte ${at} has "${found}" instead of "${id}". Convert the audio: ffmpeg -i in -c:a pcm_s16le out.wav`,
  );
}
