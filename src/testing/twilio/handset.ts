import { MULAW_SILENCE } from "../../audio/g711.js";
import { FRAME_BYTES } from "./frame-ticker.js";
import { SoundTrack } from "./sound-track.js";

interface Spoken {
  readonly audio: Uint8Array;
  offset: number;
  readonly onSpoken: () => void;
}

/** A person's end of a call: what they say is cut into frames, and what they hear is kept. */
export class Handset {
  readonly heard = new SoundTrack();
  readonly said = new SoundTrack();
  #mouth: Spoken[] = [];
  #isDown = false;

  /** Says audio, behind what is being said; resolves when the last frame has left, or with the end of the call. */
  say(audio: Uint8Array): Promise<void> {
    if (this.#isDown || audio.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#mouth.push({ audio, offset: 0, onSpoken: resolve });
    });
  }

  /** The next 20 ms out of the mouth, which began to sound at `atMs`; `undefined` for silence. */
  speak(atMs: number): Uint8Array | undefined {
    const [spoken] = this.#mouth;
    if (spoken === undefined) return undefined;
    const frame = new Uint8Array(FRAME_BYTES).fill(MULAW_SILENCE);
    const part = spoken.audio.subarray(spoken.offset, spoken.offset + FRAME_BYTES);
    frame.set(part);
    this.said.add(atMs, part);
    spoken.offset += part.length;
    if (spoken.offset === spoken.audio.length) {
      this.#mouth.shift();
      spoken.onSpoken();
    }
    return frame;
  }

  /** Nothing more is said. */
  putDown(): void {
    this.#isDown = true;
    for (const { onSpoken } of this.#mouth.splice(0)) onSpoken();
  }
}
