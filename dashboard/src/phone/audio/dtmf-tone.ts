import { dtmfTones } from "../../../../src/audio/dtmf-tones.js";
import { samplesOf } from "../../../../src/audio/pcm.js";

/** Tones come at the level of a telephone line, which is loud in the ear. */
const GAIN = 0.3;

/** Plays the tones of telephone keys now; `w` is half a second of pause. */
export function playKeys(context: AudioContext, output: AudioNode, digits: string): void {
  const frames = dtmfTones(digits, { encoding: "pcm16", sampleRate: context.sampleRate });
  const samples = frames.flatMap((frame) => Array.from(samplesOf(frame.bytes), (sample) => (sample / 32_768) * GAIN));
  const buffer = context.createBuffer(1, Math.max(1, samples.length), context.sampleRate);
  buffer.copyToChannel(Float32Array.from(samples), 0);
  const source = new AudioBufferSourceNode(context, { buffer });
  source.connect(output);
  source.start();
}
