import { Resampler } from "../../src/audio/resample.js";
import { bytesOf } from "../../src/audio/pcm.js";
import { PCM16_16K } from "../../src/core/audio-frame.js";
import { systemClock } from "../../src/core/clock.js";
import { LocalSTT } from "../../src/stt/local.js";

/** Recognises which of the given words were said, and nothing else: the recogniser knows no other words. */
export async function wordsHeard(samples: Int16Array, sampleRate: number, words: readonly string[]): Promise<string[]> {
  const stt = new LocalSTT({ grammar: [...words, "[unk]"] });
  const ended = new AbortController();
  await using stream = stt.open({ language: "en", format: PCM16_16K, signal: ended.signal, clock: systemClock });
  const resampler = new Resampler(sampleRate, PCM16_16K.sampleRate);
  const audio = resampler.process(samples);
  const heard: string[] = [];
  const reading = (async () => {
    for await (const event of stream) {
      if (event.type !== "final") continue;
      heard.push(...event.transcript.split(" ").filter((word) => word !== "" && word !== "[unk]"));
      if (event.finalized === true) return;
    }
  })();
  const stepSamples = PCM16_16K.sampleRate / 10;
  for (let offset = 0; offset < audio.length; offset += stepSamples) {
    stream.write({ format: PCM16_16K, bytes: bytesOf(audio.slice(offset, offset + stepSamples)) });
    // As fast as it goes, but never further ahead than the stream's backlog allows.
    await systemClock.sleep(20);
  }
  stream.finalize();
  await reading;
  ended.abort();
  return heard;
}
