import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { samplesOf } from "../../src/audio/pcm.js";
import type { AudioFrame } from "../../src/core/audio-frame.js";
import { systemClock } from "../../src/core/clock.js";
import { ConfigError } from "../../src/core/errors.js";
import type { VadEvent } from "../../src/core/vad.js";
import { modelsFolder } from "../../src/provider-kit/credentials.js";
import { loadSherpaOnnx, sileroConfig, VAD_WINDOW } from "../../src/provider-kit/sherpa-onnx.js";
import { SpeechEdges } from "../../src/vad/silero/edges.js";
import { SileroVAD } from "../../src/vad/silero.js";
import { cards, cut, frames, goForward, readSentences } from "./recordings.js";

const folder = mkdtempSync(join(tmpdir(), "getpatter-vad-"));
const vad = new SileroVAD();
const signal = new AbortController().signal;

afterAll(async () => {
  await vad[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** Far more silence than a hangover takes, so that the end of speech has been reported. */
const AROUND = { before: 1000, after: 1000 };

describe("SileroVAD", () => {
  it("finds the edges of what was said", async () => {
    const events = await detect(vad, frames(goForward(), vad.inputFormat, AROUND));
    expect(events.map(({ type }) => type)).toEqual(["speech_start", "speech_end"]);
    expectEdgesOfGoForward(events);
  });

  it("reports speech soon after its beginning, and its end soon after the hangover", async () => {
    for (const recording of cards()) {
      const events = await detectInSteps(frames(recording, vad.inputFormat, AROUND));
      const [start, end] = [events[0], events.at(-1)];
      expect(start?.type, recording.name).toBe("speech_start");
      expect((start?.afterMs ?? 0) - (start?.audioMs ?? 0), recording.name).toBeLessThanOrEqual(192);
      expect(end?.type, recording.name).toBe("speech_end");
      expect((end?.afterMs ?? 0) - (end?.audioMs ?? 0), recording.name).toBeLessThanOrEqual(320);
    }
  });

  it("hears no voice in silence, noise, tones or clicks", async () => {
    const noises: ((i: number) => number)[] = [
      () => 0,
      (i) => 1500 * noise(i),
      (i) =>
        6000 *
        (Math.sin((2 * Math.PI * 770 * i) / 16_000) + Math.sin((2 * Math.PI * 1336 * i) / 16_000)) *
        Number(i % 8000 < 3200),
      (i) => 9000 * noise(i) * Math.exp(-(i % 6000) / 40),
    ];
    for (const sound of noises) {
      const samples = Int16Array.from({ length: 16_000 * 4 }, (_, i) => Math.round(sound(i)));
      expect(await detect(vad, cut(samples, vad.inputFormat))).toEqual([]);
    }
  });

  it("keeps two calls apart", async () => {
    const spoken = frames(readSentences()[0] as never, vad.inputFormat, AROUND);
    const silent = frames({ ...goForward(), samples: new Int16Array(48_000) }, vad.inputFormat);
    const [alone, together, nothing] = [
      await detect(vad, spoken),
      ...(await Promise.all([detect(vad, spoken), detect(vad, silent)])),
    ];
    expect(together).toEqual(alone);
    expect(nothing).toEqual([]);
  });

  it("finds the same in 8 kHz audio, which it converts itself", async () => {
    await using narrow = new SileroVAD({ sampleRate: 8000 });
    const events = await detect(narrow, frames(goForward(), narrow.inputFormat, AROUND));
    expect(events.map(({ type }) => type)).toEqual(["speech_start", "speech_end"]);
    expectEdgesOfGoForward(events);
  });

  it("ends a stream when its signal aborts, and serves the next one", async () => {
    const controller = new AbortController();
    const stream = vad.open({ signal: controller.signal, clock: systemClock });
    stream.write(frames(goForward(), vad.inputFormat)[0] as AudioFrame);
    controller.abort();
    expect(await collected(stream)).toEqual([]);
    stream.write(frames(goForward(), vad.inputFormat)[0] as AudioFrame);
    expect(await detect(vad, frames(goForward(), vad.inputFormat, AROUND))).toHaveLength(2);
  });

  it("says what to do when the model is missing or damaged, and the process lives", async () => {
    await expect(SileroVAD.load({ modelsFolder: join(folder, "empty") })).rejects.toThrow(
      /^SileroVAD needs the voice activity detection model .*which is not in .*empty: run npx getpatter models fetch\.$/,
    );
    const damaged = join(folder, "damaged", "silero-vad-0.0.31");
    mkdirSync(damaged, { recursive: true });
    writeFileSync(join(damaged, "silero_vad_v6.onnx"), new Uint8Array(2_327_524));
    await using broken = new SileroVAD({ modelsFolder: join(folder, "damaged") });
    const failure = await detect(broken, frames(goForward(), vad.inputFormat)).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ConfigError);
    expect((failure as ConfigError).message).toMatch(/which is damaged: .*has the SHA-256 .* Run npx getpatter models fetch\.$/);
  });

  it("tries a model of the user's own in another process first", async () => {
    const good = join(folder, "own.onnx");
    const bad = join(folder, "bad.onnx");
    copyFileSync(join(modelsFolder(), "silero-vad-0.0.31", "silero_vad_v6.onnx"), good);
    writeFileSync(bad, "not a model");
    await using own = await SileroVAD.load({ onnxFilePath: good, modelsFolder: folder });
    expect(await detect(own, frames(goForward(), own.inputFormat, AROUND))).toHaveLength(2);
    await expect(SileroVAD.load({ onnxFilePath: bad, modelsFolder: folder })).rejects.toThrow(
      /^SileroVAD cannot load the model .*bad\.onnx: /,
    );
    await expect(SileroVAD.load({ onnxFilePath: join(folder, "no.onnx"), modelsFolder: folder })).rejects.toThrow(
      /no\.onnx: it does not exist/,
    );
  });

  it("refuses options it could not keep", () => {
    expect(() => new SileroVAD({ activationThreshold: 1.5 })).toThrow("activationThreshold from 0.2 to 0.95, not 1.5");
    expect(() => new SileroVAD({ activationThreshold: 0.5, deactivationThreshold: 0.35 })).not.toThrow();
    expect(() => new SileroVAD({ activationThreshold: 0.5, deactivationThreshold: 0.1 })).toThrow("here at 0.35");
    expect(() => new SileroVAD({ minSilenceDuration: 400 })).toThrow("from 0 to 10 seconds, not 400");
    expect(() => new SileroVAD({ sampleRate: 44_100 as 8000 })).toThrow("8000 or 16000 Hz, not 44100");
  });
});

/** In the waveform the voice rises 500 ms after the recording's first sample and fades away from 2280 to 2520 ms. */
function expectEdgesOfGoForward([start, end]: readonly VadEvent[]): void {
  expect(start?.audioMs).toBeGreaterThan(AROUND.before + 480);
  expect(start?.audioMs).toBeLessThan(AROUND.before + 530);
  expect(end?.audioMs).toBeGreaterThan(AROUND.before + 2240);
  expect(end?.audioMs).toBeLessThan(AROUND.before + 2540);
}

/** Everything detected in the frames. */
async function detect(detector: SileroVAD, spoken: readonly AudioFrame[]): Promise<VadEvent[]> {
  await using stream = detector.open({ signal, clock: systemClock });
  const events: VadEvent[] = [];
  const collecting = (async () => {
    for await (const event of stream) events.push(event);
  })();
  for (const frame of spoken) stream.write(frame);
  await Promise.race([collecting, allDetected(detector)]);
  return events;
}

/** Resolves when the worker has gone through all that was written before: it takes one message after another. */
async function allDetected(detector: SileroVAD): Promise<void> {
  await using marker = detector.open({ signal, clock: systemClock });
  for (const frame of frames(goForward(), detector.inputFormat)) marker.write(frame);
  await marker[Symbol.asyncIterator]().next();
}

/** What the detector and the edges make of the frames, in this thread, and how much audio they needed for it. */
async function detectInSteps(spoken: readonly AudioFrame[]): Promise<(VadEvent & { readonly afterMs: number })[]> {
  const sherpa = await loadSherpaOnnx("The test");
  const detector = new sherpa.Vad(sileroConfig(join(modelsFolder(), "silero-vad-0.0.31", "silero_vad_v6.onnx"), 0.4), 30);
  const edges = new SpeechEdges({ sampleRate: 16_000, startWindows: 1, endWindows: 5 });
  const samples = samplesOf(Buffer.concat(spoken.map((frame) => frame.bytes)));
  const events: (VadEvent & { readonly afterMs: number })[] = [];
  for (let end = VAD_WINDOW; end <= samples.length; end += VAD_WINDOW) {
    const window = samples.slice(end - VAD_WINDOW, end);
    detector.acceptWaveform(Float32Array.from(window, (sample) => sample / 32_768));
    const event = edges.push(window, detector.isDetected());
    if (event !== undefined) events.push({ ...event, afterMs: end / 16 });
  }
  return events;
}

async function collected(stream: AsyncIterable<VadEvent>): Promise<VadEvent[]> {
  const events: VadEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

function noise(i: number): number {
  return ((Math.imul(i + 1, 2_654_435_761) >>> 16) % 2000) / 1000 - 1;
}
