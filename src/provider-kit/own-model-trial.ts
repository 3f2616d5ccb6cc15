import type { OwnModel } from "./own-model.js";
import { loadSherpaOnnx, VAD_SAMPLE_RATE, VAD_WINDOW } from "./sherpa-onnx.js";

/** The program that `requireLoadable` runs: loads the model named in its argument, uses it once and ends. */
await tryModel(JSON.parse(process.argv[2] as string) as OwnModel);

async function tryModel(model: OwnModel): Promise<void> {
  const silence = { samples: new Float32Array(VAD_SAMPLE_RATE), sampleRate: VAD_SAMPLE_RATE };
  if (model.kind === "vosk") {
    const { default: koffi } = await import("koffi");
    const load = koffi.load(model.library).func("void *vosk_model_new(const char *path)");
    if (load(model.folder) === null) process.exitCode = 1;
    return;
  }
  const sherpa = await loadSherpaOnnx("The model");
  switch (model.kind) {
    case "vad":
      new sherpa.Vad(model.config, 30).acceptWaveform(new Float32Array(VAD_WINDOW));
      break;
    case "online": {
      const recognizer = new sherpa.OnlineRecognizer(model.config);
      const stream = recognizer.createStream();
      stream.acceptWaveform(silence);
      while (recognizer.isReady(stream)) recognizer.decode(stream);
      break;
    }
    case "offline": {
      const recognizer = new sherpa.OfflineRecognizer(model.config);
      const stream = recognizer.createStream();
      stream.acceptWaveform(silence);
      recognizer.decode(stream);
      break;
    }
    case "tts": {
      const voice = await sherpa.OfflineTts.createAsync(model.config);
      await voice.generateAsync({ text: "Hello.", sid: 0, speed: 1, enableExternalBuffer: false });
    }
  }
}
