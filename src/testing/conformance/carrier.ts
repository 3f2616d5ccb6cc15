import { type AudioFormat, audioByteLength, bytesPerSample } from "../../core/audio-frame.js";
import type { IncomingCall } from "../../core/carrier.js";
import type { VirtualClock } from "../../core/clock.js";
import { CarrierError } from "../../core/errors.js";
import type { TransportEvent } from "../../core/transport.js";

/** One case of a conformance suite; it fails by rejecting. */
export interface CarrierConformanceCase {
  readonly name: string;
  run(): Promise<void>;
}

/** The person at the far end of a call. Audio is in the format of the call's transport. */
export interface ConformanceCaller {
  /** All audio that has reached their ear, without the silence between. */
  readonly heard: Uint8Array;
  /** Whether the carrier has ended their call. */
  readonly isOver: boolean;
  /** Says audio; what is said does not have to have arrived when this returns. */
  say(audio: Uint8Array): void;
  press(digit: string): void;
  hangUp(): void;
  /** Replaces the media stream within the call, where the carrier does such a thing. */
  restart?(): void;
}

/** A carrier under test, with its far end in memory and on virtual time. Disposing it closes both. */
export interface CarrierSubject extends AsyncDisposable {
  readonly clock: VirtualClock;
  /** Somebody calls in. Resolves when the carrier has handed the call over; the suite moves the clock meanwhile. */
  callIn(): Promise<{ readonly caller: ConformanceCaller; readonly call: IncomingCall }>;
}

interface Line {
  readonly subject: CarrierSubject;
  readonly caller: ConformanceCaller;
  readonly call: IncomingCall;
  readonly received: TransportEvent[];
  /** Becomes true when `received` has ended. */
  readonly isReceivedOver: () => boolean;
}

/** Longer than any carrier takes to notice what has happened, in ms. */
const LONG_MS = 30_000;
const FRAME_MS = 20;

/**
 * What every carrier's calls must do. Works with any test runner:
 * `for (const { name, run } of carrierConformance(setUp)) test(name, run);`
 */
export function carrierConformance(setUp: () => Promise<CarrierSubject>): readonly CarrierConformanceCase[] {
  const oneCall = (name: string, run: (line: Line) => Promise<void>): CarrierConformanceCase => ({
    name,
    run: async () => {
      await using subject = await setUp();
      await run(await connect(subject));
    },
  });
  return [
    oneCall("hands a call over with an id and both its sides", handsOver),
    oneCall("plays what is sent to the caller, in order and unchanged", playsInOrder),
    oneCall("hears the caller, unchanged", hears),
    oneCall("reports a mark when what was sent before it has been played, and no sooner", reportsMarks),
    oneCall("drops on clear what has not been played, and returns its marks", clears),
    oneCall("reports the keys that the caller presses, in order", reportsKeys),
    oneCall("ends with the caller's hanging up, once", endsWithCaller),
    oneCall("ends the caller's call when asked to", hangsUp),
    oneCall("takes no harm from being used after the end", survivesUseAfterEnd),
    oneCall("goes on when its stream is replaced", survivesRestart),
    { name: "keeps two calls apart", run: () => keepsApart(setUp) },
    { name: "leaves nothing behind", run: () => leavesNothing(setUp) },
  ];
}

async function connect(subject: CarrierSubject): Promise<Line> {
  const { caller, call } = await subject.clock.runUntil(subject.callIn());
  const received: TransportEvent[] = [];
  let isOver = false;
  void (async () => {
    for await (const event of call.transport.received) received.push(event);
    isOver = true;
  })();
  await subject.clock.advance(0);
  return { subject, caller, call, received, isReceivedOver: () => isOver };
}

async function handsOver({ call }: Line): Promise<void> {
  check(call.callId !== "", "the call has an id");
  check(call.from !== "" && call.to !== "", "the call says who calls whom");
  check(call.direction === "inbound", "a call that comes in is inbound");
}

async function playsInOrder({ subject, caller, call }: Line): Promise<void> {
  const { format } = call.transport;
  const parts = [tone(format, 100, 1), tone(format, FRAME_MS, 2), tone(format, 200, 3)];
  for (const bytes of parts) call.transport.send({ format, bytes });
  await subject.clock.advance(1000);
  checkBytes(caller.heard, Buffer.concat(parts), "the caller hears what was sent");
}

async function hears({ subject, caller, call, received }: Line): Promise<void> {
  const said = tone(call.transport.format, 300, 5);
  caller.say(said);
  await subject.clock.advance(1000);
  const frames = received.flatMap((event) => (event.type === "audio" ? [event.frame] : []));
  for (const { format } of frames) {
    check(
      format.encoding === call.transport.format.encoding && format.sampleRate === call.transport.format.sampleRate,
      "every frame has the transport's format",
    );
  }
  const heard = Buffer.concat(frames.map(({ bytes }) => bytes));
  check(heard.includes(Buffer.from(said)), "the frames hold what the caller said, without a gap");
}

async function reportsMarks({ subject, call, received }: Line): Promise<void> {
  if (call.transport.playout === "clock") return;
  const { format } = call.transport;
  call.transport.send({ format, bytes: tone(format, 400, 1) });
  call.transport.mark("first");
  call.transport.send({ format, bytes: tone(format, 400, 2) });
  call.transport.mark("second");
  await subject.clock.advance(300);
  checkList(marks(received), [], "no mark comes before its audio was played");
  await subject.clock.advance(300);
  checkList(marks(received), ["first"], "the first mark comes after its audio");
  await subject.clock.advance(1000);
  checkList(marks(received), ["first", "second"], "the second mark comes after its audio");
}

async function clears({ subject, caller, call, received }: Line): Promise<void> {
  const { format } = call.transport;
  call.transport.send({ format, bytes: tone(format, 2000, 1) });
  call.transport.mark("cleared");
  await subject.clock.advance(500);
  call.transport.clear();
  await subject.clock.advance(1000);
  check(caller.heard.length <= audioByteLength(format, 700), "what was not played is dropped");
  if (call.transport.playout === "marks") checkList(marks(received), ["cleared"], "the mark of what was dropped comes back");
  const next = tone(format, 200, 7);
  const before = caller.heard.length;
  call.transport.send({ format, bytes: next });
  await subject.clock.advance(1000);
  checkBytes(caller.heard.subarray(before), next, "what is sent after a clear is played");
}

async function reportsKeys({ subject, caller, received }: Line): Promise<void> {
  for (const digit of "15#") {
    caller.press(digit);
    await subject.clock.advance(200);
  }
  const keys = received.flatMap((event) => (event.type === "dtmf" ? [event.digit] : []));
  checkList(keys, ["1", "5", "#"], "the keys are reported");
}

async function endsWithCaller({ subject, caller, received, isReceivedOver }: Line): Promise<void> {
  caller.hangUp();
  await subject.clock.advance(LONG_MS);
  check(isReceivedOver(), "what is received ends");
  checkList(ends(received), ["caller"], "the caller's hanging up is reported once");
  check(received.at(-1)?.type === "closed", "nothing comes after the end");
}

async function hangsUp({ subject, caller, call, isReceivedOver }: Line): Promise<void> {
  await subject.clock.runUntil(call.control.hangUp());
  await call.transport[Symbol.asyncDispose]();
  await subject.clock.advance(LONG_MS);
  check(caller.isOver, "the caller's call is over");
  check(isReceivedOver(), "what is received ends");
  await subject.clock.runUntil(call.control.hangUp());
}

async function survivesUseAfterEnd({ subject, caller, call }: Line): Promise<void> {
  caller.hangUp();
  await subject.clock.advance(LONG_MS);
  const { transport, control } = call;
  transport.send({ format: transport.format, bytes: tone(transport.format, 100, 1) });
  transport.mark("late");
  transport.clear();
  await rejects(subject.clock.runUntil(control.transfer("+15550001111")), "a transfer after the end");
  await rejects(subject.clock.runUntil(control.sendDtmf("1")), "keys after the end");
  await transport[Symbol.asyncDispose]();
  await transport[Symbol.asyncDispose]();
}

async function survivesRestart({ subject, caller, call, received }: Line): Promise<void> {
  if (caller.restart === undefined) return;
  caller.restart();
  await subject.clock.advance(1000);
  checkList(ends(received), [], "the call goes on");
  checkList(
    received.flatMap(({ type }) => (type === "restarted" ? [type] : [])),
    ["restarted"],
    "the restart is reported",
  );
  const { format } = call.transport;
  const [said, sent] = [tone(format, 200, 4), tone(format, 200, 6)];
  caller.say(said);
  call.transport.send({ format, bytes: sent });
  await subject.clock.advance(LONG_MS);
  const heard = Buffer.concat(received.flatMap((event) => (event.type === "audio" ? [event.frame.bytes] : [])));
  check(heard.includes(Buffer.from(said)), "the caller is heard over the new stream");
  checkBytes(caller.heard, sent, "the caller hears over the new stream");
  checkList(ends(received), [], "the call still goes on");
}

async function keepsApart(setUp: () => Promise<CarrierSubject>): Promise<void> {
  await using subject = await setUp();
  const first = await connect(subject);
  const second = await connect(subject);
  const { format } = first.call.transport;
  check(first.call.callId !== second.call.callId, "two calls have two ids");
  first.call.transport.send({ format, bytes: tone(format, 200, 1) });
  second.call.transport.send({ format, bytes: tone(format, 200, 2) });
  first.caller.say(tone(format, 200, 3));
  second.caller.press("2");
  await subject.clock.advance(1000);
  checkBytes(first.caller.heard, tone(format, 200, 1), "the first caller hears the first call's audio");
  checkBytes(second.caller.heard, tone(format, 200, 2), "the second caller hears the second call's audio");
  check(!first.received.some(({ type }) => type === "dtmf"), "the first call has none of the second's keys");
  const inSecond = Buffer.concat(second.received.flatMap((event) => (event.type === "audio" ? [event.frame.bytes] : [])));
  check(!inSecond.includes(Buffer.from(tone(format, FRAME_MS, 3))), "the second call has none of the first's audio");
  first.caller.hangUp();
  await subject.clock.advance(LONG_MS);
  checkList(ends(second.received), [], "the second call outlives the first");
  second.call.transport.send({ format, bytes: tone(format, 200, 5) });
  await subject.clock.advance(1000);
  check(second.caller.heard.length > audioByteLength(format, 200), "the second call goes on");
}

async function leavesNothing(setUp: () => Promise<CarrierSubject>): Promise<void> {
  const subject = await setUp();
  const before = subject.clock.pendingTimers;
  const lines = [await connect(subject), await connect(subject), await connect(subject)];
  lines[0]?.caller.hangUp();
  await subject.clock.runUntil((lines[1] as Line).call.control.hangUp());
  await subject.clock.advance(LONG_MS);
  await subject[Symbol.asyncDispose]();
  await subject.clock.advance(0);
  check(
    lines.every((line) => line.isReceivedOver()),
    "every call has ended",
  );
  check(subject.clock.pendingTimers <= before, `no timer is left: ${subject.clock.pendingTimers} are`);
}

function marks(received: readonly TransportEvent[]): string[] {
  return received.flatMap((event) => (event.type === "mark" ? [event.name] : []));
}

function ends(received: readonly TransportEvent[]): string[] {
  return received.flatMap((event) => (event.type === "closed" ? [event.reason] : []));
}

/** Sound that no other `seed` makes: samples of one value after another, none of them silent. */
function tone(format: AudioFormat, durationMs: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(audioByteLength(format, durationMs));
  const sampleBytes = bytesPerSample(format.encoding);
  for (let sample = 0; sample * sampleBytes < bytes.length; sample++) bytes[sample * sampleBytes] = 16 * seed + (sample % 13);
  return bytes;
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`It does not hold that ${what}.`);
}

function checkList(actual: readonly string[], wanted: readonly string[], what: string): void {
  check(actual.join() === wanted.join(), `${what}: there is [${actual.join(", ")}], and not [${wanted.join(", ")}]`);
}

function checkBytes(actual: Uint8Array, wanted: Uint8Array, what: string): void {
  check(Buffer.compare(actual, wanted) === 0, `${what}: ${actual.length} bytes came for ${wanted.length}, or other ones`);
}

async function rejects(promise: Promise<unknown>, what: string): Promise<void> {
  const outcome = await promise.then(
    () => "resolved",
    (error: unknown) => (error instanceof CarrierError ? "rejected" : "rejected with another error"),
  );
  check(outcome === "rejected", `${what} rejects with a CarrierError: it ${outcome}`);
}
