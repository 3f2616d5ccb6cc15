import type { AudioFormat } from "../../core/audio-frame.js";
import type { TtsEvent } from "../../core/tts.js";
import { requireLoadable } from "../../provider-kit/own-model.js";
import { serveModel, type ThreadModel } from "../../provider-kit/worker-model-thread.js";
import { FairQueue } from "./fair-queue.js";
import { Flite } from "./flite.js";
import { SherpaVoice, voiceModelConfig } from "./own-voice.js";
import { levelGain } from "./shape.js";
import { Synthesis, type SynthesisMessage } from "./synthesis.js";
import type { Voice } from "./voice.js";

/** What the worker is started with. */
export interface LocalTtsWorkerData {
  readonly voice: string;
  readonly speed: number;
  /** The folder of the user's own model. */
  readonly ownModel: string | undefined;
  readonly speaker: number;
  /** Where verdicts on models are kept. */
  readonly folder: string;
}

export interface LocalTtsOpen {
  readonly format: AudioFormat;
}

/** Shows how loud the voice is; code that has run a few times has been optimised. */
const FIRST_WORDS = "Good evening, how many people are coming? We will see you at seven thirty.";
const REHEARSALS = 3;

serveModel(load);

async function load(data: LocalTtsWorkerData): Promise<ThreadModel<LocalTtsOpen, SynthesisMessage, TtsEvent>> {
  const voice = await loadVoice(data);
  const queue = new FairQueue<Synthesis>();
  const { samples, sampleRate } = await rehearse(voice);
  const gain = levelGain(samples, sampleRate);
  return {
    open: ({ format }, emitter) => new Synthesis({ voice, gain, format, queue }, emitter),
  };
}

async function loadVoice(data: LocalTtsWorkerData): Promise<Voice> {
  const { voice, speed, ownModel, speaker, folder } = data;
  if (ownModel === undefined) return await Flite.load({ voice, speed });
  const config = voiceModelConfig(ownModel);
  await requireLoadable({ usedBy: "LocalTTS", path: ownModel, model: { kind: "tts", config }, folder });
  return await SherpaVoice.load(config, { speaker, speed });
}

async function rehearse(voice: Voice): Promise<{ readonly samples: Int16Array; readonly sampleRate: number }> {
  await voice.pronounce?.(FIRST_WORDS.split(" "));
  for (let time = 1; time < REHEARSALS; time++) await voice.synthesise(FIRST_WORDS);
  return await voice.synthesise(FIRST_WORDS);
}
