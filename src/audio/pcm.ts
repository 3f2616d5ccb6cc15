import type { AudioFormat, AudioFrame } from "../core/audio-frame.js";
import { decodeAlaw, decodeMulaw, encodeAlaw, encodeMulaw } from "./g711.js";

/**
 * The samples of pcm16 bytes: a view without a copy where the bytes lie on an even address, else a copy.
 * A last odd byte is half a sample and is left out. Like every typed array on the machines Node runs
 * speech on, the result is little-endian.
 */
export function samplesOf(bytes: Uint8Array): Int16Array {
  const count = bytes.byteLength >> 1;
  if ((bytes.byteOffset & 1) === 0) return new Int16Array(bytes.buffer, bytes.byteOffset, count);
  const copy = new Uint8Array(count * 2);
  copy.set(bytes.subarray(0, count * 2));
  return new Int16Array(copy.buffer);
}

/** The pcm16 bytes of samples: a view without a copy. */
export function bytesOf(samples: Int16Array): Uint8Array {
  return new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
}

/** The samples of a frame, at the frame's own rate; for pcm16 usually a view of its bytes. */
export function decodeFrame(frame: AudioFrame): Int16Array {
  switch (frame.format.encoding) {
    case "pcm16":
      return samplesOf(frame.bytes);
    case "mulaw":
      return decodeMulaw(frame.bytes);
    case "alaw":
      return decodeAlaw(frame.bytes);
  }
}

/** A frame of samples that are already at the format's rate; pcm16 shares the samples' memory. */
export function encodeFrame(samples: Int16Array, format: AudioFormat): AudioFrame {
  return { format, bytes: encodeSamples(samples, format) };
}

function encodeSamples(samples: Int16Array, format: AudioFormat): Uint8Array {
  switch (format.encoding) {
    case "pcm16":
      return bytesOf(samples);
    case "mulaw":
      return encodeMulaw(samples);
    case "alaw":
      return encodeAlaw(samples);
  }
}
