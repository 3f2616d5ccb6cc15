import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { BandwidthExtension, loadBandwidthExtensionWeights } from "../../src/audio/bandwidth-extension.js";
import { DtmfDetector } from "../../src/audio/dtmf-tones.js";
import { decodeMulaw, encodeMulaw } from "../../src/audio/g711.js";
import { MEL_FRAME, MEL_HOP, MelBands } from "../../src/audio/mel.js";
import { samplesOf } from "../../src/audio/pcm.js";
import { Resampler } from "../../src/audio/resample.js";
import { readWav } from "../../src/audio/wav.js";

const RECORDINGS = "/usr/share/pocketsphinx/test/data";
const LOWEST_HIGH_BAND = 17;
const HIGH_BANDS = 6;

const weights = await loadBandwidthExtensionWeights();

function recordings(folder: "cards" | "commands"): Int16Array[] {
  if (!existsSync(RECORDINGS)) throw new Error("This test needs recorded speech: sudo apt-get install pocketsphinx-testdata");
  if (folder === "commands") {
    return ["goforward", "numbers", "something"].map((name) => samplesOf(readFileSync(join(RECORDINGS, `${name}.raw`))));
  }
  const names = readdirSync(join(RECORDINGS, folder)).filter((name) => name.endsWith(".wav"));
  return names.map((name) => readWav(readFileSync(join(RECORDINGS, folder, name))).samples());
}

function whole(stage: { process(samples: Int16Array): Int16Array; flush(): Int16Array }, samples: Int16Array): Int16Array {
  return Int16Array.from([...stage.process(samples), ...stage.flush()]);
}

/** What a speech recogniser gets of wideband speech that came over the telephone. */
function overTelephone(samples: Int16Array): Int16Array {
  const line = decodeMulaw(encodeMulaw(whole(new Resampler(16_000, 8000), samples)));
  return whole(new Resampler(8000, 16_000), line);
}

/** The log energies of the high bands, frame by frame. */
function highBands(samples: Int16Array): number[][] {
  const input = Float64Array.from(samples);
  const mel = new MelBands(LOWEST_HIGH_BAND + HIGH_BANDS);
  const energies = new Float64Array(LOWEST_HIGH_BAND + HIGH_BANDS);
  const frames: number[][] = [];
  for (let at = 0; at + MEL_FRAME <= input.length; at += MEL_HOP) {
    mel.compute(input, at, energies, 0);
    frames.push([...energies.subarray(LOWEST_HIGH_BAND)]);
  }
  return frames;
}

function rootMeanSquareError(estimated: readonly number[][], actual: readonly number[][]): number {
  const errors = actual.flatMap((frame, i) => frame.map((energy, band) => (estimated[i]![band]! - energy) ** 2));
  return Math.sqrt(errors.reduce((sum, error) => sum + error, 0) / errors.length);
}

describe.each(["cards", "commands"] as const)("on the recorded %s", (folder) => {
  const originals = recordings(folder);
  const actual = originals.flatMap(highBands);
  const narrow = originals.map(overTelephone);

  test("the extended band comes far closer to the original than its mean, or than no band", () => {
    const extended = narrow.map((samples) => whole(new BandwidthExtension(weights), samples)).flatMap(highBands);
    const mean = Array.from(
      { length: HIGH_BANDS },
      (_, band) => actual.reduce((sum, frame) => sum + frame[band]!, 0) / actual.length,
    );
    const error = rootMeanSquareError(extended, actual);
    const errorOfMean = rootMeanSquareError(
      actual.map(() => mean),
      actual,
    );
    expect(error).toBeLessThan(2);
    expect(error).toBeLessThan(0.6 * errorOfMean);
    expect(error).toBeLessThan(0.25 * rootMeanSquareError(narrow.flatMap(highBands), actual));
  });

  test("no word is taken for a DTMF digit", () => {
    for (const samples of narrow) expect(new DtmfDetector(16_000).push(samples)).toEqual([]);
  });
});
