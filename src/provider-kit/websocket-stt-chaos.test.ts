import fc from "fast-check";
import { expect, test } from "vitest";
import { MULAW_8K } from "../core/audio-frame.js";
import { VirtualClock } from "../core/clock.js";
import { ProviderError } from "../core/errors.js";
import { AsyncQueue } from "../core/queue.js";
import type { SttEvent } from "../core/stt.js";
import type { SocketClose, VendorSocket } from "./websocket.js";
import { type SttReading, WebSocketSttStream } from "./websocket-stt.js";

const FRAME_MS = 20;
const WORD_MS = 200;

interface Spoken {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** A vendor that hears the words which lie in the frames it was sent; each frame carries its own number. */
class Vendor implements VendorSocket {
  readonly messages = new AsyncQueue<string>();
  readonly bufferedBytes = 0;
  closed: SocketClose | undefined;
  readonly #words: readonly Spoken[];
  #firstMs: number | undefined;
  #untilMs = 0;
  #segment: Spoken[] = [];
  answers = true;

  constructor(words: readonly Spoken[]) {
    this.#words = words;
  }

  send(message: string | Uint8Array): void {
    if (typeof message === "string") {
      if (this.answers) this.reports(true, true);
      return;
    }
    const startMs = ((message[0] as number) * 256 + (message[1] as number)) * FRAME_MS;
    this.#firstMs ??= startMs;
    const firstMs = this.#firstMs;
    this.#untilMs = startMs + FRAME_MS;
    this.#segment.push(
      ...this.#words.filter((word) => word.startMs >= firstMs && word.endMs > startMs && word.endMs <= this.#untilMs),
    );
  }

  /** Says what it has heard since the last final. */
  reports(isFinal: boolean, answersFinalize = false): void {
    if (this.#firstMs === undefined) return;
    const firstMs = this.#firstMs;
    const words = this.#segment.map(({ text, startMs, endMs }) => ({ text, startMs: startMs - firstMs, endMs: endMs - firstMs }));
    const transcript = words.map(({ text }) => text).join(" ");
    const reading: SttReading = { type: "words", isFinal, untilMs: this.#untilMs - firstMs, answersFinalize, transcript, words };
    this.messages.push(JSON.stringify(reading));
    if (isFinal) this.#segment = [];
  }

  close(code = 1000, reason = ""): void {
    this.closed = { code, reason };
    this.messages.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}

type Step =
  | { readonly type: "speak"; readonly frames: number }
  | { readonly type: "report"; readonly isFinal: boolean }
  | { readonly type: "finalize"; readonly isAnswered: boolean }
  | { readonly type: "lose" }
  | { readonly type: "wait"; readonly ms: number };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ type: fc.constant("speak" as const), frames: fc.integer({ min: 1, max: 60 }) }) },
    { weight: 5, arbitrary: fc.record({ type: fc.constant("report" as const), isFinal: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant("finalize" as const), isAnswered: fc.boolean() }) },
    { weight: 2, arbitrary: fc.constant({ type: "lose" as const }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 1000 }) }) },
  ),
  { maxLength: 60 },
);

test("whatever breaks and whenever, every word is final once, in order and in its place, and every finalize is answered", async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.array(fc.integer({ min: 0, max: 15 }), { maxLength: 60 }), async (plan, gaps) => {
      const words = spokenWords(gaps);
      const clock = new VirtualClock();
      const controller = new AbortController();
      const lost = new ProviderError("lost", { provider: "vendor", retryable: true });
      let vendor = new Vendor(words);
      const stream = new WebSocketSttStream(
        {
          connect: async (signal) => {
            signal.throwIfAborted();
            vendor = new Vendor(words);
            const connected = vendor;
            signal.addEventListener("abort", () => connected.close());
            return connected;
          },
          reader: () => (message) => [JSON.parse(message as string) as SttReading],
          closedError: () => lost,
          finalizeMessage: "finalize",
        },
        { language: "en", format: MULAW_8K, signal: controller.signal, clock },
      );
      const events: SttEvent[] = [];
      const reading = (async () => {
        for await (const event of stream) events.push(event);
      })();
      await clock.advance(0);

      let frames = 0;
      let finalizes = 0;
      const speak = (count: number): void => {
        for (let index = 0; index < count; index++, frames++) {
          const bytes = new Uint8Array(160);
          bytes.set([frames >> 8, frames & 255]);
          stream.write({ format: MULAW_8K, bytes });
        }
      };
      for (const step of plan) {
        if (step.type === "speak") speak(step.frames);
        else if (step.type === "report") vendor.reports(step.isFinal);
        else if (step.type === "wait") await clock.advance(step.ms);
        else if (step.type === "finalize") {
          vendor.answers = step.isAnswered;
          stream.finalize();
          finalizes++;
        } else {
          // Something was recognised between two losses, or the stream would give up.
          vendor.reports(false);
          await clock.advance(0);
          vendor.messages.fail(lost);
        }
        await clock.advance(0);
      }
      await clock.advance(2000);
      speak(10);
      vendor.answers = true;
      stream.finalize();
      await clock.advance(1000);

      const finals = events.filter((event): event is SttEvent & { readonly type: "final" } => event.type === "final");
      const spoken = words.filter(({ endMs }) => endMs <= frames * FRAME_MS);
      expect(finals.flatMap((final) => final.words ?? [])).toEqual(spoken);
      expect(finals.filter(({ finalized }) => finalized === true)).toHaveLength(finalizes + 1);
      await stream[Symbol.asyncDispose]();
      await reading;
      expect(clock.pendingTimers).toBe(0);
    }),
    { numRuns: 300 },
  );
});

/** Words of 200 ms with a pause of as many frames before each. */
function spokenWords(gaps: readonly number[]): Spoken[] {
  let startMs = 0;
  return gaps.map((gap, index) => {
    startMs += gap * FRAME_MS;
    const word = { text: `word${index}`, startMs, endMs: startMs + WORD_MS };
    startMs += WORD_MS;
    return word;
  });
}
