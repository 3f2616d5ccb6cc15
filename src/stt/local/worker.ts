import { join } from "node:path";
import { loadBandwidthExtensionWeights } from "../../audio/bandwidth-extension.js";
import type { AudioFormat } from "../../core/audio-frame.js";
import { systemClock } from "../../core/clock.js";
import { ConfigError } from "../../core/errors.js";
import type { SttEvent } from "../../core/stt.js";
import { requireModel } from "../../provider-kit/model-files.js";
import { requireLoadable } from "../../provider-kit/own-model.js";
import { serveModel, type ThreadModel } from "../../provider-kit/worker-model-thread.js";
import { speechModelLayout } from "./model-layout.js";
import { Recognition, type RecognitionMessage } from "./recognition.js";
import type { RecognitionModel } from "./recognizer.js";
import { loadOffline, loadOnline } from "./sherpa.js";
import { Slots } from "./slots.js";
import { loadVosk } from "./vosk.js";

/** What the worker is started with. */
export interface LocalSttWorkerData {
  /** Where the speech files are kept. */
  readonly folder: string;
  /** The folder of the user's own model. */
  readonly ownModel: string | undefined;
  readonly grammar: readonly string[] | undefined;
  readonly language: string;
}

export interface LocalSttOpen {
  readonly language: string;
  readonly format: AudioFormat;
}

serveModel(load);

async function load(data: LocalSttWorkerData): Promise<ThreadModel<LocalSttOpen, RecognitionMessage, SttEvent>> {
  const [model, weights] = await Promise.all([loadModel(data), loadBandwidthExtensionWeights()]);
  // One piece of work at a time, each call in its turn; in between, the thread hears what it is told.
  const turns = new Slots(1);
  const run = <T>(work: () => Promise<T>): Promise<T> =>
    turns.run(async () => {
      await systemClock.sleep(0);
      return await work();
    });
  return {
    open({ language, format }, emitter) {
      return new Recognition(
        { format, weights, sampleRate: 16_000, run },
        run(() => model.open(language)),
        emitter,
      );
    },
    dispose: () => model.dispose(),
  };
}

async function loadModel(data: LocalSttWorkerData): Promise<RecognitionModel> {
  const { folder, ownModel, grammar } = data;
  if (ownModel === undefined) {
    // One after the other: where both are missing, the same one is always named.
    const english = await requireModel("vosk-en", { folder, usedBy: "LocalSTT" });
    const library = await requireModel("vosk", { folder, usedBy: "LocalSTT" });
    return await loadVosk({ library: join(library, libraryName()), folder: english, grammar, language: "en" });
  }
  const layout = speechModelLayout(ownModel, data.language);
  if (grammar !== undefined && layout.kind !== "vosk")
    throw new ConfigError("LocalSTT takes a grammar only with a Vosk model: leave it out.");
  const trial = { usedBy: "LocalSTT", path: ownModel, folder };
  switch (layout.kind) {
    case "vosk": {
      const library = join(await requireModel("vosk", { folder, usedBy: "LocalSTT" }), libraryName());
      await requireLoadable({ ...trial, model: { kind: "vosk", library, folder: ownModel } });
      return await loadVosk({ library, folder: ownModel, grammar, language: undefined });
    }
    case "online":
      await requireLoadable({ ...trial, model: layout });
      return await loadOnline(layout.config);
    case "offline":
      await requireLoadable({ ...trial, model: layout });
      return await loadOffline(layout.config);
  }
}

function libraryName(): string {
  switch (process.platform) {
    case "win32":
      return "libvosk.dll";
    case "darwin":
      return "libvosk.dylib";
    default:
      return "libvosk.so";
  }
}
