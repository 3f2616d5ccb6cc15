import { type AudioFrame, MULAW_8K } from "../../src/core/audio-frame.js";
import { AsyncQueue } from "../../src/core/queue.js";
import type { STT, SttEvent, SttOpenOptions, SttStream } from "../../src/core/stt.js";
import type { TTS, TtsConnection, TtsEvent, TtsStream } from "../../src/core/tts.js";

const FRAME_BYTES = 160;
const SILENCE = 0xff;
/** Silent frames that end a turn. */
const TURN_END_FRAMES = 5;

/** A voice whose audio can be read: each letter is 20 ms of its own code, so that any byte that is changed on the way shows. */
export function spell(text: string): Uint8Array {
  return Buffer.concat([...text].map((letter) => Buffer.alloc(FRAME_BYTES, letter.charCodeAt(0))));
}

/** Reads what `spell` made; the letters of frames that begin within another are lost. */
export function read(audio: Uint8Array): string {
  let text = "";
  for (let start = 0; start < audio.length; start += FRAME_BYTES) {
    const letter = audio[start] as number;
    if (letter !== SILENCE) text += String.fromCharCode(letter);
  }
  return text;
}

/** Says text as `spell` does, in the telephone's own format. */
export class SpelledTTS implements TTS {
  readonly provider = "spelled";
  readonly model = "spelled";
  readonly outputFormats = [MULAW_8K];

  open(): TtsConnection {
    return { speak: () => speech(), [Symbol.asyncDispose]: async () => {} };
  }
}

function speech(): TtsStream {
  const events = new AsyncQueue<TtsEvent>();
  let textEnd = 0;
  return {
    write: (text) => {
      textEnd += text.length;
      events.push({ type: "audio", frame: { format: MULAW_8K, bytes: spell(text) } });
    },
    flush: () => events.push({ type: "flushed", textEnd }),
    end: () => events.end(),
    [Symbol.asyncIterator]: () => events[Symbol.asyncIterator](),
  };
}

/** Understands what `spell` says; a turn ends with 100 ms of silence. */
export class SpelledSTT implements STT {
  readonly provider = "spelled";
  readonly model = "spelled";
  readonly inputFormats = [MULAW_8K];

  open(_options: SttOpenOptions): SttStream {
    const events = new AsyncQueue<SttEvent>();
    let text = "";
    let silentFrames = 0;
    const write = ({ bytes }: AudioFrame): void => {
      const heard = read(bytes);
      text += heard;
      silentFrames = heard === "" ? silentFrames + 1 : 0;
      if (heard !== "") events.push({ type: "partial", transcript: text });
      if (text === "" || silentFrames < TURN_END_FRAMES) return;
      events.push({ type: "final", transcript: text });
      events.push({ type: "turn_end", reason: "silence" });
      text = "";
    };
    return {
      write,
      finalize: () => events.push({ type: "final", transcript: "", finalized: true }),
      [Symbol.asyncIterator]: () => events[Symbol.asyncIterator](),
      [Symbol.asyncDispose]: async () => events.end(),
    };
  }
}
