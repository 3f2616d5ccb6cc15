import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CaptureFramer } from "./capture-framer.js";
import { PlayoutQueue } from "./playout-queue.js";
import { decodeMulaw } from "../../../../src/audio/g711.js";
import { samplesOf } from "../../../../src/audio/pcm.js";
import { MULAW_8K, PCM16_16K } from "../../../../src/core/audio-frame.js";

const QUANTUM = 128;
const WIRE_RATE = 16_000;
const DEVICE_RATE = 48_000;

/** A queue on a device that renders in quanta, as the audio thread does. */
class Device {
  readonly marks: { readonly name: string; readonly frame: number }[] = [];
  readonly gaps: { readonly durationMs: number; readonly atMark: boolean }[] = [];
  readonly queue: PlayoutQueue;
  readonly #rendered: Float32Array[] = [];
  #frame = 0;
  #endFrame = 0;

  constructor(wireRate = WIRE_RATE, deviceRate = DEVICE_RATE) {
    this.queue = new PlayoutQueue({
      wireRate,
      deviceRate,
      onMark: (name, frame) => this.marks.push({ name, frame }),
      onGap: (gap) => this.gaps.push(gap),
    });
  }

  /** Renders for so long, up to a quantum. */
  run(ms: number): void {
    this.#endFrame += (ms * DEVICE_RATE) / 1000;
    for (; this.#frame < this.#endFrame; this.#frame += QUANTUM) {
      const output = new Float32Array(QUANTUM);
      this.queue.render(output, this.#frame);
      this.#rendered.push(output);
    }
  }

  get audio(): Float32Array {
    const audio = new Float32Array(this.#rendered.length * QUANTUM);
    this.#rendered.forEach((quantum, index) => audio.set(quantum, index * QUANTUM));
    return audio;
  }
}

/** A constant level, so that silence shows. */
function level(ms: number, value = 8192): Int16Array {
  return new Int16Array((ms * WIRE_RATE) / 1000).fill(value);
}

/** How long the device was not silent, in ms. */
function audibleMs(audio: Float32Array): number {
  return (audio.filter((sample) => Math.abs(sample) > 0.01).length / DEVICE_RATE) * 1000;
}

describe("playout", () => {
  it("begins once 40 ms are there, or 40 ms after the first audio", () => {
    const early = new Device();
    early.queue.push(level(20));
    early.run(20);
    expect(audibleMs(early.audio)).toBe(0);
    early.queue.push(level(20));
    early.run(60);
    expect(audibleMs(early.audio)).toBeCloseTo(40, 0);

    const late = new Device();
    late.queue.push(level(20));
    late.run(80);
    expect(audibleMs(late.audio)).toBeCloseTo(20, 0);
  });

  it("begins at once with a short piece that a mark ends", () => {
    const device = new Device();
    device.queue.push(level(10));
    device.queue.mark("end");
    device.run(12);
    expect(audibleMs(device.audio)).toBeCloseTo(10, 0);
    expect(device.marks).toEqual([{ name: "end", frame: 480 }]);
  });

  it("plays every sample of any pieces, and reports each mark at its sample", () => {
    const piece = fc.record({ ms: fc.integer({ min: 1, max: 130 }), pauseMs: fc.integer({ min: 0, max: 90 }) });
    fc.assert(
      fc.property(
        fc.array(piece, { minLength: 1, maxLength: 12 }),
        fc.constantFrom(16_000, 44_100, 48_000),
        (pieces, deviceRate) => {
          const device = new Device(WIRE_RATE, deviceRate);
          pieces.forEach(({ ms, pauseMs }, index) => {
            device.queue.push(level(ms));
            device.queue.mark(`${index}`);
            device.run(pauseMs);
          });
          device.run(2000);
          expect(device.marks.map((mark) => mark.name)).toEqual(pieces.map((_, index) => `${index}`));
          const total = pieces.reduce((sum, { ms }) => sum + (ms * deviceRate) / 1000, 0);
          const audible = device.audio.filter((sample) => sample !== 0).length;
          // Each stream of pieces without a pause between them rounds up to a whole sample.
          expect(audible).toBeGreaterThan(total - 1);
          expect(audible).toBeLessThan(total + pieces.length + 1);
          const last = device.audio.findLastIndex((sample) => sample !== 0);
          expect(Math.abs((device.marks.at(-1)?.frame ?? 0) - last - 1)).toBeLessThan(2);
        },
      ),
      { numRuns: 50 },
    );
  });

  it("reports a mark without audio at once", () => {
    const device = new Device();
    device.queue.mark("nothing");
    device.run(3);
    expect(device.marks).toEqual([{ name: "nothing", frame: 0 }]);
  });

  it("falls silent within 5 ms of a clear, returns the unplayed marks, and plays what comes after", () => {
    const device = new Device();
    device.queue.push(level(200));
    device.queue.mark("a");
    device.queue.push(level(200));
    device.queue.mark("b");
    device.run(100);
    const before = device.audio.length;
    expect(device.queue.clear()).toEqual(["a", "b"]);
    device.run(100);
    expect(audibleMs(device.audio.subarray(before))).toBeLessThanOrEqual(5);
    const faded = device.audio.subarray(before, before + 240);
    expect(faded.every((sample, index) => index === 0 || sample <= (faded[index - 1] as number) + 0.01)).toBe(true);
    expect(device.marks).toEqual([]);
    device.queue.push(level(100));
    device.queue.mark("c");
    device.run(200);
    expect(device.marks.map((mark) => mark.name)).toEqual(["c"]);
    expect(device.gaps).toEqual([]);
  });

  it("counts silence within a reply as a gap, and says whether a mark preceded it", () => {
    const device = new Device();
    device.queue.push(level(100));
    device.run(160);
    device.queue.push(level(100));
    device.queue.mark("sentence");
    device.run(200);
    device.queue.push(level(100));
    device.run(200);
    expect(device.gaps).toHaveLength(2);
    expect(device.gaps[0]?.durationMs).toBeGreaterThan(55);
    expect(device.gaps[0]?.durationMs).toBeLessThan(66);
    expect(device.gaps.map((gap) => gap.atMark)).toEqual([false, true]);
  });

  it("counts no gap between replies, before the first, or behind a late boundary", () => {
    const device = new Device();
    device.run(500);
    device.queue.push(level(100));
    device.queue.boundary();
    device.run(300);
    device.queue.push(level(100));
    device.run(300);
    device.queue.boundary();
    device.queue.push(level(100));
    device.run(300);
    expect(device.gaps).toEqual([]);
    device.queue.push(level(100));
    device.run(300);
    expect(device.gaps).toHaveLength(1);
  });

  it("counts no gap while pieces arrive in time", () => {
    const device = new Device();
    for (let i = 0; i < 50; i++) {
      device.queue.push(level(100));
      device.run(i === 0 ? 40 : 100);
    }
    expect(device.gaps).toEqual([]);
  });

  it("drops what comes beyond two minutes", () => {
    const device = new Device();
    const pushed = Array.from({ length: 130 }, () => device.queue.push(level(1000)));
    expect(pushed.filter(Boolean)).toHaveLength(121);
  });
});

describe("capture", () => {
  it("cuts what a microphone delivers into frames of 20 ms at the wire's rate", () => {
    const framer = new CaptureFramer(48_000, PCM16_16K);
    const frames: Uint8Array[] = [];
    for (let i = 0; i < 375; i++) framer.process(new Float32Array(QUANTUM).fill(0.5), (bytes) => frames.push(bytes));
    expect(frames).toHaveLength(49);
    expect(frames.every((frame) => frame.length === 640)).toBe(true);
    expect(samplesOf(frames[20] as Uint8Array).every((sample) => Math.abs(sample - 16_384) < 4)).toBe(true);
  });

  it("encodes mu-law, and clips what is too loud", () => {
    const framer = new CaptureFramer(44_100, MULAW_8K);
    const frames: Uint8Array[] = [];
    for (let i = 0; i < 100; i++) framer.process(new Float32Array(QUANTUM).fill(2), (bytes) => frames.push(bytes));
    expect(frames[5]).toHaveLength(160);
    expect(decodeMulaw(frames[5] as Uint8Array).every((sample) => sample === 32_124)).toBe(true);
  });
});
