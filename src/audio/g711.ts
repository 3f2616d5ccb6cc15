import type { AudioEncoding } from "../core/audio-frame.js";

/** The mu-law byte of the amplitude zero. */
export const MULAW_SILENCE = 0xff;

/** The A-law byte of the smallest positive amplitude; A-law has no zero. */
export const ALAW_SILENCE = 0xd5;

/** The byte that silence is made of: 0 for `pcm16`. */
export function silenceByte(encoding: AudioEncoding): number {
  switch (encoding) {
    case "pcm16":
      return 0;
    case "mulaw":
      return MULAW_SILENCE;
    case "alaw":
      return ALAW_SILENCE;
  }
}

// ITU-T G.711 with the rounding of the reference software (G.191): a negative sample is folded by one's
// complement, so that -32768 needs no special case. The arithmetic is as fast as a table of 65,536 codes,
// and needs no work at import.
const MULAW_BIAS = 132;
const MULAW_CLIP = 32_767 - MULAW_BIAS;

/** Decodes G.711 mu-law to 16-bit samples. */
export function decodeMulaw(bytes: Uint8Array): Int16Array {
  const samples = new Int16Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) {
    const code = ~bytes[i]!;
    const magnitude = ((((code & 0x0f) << 3) + MULAW_BIAS) << ((code & 0x70) >> 4)) - MULAW_BIAS;
    samples[i] = (code & 0x80) === 0 ? magnitude : -magnitude;
  }
  return samples;
}

/** Encodes 16-bit samples as G.711 mu-law. */
export function encodeMulaw(samples: Int16Array): Uint8Array {
  const bytes = new Uint8Array(samples.length);
  for (let i = 0; i < samples.length; i++) {
    const sample = samples[i]!;
    const folded = sample ^ (sample >> 15);
    const biased = (folded > MULAW_CLIP ? MULAW_CLIP : folded) + MULAW_BIAS;
    const segment = 24 - Math.clz32(biased);
    bytes[i] = ~(((sample >> 8) & 0x80) | (segment << 4) | ((biased >> (segment + 3)) & 0x0f));
  }
  return bytes;
}

/** Decodes G.711 A-law to 16-bit samples. */
export function decodeAlaw(bytes: Uint8Array): Int16Array {
  const samples = new Int16Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) {
    const code = bytes[i]! ^ 0x55;
    const segment = (code & 0x70) >> 4;
    const step = ((code & 0x0f) << 4) + 8;
    const magnitude = segment === 0 ? step : (step + 256) << (segment - 1);
    samples[i] = (code & 0x80) === 0 ? -magnitude : magnitude;
  }
  return samples;
}

/** Encodes 16-bit samples as G.711 A-law. */
export function encodeAlaw(samples: Int16Array): Uint8Array {
  const bytes = new Uint8Array(samples.length);
  for (let i = 0; i < samples.length; i++) {
    const sample = samples[i]!;
    const folded = sample ^ (sample >> 15);
    const segment = folded < 256 ? 0 : 24 - Math.clz32(folded);
    const mantissa = (folded >> (segment === 0 ? 4 : segment + 3)) & 0x0f;
    bytes[i] = ((~sample >> 8) & 0x80) ^ ((segment << 4) | mantissa) ^ 0x55;
  }
  return bytes;
}
