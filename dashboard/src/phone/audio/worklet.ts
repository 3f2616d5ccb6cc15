/** Runs on the audio thread: the microphone's frames for the wire, and the playout of the wire's audio. */
import { decodeFrame } from "../../../../src/audio/pcm.js";
import type { AudioFormat } from "../../../../src/core/audio-frame.js";
import { CaptureFramer } from "./capture-framer.js";
import { LevelMeter } from "./level-meter.js";
import { PlayoutQueue } from "./playout-queue.js";
import type { MicrophoneReport, SpeakerCommand, SpeakerReport, WorkletOptions } from "./worklet-messages.js";

const SILENCE = new Float32Array(128);

class Microphone extends AudioWorkletProcessor {
  readonly #framer: CaptureFramer;
  readonly #meter = new LevelMeter(sampleRate);

  constructor(options: { readonly processorOptions: unknown }) {
    super();
    this.#framer = new CaptureFramer(sampleRate, formatOf(options));
  }

  process(inputs: Float32Array[][]): boolean {
    // A microphone that delivers nothing is silence, so that the other side's time goes on.
    const samples = inputs[0]?.[0] ?? SILENCE;
    this.#framer.process(samples, (bytes) => {
      const frame = bytes as Uint8Array<ArrayBuffer>;
      this.#report({ type: "frame", bytes: frame }, [frame.buffer]);
    });
    const level = this.#meter.add(samples);
    if (level !== undefined) this.#report({ type: "level", level });
    return true;
  }

  #report(report: MicrophoneReport, transfer: Transferable[] = []): void {
    this.port.postMessage(report, transfer);
  }
}

class Speaker extends AudioWorkletProcessor {
  readonly #queue: PlayoutQueue;
  readonly #meter = new LevelMeter(sampleRate);

  constructor(options: { readonly processorOptions: unknown }) {
    super();
    const format = formatOf(options);
    this.#queue = new PlayoutQueue({
      wireRate: format.sampleRate,
      deviceRate: sampleRate,
      onMark: (name, frame) => this.#report({ type: "mark", name, frame }),
      onGap: (gap) => this.#report({ type: "gap", ...gap }),
    });
    this.port.onmessage = (message: MessageEvent<SpeakerCommand>) => this.#take(message.data, format);
  }

  process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const output = outputs[0]?.[0];
    if (output === undefined) return true;
    this.#queue.render(output, currentFrame);
    const level = this.#meter.add(output);
    if (level !== undefined) this.#report({ type: "level", level });
    return true;
  }

  #take(command: SpeakerCommand, format: AudioFormat): void {
    switch (command.type) {
      case "audio":
        if (!this.#queue.push(decodeFrame({ format, bytes: command.bytes }))) this.#report({ type: "overflow" });
        return;
      case "mark":
        this.#queue.mark(command.name);
        return;
      case "boundary":
        this.#queue.boundary();
        return;
      case "clear":
        this.#report({ type: "cleared", names: this.#queue.clear() });
        return;
    }
  }

  #report(report: SpeakerReport): void {
    this.port.postMessage(report);
  }
}

function formatOf(options: { readonly processorOptions: unknown }): AudioFormat {
  return (options.processorOptions as WorkletOptions).format;
}

registerProcessor("microphone", Microphone);
registerProcessor("speaker", Speaker);
