import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type AudioFormat, type AudioFrame, audioByteLength, bytesPerSample, MULAW_8K, PCM16_16K } from "../core/audio-frame.js";
import { VirtualClock } from "../core/clock.js";
import type { Transport } from "../core/transport.js";
import { Playout, type PlayoutTrack } from "./playout.js";

fc.configureGlobal({ seed: 1 });

const LEAD_MS = 600;
const FRAME_MS = 20;

interface EarOptions {
  readonly clock: VirtualClock;
  readonly format: AudioFormat;
  readonly playout: "marks" | "clock";
  /** How long audio and clears travel to the ear, in ms. */
  readonly travelMs: number;
  /** How long the report of the n-th mark travels back, in ms; `undefined`: it is lost. */
  readonly reportMs: (mark: number) => number | undefined;
}

interface Segment {
  readonly track: number;
  readonly startByte: number;
  readonly startMs: number;
  byteLength: number;
}

/** The far end of a line: plays what arrives without a gap, and knows which bytes of which track were played when. */
class Ear implements Transport {
  readonly format: AudioFormat;
  readonly playout: "marks" | "clock";
  readonly received: Transport["received"] = { [Symbol.asyncIterator]: () => fail("the ear says nothing") };
  readonly #options: EarOptions;
  readonly #bytesPerMs: number;
  readonly segments: Segment[] = [];
  #timers: Disposable[] = [];
  #marks: { readonly name: string; readonly timer: Disposable }[] = [];
  #markCount = 0;
  #playEndMs = 0;
  /** What is sent next, as the test expects it. */
  track = 0;
  nextByte = 0;
  sentBytes = 0;
  /** Names of marks that have been reported, or never will be: their audio was played or cleared. */
  readonly doneMarks: string[] = [];
  onMark: (name: string) => void = () => {};

  constructor(options: EarOptions) {
    this.#options = options;
    this.format = options.format;
    this.playout = options.playout;
    this.#bytesPerMs = audioByteLength(options.format, 1000) / 1000;
  }

  send(frame: AudioFrame): void {
    assert.deepEqual(frame.format, this.format);
    assert.equal(frame.bytes.length % bytesPerSample(this.format.encoding), 0);
    const { track, nextByte } = this;
    const isNext = Buffer.compare(frame.bytes, source(track, nextByte, frame.bytes.length)) === 0;
    assert.ok(isNext, `what was sent is not the audio behind byte ${nextByte}`);
    this.nextByte += frame.bytes.length;
    this.sentBytes = Math.max(this.sentBytes, this.nextByte);
    this.#arrive(() => {
      const startMs = Math.max(this.#playEndMs, this.#options.clock.now());
      this.segments.push({ track, startByte: nextByte, startMs, byteLength: frame.bytes.length });
      this.#playEndMs = startMs + frame.bytes.length / this.#bytesPerMs;
    });
  }

  mark(name: string): void {
    this.#arrive(() => {
      const timer = this.#options.clock.setTimer(Math.max(0, this.#playEndMs - this.#options.clock.now()), () => {
        this.#marks = this.#marks.filter((mark) => mark.timer !== timer);
        this.#report(name);
      });
      this.#marks.push({ name, timer });
    });
  }

  clear(): void {
    this.#arrive(() => this.#drop());
  }

  /** The carrier replaces the stream: everything on its way is lost. */
  restart(): void {
    for (const timer of this.#timers) timer[Symbol.dispose]();
    for (const { timer } of this.#marks) timer[Symbol.dispose]();
    this.#timers = [];
    this.#marks = [];
    this.#drop();
  }

  /** The furthest byte of a track that has been played. */
  playedBytes(track: number): number {
    const nowMs = this.#options.clock.now();
    let furthest = 0;
    for (const segment of this.segments) {
      if (segment.track !== track || segment.startMs > nowMs) continue;
      const played = Math.min(segment.byteLength, (nowMs - segment.startMs) * this.#bytesPerMs);
      furthest = Math.max(furthest, segment.startByte + played);
    }
    return furthest;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.restart();
  }

  #drop(): void {
    const nowMs = this.#options.clock.now();
    for (let last = this.segments.at(-1); last !== undefined; last = this.segments.at(-1)) {
      const played = Math.floor((nowMs - last.startMs) * this.#bytesPerMs);
      if (played >= last.byteLength) break;
      if (played > 0) {
        last.byteLength = played;
        break;
      }
      this.segments.pop();
    }
    this.#playEndMs = nowMs;
    // Carriers report the marks they were told to clear.
    for (const { name, timer } of this.#marks.splice(0)) {
      timer[Symbol.dispose]();
      this.#report(name);
    }
  }

  #report(name: string): void {
    const delayMs = this.#options.reportMs(this.#markCount++);
    if (this.playout === "clock" || delayMs === undefined) {
      this.doneMarks.push(name);
      return;
    }
    this.#after(delayMs, () => {
      this.doneMarks.push(name);
      this.onMark(name);
    });
  }

  #arrive(act: () => void): void {
    if (this.#options.travelMs === 0) act();
    else this.#after(this.#options.travelMs, act);
  }

  #after(ms: number, act: () => void): void {
    const timer = this.#options.clock.setTimer(ms, () => {
      this.#timers.splice(this.#timers.indexOf(timer), 1);
      act();
    });
    this.#timers.push(timer);
  }
}

function fail(message: string): never {
  throw new Error(message);
}

function atMost(value: number, limit: number, what: string): void {
  assert.ok(value <= limit, `${what}: ${value}, at most ${limit}`);
}

/** Audio of which no stretch resembles another. */
function source(track: number, startByte: number, byteLength: number): Uint8Array {
  const bytes = new Uint8Array(byteLength);
  for (let index = 0; index < byteLength; index++) {
    const at = startByte + index;
    bytes[index] = 1 + (((at * 31 + (at >> 7) * 17 + track * 101) >>> 0) % 255);
  }
  return bytes;
}

interface Rig {
  readonly clock: VirtualClock;
  readonly ear: Ear;
  readonly playout: Playout;
  readonly started: number[];
  readonly finished: number[];
}

function rig(options: Partial<EarOptions> = {}): Rig {
  const clock = new VirtualClock();
  const ear = new Ear({ clock, format: PCM16_16K, playout: "marks", travelMs: 0, reportMs: () => 0, ...options });
  const started: number[] = [];
  const finished: number[] = [];
  const playout = new Playout({
    transport: ear,
    clock,
    onStarted: (reply) => started.push(reply),
    onFinished: (reply) => finished.push(reply),
  });
  ear.onMark = (name) => playout.markPlayed(name);
  return { clock, ear, playout, started, finished };
}

function audio(format: AudioFormat, fromMs: number, durationMs: number, track = 0): AudioFrame {
  return { format, bytes: source(track, audioByteLength(format, fromMs), audioByteLength(format, durationMs)) };
}

describe("Playout", () => {
  test("sends the first frame at once and stays 600 ms ahead at most", async () => {
    const { clock, ear, playout, started } = rig();
    const track = playout.begin(0);
    track.write(audio(PCM16_16K, 0, 19));
    expect(ear.sentBytes).toBe(0);
    track.write(audio(PCM16_16K, 19, 1));
    expect(ear.sentBytes).toBe(audioByteLength(PCM16_16K, 20));
    expect(started).toEqual([0]);
    track.write(audio(PCM16_16K, 20, 4980));
    expect(ear.sentBytes).toBe(audioByteLength(PCM16_16K, 520));
    await clock.advance(1000);
    const leadMs = (ear.sentBytes - ear.playedBytes(0)) / 32;
    expect(leadMs).toBeGreaterThanOrEqual(500);
    expect(leadMs).toBeLessThanOrEqual(LEAD_MS);
    playout[Symbol.dispose]();
  });

  test("ends when the last mark says so, and tells that the position is certain", async () => {
    const { clock, playout, finished } = rig({ reportMs: () => 70 });
    const track = playout.begin(3);
    track.write(audio(PCM16_16K, 0, 500));
    track.end();
    await clock.advance(569);
    expect(finished).toEqual([]);
    await clock.advance(1);
    expect(finished).toEqual([3]);
    expect(playout.isFinished).toBe(true);
    expect(playout.position()).toEqual({ audioMs: 500, isEstimated: false });
    expect(clock.pendingTimers).toBe(0);
  });

  test("ends two seconds late when the last mark is lost", async () => {
    const { clock, playout, finished } = rig({ reportMs: () => undefined });
    const track = playout.begin(0);
    track.write(audio(PCM16_16K, 0, 500));
    track.end();
    await clock.advance(2499);
    expect(finished).toEqual([]);
    await clock.advance(1);
    expect(finished).toEqual([0]);
    expect(playout.position()).toEqual({ audioMs: 500, isEstimated: true });
  });

  test("does not wait for a mark that it has not asked for", async () => {
    const { clock, playout, finished } = rig({ reportMs: () => 300 });
    const track = playout.begin(0);
    track.write(audio(PCM16_16K, 0, 500));
    await clock.advance(500);
    playout.pause();
    track.end();
    playout.resume();
    await clock.advance(400);
    expect(finished).toEqual([0]);
  });

  test("asks for no marks where none are reported, and goes by the clock", async () => {
    const { clock, ear, playout, finished } = rig({ playout: "clock" });
    const marks: string[] = [];
    ear.mark = (name) => marks.push(name);
    const track = playout.begin(0);
    track.write(audio(PCM16_16K, 0, 3000));
    track.boundary();
    track.end();
    await clock.advance(1234);
    expect(playout.position()).toEqual({ audioMs: 1234, isEstimated: true });
    await clock.advance(1766);
    expect(finished).toEqual([0]);
    expect(marks).toEqual([]);
  });

  test("fills the last frame with silence", async () => {
    const { clock, ear, playout, finished } = rig({ format: MULAW_8K });
    const sent: number[] = [];
    ear.send = (frame) => sent.push(...frame.bytes);
    const track = playout.begin(0);
    track.write({ format: MULAW_8K, bytes: source(0, 0, 163) });
    track.end();
    expect(sent).toHaveLength(320);
    expect(sent.slice(163)).toEqual(new Array(157).fill(0xff));
    await clock.advance(5000);
    expect(finished).toEqual([0]);
  });

  test("of nothing ends at once", () => {
    const { clock, playout, finished, started } = rig();
    playout.begin(0).end();
    expect(finished).toEqual([0]);
    expect(started).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  test("takes nothing more for a reply that was stopped", async () => {
    const { clock, ear, playout, finished } = rig();
    const old = playout.begin(0);
    old.write(audio(PCM16_16K, 0, 1000));
    const sent = old.sentBeyond(5000);
    await clock.advance(300);
    expect(playout.stop()).toEqual({ audioMs: 300, isEstimated: true });
    await sent;
    old.write(audio(PCM16_16K, 1000, 1000));
    old.boundary();
    old.end();
    ear.track = 1;
    ear.nextByte = 0;
    const track = playout.begin(1);
    old.write(audio(PCM16_16K, 1000, 1000));
    track.write(audio(PCM16_16K, 0, 400, 1));
    track.end();
    await clock.advance(400);
    expect(finished).toEqual([1]);
  });

  test("says when audio behind a point is being sent", async () => {
    const { clock, playout } = rig();
    const track = playout.begin(0);
    track.write(audio(PCM16_16K, 0, 2000));
    const sentAtMs: number[] = [];
    for (const point of [100, 1000, 1999, 2000]) void track.sentBeyond(point).then(() => sentAtMs.push(clock.now()));
    await clock.advance(3000);
    expect(sentAtMs).toEqual([0, 500, 1400]);
    playout.stop();
    await clock.advance(0);
    expect(sentAtMs).toHaveLength(4);
  });

  test("ignores a late mark of audio that was cleared, though its name is larger", async () => {
    const { clock, ear, playout } = rig({ reportMs: () => 400 });
    const track = playout.begin(0);
    track.write(audio(PCM16_16K, 0, 500));
    track.boundary();
    await clock.advance(200);
    playout.pause();
    expect(playout.position()).toEqual({ audioMs: 200, isEstimated: true });
    await clock.advance(300);
    ear.nextByte = 200 * 32;
    playout.resume();
    await clock.advance(150);
    expect(ear.doneMarks).toHaveLength(1);
    expect(playout.position().audioMs).toBe(350);
    playout.stop();
  });

  test("is neither moved nor begun again by a mark that comes after its end", async () => {
    const { clock, playout, finished } = rig({ reportMs: (mark) => (mark === 1 ? undefined : 5000) });
    const track = playout.begin(0);
    track.write(audio(PCM16_16K, 0, 300));
    track.boundary();
    track.write(audio(PCM16_16K, 300, 300));
    track.end();
    await clock.advance(2600);
    expect(finished).toEqual([0]);
    await clock.advance(3000);
    expect(playout.position().audioMs).toBe(600);
    expect(finished).toEqual([0]);
    expect(clock.pendingTimers).toBe(0);
  });

  test("starves no ear whose reports take 400 ms", async () => {
    const { clock, ear, playout, finished } = rig({ travelMs: 100, reportMs: () => 300 });
    const track = playout.begin(0);
    track.write(audio(PCM16_16K, 0, 8000));
    track.end();
    await clock.advance(9000);
    expect(finished).toEqual([0]);
    expect(ear.segments.at(-1)!.startMs + ear.segments.at(-1)!.byteLength / 32).toBe(8100);
  });
});

type Step =
  | { readonly type: "write"; readonly samples: number }
  | { readonly type: "boundary" | "end" | "pause" | "resume" | "restart" | "next" }
  | { readonly type: "advance"; readonly ms: number }
  /** A mark that is reported again, or for the first time though it counted as lost. */
  | { readonly type: "stray"; readonly which: number };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ type: fc.constant("write" as const), samples: fc.integer({ min: 1, max: 24_000 }) }) },
    {
      weight: 8,
      arbitrary: fc.record({
        type: fc.constant("advance" as const),
        ms: fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 1800 })),
      }),
    },
    {
      weight: 10,
      arbitrary: fc.constantFrom(...(["boundary", "pause", "pause", "resume", "resume"] as const)).map((type) => ({ type })),
    },
    { weight: 2, arbitrary: fc.constantFrom(...(["end", "restart", "next"] as const)).map((type) => ({ type })) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant("stray" as const), which: fc.nat() }) },
  ),
  { maxLength: 40, size: "max" },
);

interface Line {
  readonly format: AudioFormat;
  readonly playout: "marks" | "clock";
  readonly travelMs: number;
  /** Of each mark in turn; `null` is a lost one. */
  readonly reports: readonly (number | null)[];
}

const lines: fc.Arbitrary<Line> = fc.record({
  format: fc.constantFrom(
    PCM16_16K,
    MULAW_8K,
    { encoding: "pcm16", sampleRate: 24_000 } as const,
    { encoding: "pcm16", sampleRate: 11_025 } as const,
  ),
  playout: fc.constantFrom("marks", "clock"),
  travelMs: fc.constantFrom(0, 0, 13, 120),
  reports: fc.oneof(
    fc.constant([0]),
    fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 5 }),
    fc.array(fc.oneof(fc.integer({ min: 0, max: 2500 }), fc.constant(null)), { minLength: 1, maxLength: 5 }),
  ),
});

/** Drives one playout against one ear and checks after every step what must always hold. */
class Trial {
  readonly #line: Line;
  readonly #rig: Rig;
  readonly #bytesPerMs: number;
  readonly #sampleBytes: number;
  #track: PlayoutTrack;
  #reply = 0;
  #totalBytes = 0;
  #ended = false;
  #lastMs = 0;
  /** When the stream was replaced. */
  readonly #restarts: number[] = [];

  constructor(line: Line) {
    this.#line = line;
    const { reports } = line;
    this.#rig = rig({ ...line, reportMs: (mark) => reports[mark % reports.length] ?? undefined });
    this.#bytesPerMs = audioByteLength(line.format, 1000) / 1000;
    this.#sampleBytes = bytesPerSample(line.format.encoding);
    this.#track = this.#rig.playout.begin(0);
  }

  async run(script: readonly Step[]): Promise<void> {
    for (const step of script) {
      await this.#act(step);
      this.#check();
    }
    const { clock, playout, ear, finished } = this.#rig;
    this.#end();
    playout.resume();
    this.#check();
    // In small steps, so that the position is seen on its way.
    // Reports that take seconds slow it down.
    for (let waitedMs = 0; waitedMs < (3 * this.#totalBytes) / this.#bytesPerMs + 6000 && !playout.isFinished; waitedMs += 370) {
      await clock.advance(370);
      this.#check();
    }
    await clock.advance(this.#line.travelMs + 3000);
    this.#check();
    assert.equal(finished.at(-1), this.#reply);
    atMost(Math.abs(playout.position().audioMs * this.#bytesPerMs - this.#totalBytes), 0.001, "left of the position at the end");
    atMost(Math.abs(ear.playedBytes(this.#reply) - this.#totalBytes), 0.001, "left to be played at the end");
    playout.stop();
    await ear[Symbol.asyncDispose]();
    playout[Symbol.dispose]();
    assert.equal(clock.pendingTimers, 0);
    this.#checkPlayed();
  }

  async #act(step: Step): Promise<void> {
    const { playout, ear, clock } = this.#rig;
    switch (step.type) {
      case "write":
        this.#write(step.samples * this.#sampleBytes);
        return;
      case "boundary":
        this.#track.boundary();
        return;
      case "end":
        this.#end();
        return;
      case "pause":
        this.#rewind(() => playout.pause());
        return;
      case "resume":
        playout.resume();
        return;
      case "restart":
        this.#restarts.push(clock.now());
        ear.restart();
        this.#rewind(() => playout.restarted());
        return;
      case "next":
        this.#next();
        return;
      case "advance":
        await clock.advance(step.ms);
        return;
      case "stray": {
        const { doneMarks } = ear;
        if (doneMarks.length > 0) playout.markPlayed(doneMarks[step.which % doneMarks.length] as string);
        for (const name of ["", "x", "-1-5", "0", "NaN-NaN", `${step.which}`]) playout.markPlayed(name);
        return;
      }
    }
  }

  #write(byteLength: number): void {
    if (!this.#ended) {
      this.#track.write({ format: this.#line.format, bytes: source(this.#reply, this.#totalBytes, byteLength) });
      this.#totalBytes += byteLength;
    } else this.#track.write({ format: this.#line.format, bytes: new Uint8Array(byteLength) });
  }

  /** Ends the track on a whole frame: filling up is tested by itself. */
  #end(): void {
    const frameBytes = audioByteLength(this.#line.format, FRAME_MS);
    const missing = (frameBytes - (this.#totalBytes % frameBytes)) % frameBytes;
    if (!this.#ended && missing > 0) this.#write(missing);
    this.#ended = true;
    this.#track.end();
  }

  /** Does what sends the unheard part again: it must begin at the position. */
  #rewind(act: () => void): void {
    const { playout, ear } = this.#rig;
    const { audioMs } = playout.position();
    ear.nextByte = Math.round((audioMs * this.#bytesPerMs) / this.#sampleBytes) * this.#sampleBytes;
    act();
    assert.equal(playout.position().audioMs, audioMs);
  }

  #next(): void {
    const { playout, ear } = this.#rig;
    const { audioMs } = playout.position();
    assert.equal(playout.stop().audioMs, audioMs);
    this.#reply++;
    this.#totalBytes = 0;
    this.#ended = false;
    this.#lastMs = 0;
    ear.track = this.#reply;
    ear.nextByte = 0;
    ear.sentBytes = 0;
    this.#track = playout.begin(this.#reply);
  }

  #check(): void {
    const { playout, ear, started, finished } = this.#rig;
    const { audioMs } = playout.position();
    const sentMs = ear.sentBytes / this.#bytesPerMs;
    const playedMs = ear.playedBytes(this.#reply) / this.#bytesPerMs;
    // Never more than was sent, never backwards.
    atMost(audioMs, sentMs, "position beyond what was sent");
    atMost(this.#lastMs, audioMs, "position before its last");
    this.#lastMs = audioMs;
    // What is on its way counts as played, and what was lost there when the stream was replaced; nothing else.
    const unheardMs = this.#line.travelMs * (1 + this.#restarts.length) + 0.001;
    atMost(audioMs - playedMs, unheardMs, "position ahead of the ear");
    atMost(ear.nextByte / this.#bytesPerMs - playedMs, LEAD_MS + unheardMs, "lead");
    // Nothing waits that could be sent.
    const unsentMs = (this.#totalBytes - ear.nextByte) / this.#bytesPerMs;
    const isStill = playout.isPaused || ear.nextByte / this.#bytesPerMs - audioMs > LEAD_MS - 100 - 0.001;
    if (!isStill) atMost(unsentMs, FRAME_MS - 0.001, "audio that waits though the lead allows it");
    // Begun once, ended once, and not before the ear has everything.
    assert.deepEqual(started, [...new Set(started)]);
    assert.deepEqual(finished, [...new Set(finished)]);
    assert.equal(playout.isFinished, finished.includes(this.#reply));
    if (playout.isFinished) {
      assert.ok(this.#ended);
      atMost(this.#totalBytes / this.#bytesPerMs - playedMs, unheardMs, "unheard at the end");
    }
  }

  /** The ear has played each track from its beginning, without a gap, and little of it twice. */
  #checkPlayed(): void {
    const { ear } = this.#rig;
    const { travelMs, playout, reports } = this.#line;
    const isLossy = playout === "marks" && reports.includes(null);
    const lateMs = playout === "marks" ? Math.max(...reports.map((report) => report ?? 0)) : 0;
    const furthest = new Map<number, number>();
    for (const { track, startByte, startMs, byteLength } of ear.segments) {
      const before = furthest.get(track) ?? 0;
      const gapMs = (startByte - before) / this.#bytesPerMs;
      // Audio that was on its way when the stream was replaced is lost.
      const lostMs = this.#restarts.some((atMs) => atMs <= startMs) ? travelMs : 0;
      atMost(gapMs, lostMs + 0.1, "skipped");
      if (!isLossy) atMost(-gapMs, travelMs + lateMs + FRAME_MS, "repeated");
      furthest.set(track, Math.max(before, startByte + byteLength));
    }
  }
}

describe("Playout, whatever happens in which order", () => {
  test("knows what was heard, repeats little, skips nothing, and ends once", async () => {
    await fc.assert(
      fc.asyncProperty(lines, steps, async (line, script) => {
        await new Trial(line).run(script);
      }),
      { numRuns: 300 },
    );
  });
});
