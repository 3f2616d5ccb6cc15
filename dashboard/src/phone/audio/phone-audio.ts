import type { AudioFormat } from "../../../../src/core/audio-frame.js";
import { openMicrophone } from "../problems.js";
import { playKeys } from "./dtmf-tone.js";
import type { MicrophoneReport, SpeakerCommand, SpeakerReport, WorkletOptions } from "./worklet-messages.js";
// Bundled on its own, with what it imports: an audio worklet is a module of its own.
// oxlint-disable-next-line import/default -- Vite's suffix makes the address the default export.
import workletUrl from "./worklet.js?worker&url";

/** What a call's microphone and loudspeaker report. */
export interface PhoneAudioEvents {
  /** 20 ms of the microphone in the format of the wire. */
  readonly onFrame: (bytes: Uint8Array<ArrayBuffer>) => void;
  /** Everything before the mark has left the loudspeaker, or was cleared. */
  readonly onMark: (name: string) => void;
  readonly onCallerLevel: (level: number) => void;
  readonly onAgentLevel: (level: number) => void;
  readonly onGap: (gap: { readonly durationMs: number; readonly atMark: boolean }) => void;
  readonly onOverflow: () => void;
  /** The microphone was unplugged, or taken away by the system. */
  readonly onMicrophoneLost: () => void;
}

const FADE_OUT_MS = 30;

/** The microphone and the loudspeaker of a call. */
export class PhoneAudio {
  readonly #context: AudioContext;
  readonly #stream: MediaStream;
  readonly #output: GainNode;
  #speaker: AudioWorkletNode | undefined;
  #closed = false;

  private constructor(context: AudioContext, stream: MediaStream) {
    this.#context = context;
    this.#stream = stream;
    this.#output = new GainNode(context);
    this.#output.connect(context.destination);
  }

  /**
   * Asks for the microphone; call it from a click, or the browser keeps the loudspeaker silent.
   * Rejects with a `CallProblem`.
   */
  static async open(): Promise<PhoneAudio> {
    const context = new AudioContext({ latencyHint: "interactive" });
    let stream: MediaStream | undefined;
    try {
      stream = await openMicrophone();
      await context.audioWorklet.addModule(workletUrl);
      await context.resume();
      return new PhoneAudio(context, stream);
    } catch (error) {
      for (const track of stream?.getTracks() ?? []) track.stop();
      await context.close();
      throw error;
    }
  }

  /** Starts both directions in the format of the wire. */
  start(format: AudioFormat, events: PhoneAudioEvents): void {
    const processorOptions: WorkletOptions = { format };
    const microphone = new AudioWorkletNode(this.#context, "microphone", {
      numberOfInputs: 1,
      numberOfOutputs: 0,
      channelCount: 1,
      channelCountMode: "explicit",
      processorOptions,
    });
    microphone.port.onmessage = ({ data }: MessageEvent<MicrophoneReport>) => {
      if (data.type === "frame") events.onFrame(data.bytes);
      else events.onCallerLevel(data.level);
    };
    new MediaStreamAudioSourceNode(this.#context, { mediaStream: this.#stream }).connect(microphone);
    for (const track of this.#stream.getAudioTracks()) track.addEventListener("ended", events.onMicrophoneLost);

    const speaker = new AudioWorkletNode(this.#context, "speaker", {
      numberOfInputs: 0,
      numberOfOutputs: 1,
      outputChannelCount: [1],
      processorOptions,
    });
    speaker.port.onmessage = ({ data }: MessageEvent<SpeakerReport>) => this.#take(data, events);
    speaker.connect(this.#output);
    this.#speaker = speaker;
    // A phone call or a lock screen suspends the context on some systems.
    document.addEventListener("visibilitychange", this.#resume);
  }

  play(bytes: Uint8Array<ArrayBuffer>): void {
    this.#command({ type: "audio", bytes }, [bytes.buffer]);
  }

  mark(name: string): void {
    this.#command({ type: "mark", name });
  }

  /** Silences everything not yet played, within 5 ms. */
  clear(): void {
    this.#command({ type: "clear" });
  }

  /** Silence from here on is no gap: the reply is over. */
  boundary(): void {
    this.#command({ type: "boundary" });
  }

  setMuted(muted: boolean): void {
    for (const track of this.#stream.getAudioTracks()) track.enabled = !muted;
  }

  /** Plays the tones of keys one after the other; `w` is a pause. */
  playKeys(digits: string): void {
    playKeys(this.#context, this.#output, digits);
  }

  /** Releases the microphone and, after a short fade, the loudspeaker. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    document.removeEventListener("visibilitychange", this.#resume);
    for (const track of this.#stream.getTracks()) track.stop();
    this.#output.gain.linearRampToValueAtTime(1, this.#context.currentTime);
    this.#output.gain.linearRampToValueAtTime(0, this.#context.currentTime + FADE_OUT_MS / 1000);
    await new Promise((resolve) => setTimeout(resolve, 2 * FADE_OUT_MS));
    await this.#context.close();
  }

  readonly #resume = (): void => {
    if (document.visibilityState === "visible" && !this.#closed) void this.#context.resume();
  };

  #take(report: SpeakerReport, events: PhoneAudioEvents): void {
    switch (report.type) {
      case "mark":
        setTimeout(() => events.onMark(report.name), this.#untilHeardMs(report.frame));
        return;
      case "cleared":
        for (const name of report.names) events.onMark(name);
        return;
      case "gap":
        events.onGap(report);
        return;
      case "overflow":
        events.onOverflow();
        return;
      case "level":
        events.onAgentLevel(report.level);
        return;
    }
  }

  /** Until a rendered frame leaves the loudspeaker. Not every browser knows its output latency. */
  #untilHeardMs(frame: number): number {
    const { sampleRate, currentTime, outputLatency, baseLatency } = this.#context;
    const latency = outputLatency > 0 ? outputLatency : baseLatency;
    return Math.max(0, (frame / sampleRate - currentTime + latency) * 1000);
  }

  #command(command: SpeakerCommand, transfer: Transferable[] = []): void {
    this.#speaker?.port.postMessage(command, transfer);
  }
}
