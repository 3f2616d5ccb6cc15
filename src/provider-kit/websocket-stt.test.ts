import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AudioFrame, MULAW_8K } from "../core/audio-frame.js";
import { VirtualClock } from "../core/clock.js";
import { AuthenticationError, ProviderError } from "../core/errors.js";
import { AsyncQueue } from "../core/queue.js";
import { deferred } from "../core/signals.js";
import type { SttEvent } from "../core/stt.js";
import type { SocketClose, VendorSocket } from "./websocket.js";
import { type SttProtocol, type SttReading, WebSocketSttStream } from "./websocket-stt.js";

const lost = (): ProviderError => new ProviderError("The socket broke.", { provider: "vendor", retryable: true });

/** A vendor's side of a socket, in memory. */
class FakeSocket implements VendorSocket {
  readonly messages = new AsyncQueue<string>();
  readonly sent: (string | Uint8Array)[] = [];
  closed: SocketClose | undefined;
  bufferedBytes = 0;

  send(message: string | Uint8Array): void {
    this.sent.push(message);
  }

  says(...readings: SttReading[]): void {
    for (const reading of readings) this.messages.push(JSON.stringify(reading));
  }

  close(code = 1000, reason = ""): void {
    this.closed = { code, reason };
    this.messages.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  /** Which frames were sent, by the number that each begins with. */
  get frames(): number[] {
    return this.sent.flatMap((message) => (typeof message === "string" ? [] : [message[0] as number]));
  }
}

let clock: VirtualClock;
let sockets: FakeSocket[];
/** What the next attempts to connect come to; without an entry they succeed. */
let outcomes: ((signal: AbortSignal) => Promise<void>)[];
let events: SttEvent[];
let failure: unknown;
let controller: AbortController;
let stream: WebSocketSttStream;

async function open(protocol: Partial<SttProtocol> = {}, canFinalize = true): Promise<void> {
  stream = new WebSocketSttStream(
    {
      connect: async (signal) => {
        await outcomes.shift()?.(signal);
        signal.throwIfAborted();
        const socket = new FakeSocket();
        signal.addEventListener("abort", () => socket.close());
        sockets.push(socket);
        return socket;
      },
      reader: () => (message) => [JSON.parse(message as string) as SttReading],
      closedError: ({ code }) => new ProviderError(`closed with ${code}`, { provider: "vendor", retryable: code !== 1008 }),
      ...(canFinalize ? { finalizeMessage: "finalize" } : {}),
      closeMessage: "bye",
      ...protocol,
    },
    { language: "en", format: MULAW_8K, signal: controller.signal, clock },
  );
  void (async () => {
    try {
      for await (const event of stream) events.push(event);
      failure = "ended";
    } catch (error) {
      failure = error;
    }
  })();
  await clock.advance(0);
}

const frame = (number: number): AudioFrame => ({ format: MULAW_8K, bytes: new Uint8Array(160).fill(number) });

/** Speaks frames of 20 ms until this many have been spoken. */
let spoken = 0;
function speak(count: number): void {
  for (let index = 0; index < count; index++) stream.write(frame(spoken++ % 250));
}

function words(isFinal: boolean, untilMs: number, ...spans: [string, number, number][]): SttReading {
  const list = spans.map(([text, startMs, endMs]) => ({ text, startMs, endMs }));
  return { type: "words", isFinal, untilMs, transcript: list.map(({ text }) => text).join(" "), words: list };
}

const last = (): FakeSocket => sockets.at(-1) as FakeSocket;
const texts = (): string[] =>
  events.flatMap((event) =>
    event.type === "partial" || event.type === "final"
      ? [`${event.type}${event.finalized === true ? "!" : ""}: ${event.transcript}`]
      : [],
  );

beforeEach(() => {
  clock = new VirtualClock();
  sockets = [];
  outcomes = [];
  events = [];
  failure = undefined;
  spoken = 0;
  controller = new AbortController();
});

afterEach(async () => {
  await stream[Symbol.asyncDispose]();
  await clock.advance(0);
  expect(clock.pendingTimers).toBe(0);
});

describe("one socket", () => {
  it("is given each frame as it is, those included that came before it was open", async () => {
    const connecting = deferred();
    outcomes.push(() => connecting.promise);
    await open();
    speak(3);
    connecting.resolve();
    await clock.advance(0);
    const late = frame(9);
    stream.write(late);
    expect(last().frames).toEqual([0, 1, 2, 9]);
    expect(last().sent.at(-1)).toBe(late.bytes);
  });

  it("a partial is reported when it changes, and an empty final only where it takes words back", async () => {
    await open();
    speak(100);
    last().says(words(false, 500, ["hello", 0, 400]), words(false, 900, ["hello", 0, 400]), words(true, 1000, ["hello", 0, 400]));
    last().says(words(true, 1500), words(false, 1800, ["hm", 1600, 1700]), words(true, 2000));
    await clock.advance(0);
    expect(texts()).toEqual(["partial: hello", "final: hello", "partial: hm", "final: "]);
  });

  it("speech starts and the ends of turns are passed on", async () => {
    await open();
    const readings: SttReading[] = [
      { type: "speech_start", audioMs: 120 },
      { type: "eager_turn_end", transcript: "hi" },
      { type: "turn_resumed", transcript: "hi" },
      { type: "turn_end", reason: "end_of_turn" },
    ];
    last().says(...readings);
    await clock.advance(0);
    expect(events).toEqual(readings);
  });

  it("reports the audio it sent, in parts", async () => {
    await open();
    speak(300);
    last().says(words(true, 6000, ["yes", 0, 300]));
    await clock.advance(0);
    const usage = events.flatMap((event) => (event.type === "usage" ? [event.audioMs] : []));
    expect(usage).toEqual([5000, 1000]);
  });

  it("is kept alive while no audio comes", async () => {
    await open({ keepAlive: { afterMs: 4000, message: "alive" } });
    speak(1);
    await clock.advance(3000);
    speak(1);
    await clock.advance(3999);
    expect(last().sent).not.toContain("alive");
    await clock.advance(4001);
    expect(last().sent.filter((message) => message === "alive")).toHaveLength(2);
  });

  it("silence that stands for the call's audio moves no time", async () => {
    await open({ keepAlive: { afterMs: 4000, message: frame(255) } });
    speak(50);
    await clock.advance(4000);
    expect(last().frames.at(-1)).toBe(255);
    speak(50);
    last().says(words(true, 2020, ["yes", 1520, 1720]));
    await clock.advance(0);
    expect(events.find(({ type }) => type === "final")).toMatchObject({ words: [{ startMs: 1500, endMs: 1700 }] });
  });

  it("the end of the call says goodbye and ends the stream without an error", async () => {
    await open();
    speak(1);
    controller.abort();
    await clock.advance(0);
    expect(last().sent.at(-1)).toBe("bye");
    expect(failure).toBe("ended");
    stream.write(frame(1));
    stream.finalize();
    expect(last().sent.at(-1)).toBe("bye");
  });

  it("an abort while it is being opened leaves nothing", async () => {
    outcomes.push((signal) => clock.sleep(1000, signal));
    await open();
    controller.abort();
    await clock.advance(0);
    expect(failure).toBe("ended");
    expect(sockets).toEqual([]);
  });
});

describe("finalize", () => {
  it("is answered by the vendor's final, once each", async () => {
    await open();
    speak(50);
    stream.finalize();
    stream.finalize();
    expect(last().sent.slice(-2)).toEqual(["finalize", "finalize"]);
    last().says({ ...words(true, 950, ["yes", 100, 400]), answersFinalize: true } as SttReading);
    await clock.advance(0);
    expect(texts()).toEqual(["final!: yes", "final!: "]);
  });

  it("a final of less than what was written is no answer", async () => {
    await open();
    speak(100);
    stream.finalize();
    last().says(words(true, 1000, ["one", 100, 400]), words(true, 2000, ["two", 1100, 1400]));
    await clock.advance(0);
    expect(texts()).toEqual(["final: one", "final!: two"]);
  });

  it("is answered by an empty final at once when nothing was written since the last one", async () => {
    await open();
    stream.finalize();
    await clock.advance(0);
    expect(texts()).toEqual(["final!: "]);
  });

  it("of a silent vendor is answered after 800 ms by the words so far, which come only once", async () => {
    await open();
    speak(50);
    last().says(words(false, 800, ["my", 0, 300], ["name", 300, 700]));
    stream.finalize();
    await clock.advance(799);
    expect(texts()).toEqual(["partial: my name"]);
    await clock.advance(1);
    expect(texts().slice(1)).toEqual(["final!: my name"]);
    last().says(words(true, 1000, ["my", 0, 300], ["name", 300, 700], ["is", 750, 900]));
    await clock.advance(0);
    expect(texts().slice(2)).toEqual(["final: is"]);
  });

  it("is answered while no socket is open", async () => {
    outcomes.push((signal) => clock.sleep(5000, signal));
    await open();
    speak(10);
    stream.finalize();
    await clock.advance(800);
    expect(texts()).toEqual(["final!: "]);
  });

  it("without a message for it is answered by what is recognised by then, and a transcript that grows goes on behind it", async () => {
    await open({}, false);
    speak(50);
    last().says(words(false, 900, ["book", 0, 300]));
    stream.finalize();
    last().says(words(false, 1000, ["book", 0, 300], ["a", 800, 900]));
    last().says(words(false, 1250, ["book", 0, 300], ["a", 800, 900], ["table", 1000, 1200]));
    last().says(words(true, 1500, ["Book", 0, 300], ["a", 800, 900], ["table", 1000, 1200]));
    await clock.advance(0);
    expect(texts()).toEqual(["partial: book", "final!: book a", "partial: table", "final: table"]);
    expect(last().sent.every((message) => typeof message !== "string")).toBe(true);
  });
});

describe("a lost socket", () => {
  it("is replaced: the last second is sent again and times go on", async () => {
    await open();
    speak(150);
    last().says(words(true, 2900, ["one", 100, 400]));
    await clock.advance(0);
    speak(100);
    last().says(words(false, 5000, ["two", 3000, 3300], ["three", 3900, 4200]));
    await clock.advance(0);
    last().messages.fail(lost());
    await clock.advance(0);
    expect(sockets).toHaveLength(2);
    // "three" was being spoken a second before the loss: it is heard again from its beginning, and "two" is certain.
    expect(texts()).toEqual(["final: one", "partial: two three", "final: two"]);
    expect(last().frames[0]).toBe(3900 / 20);
    expect(last().frames).toHaveLength(55);
    speak(10);
    last().says(words(true, 1200, ["three", 0, 300], ["four", 1000, 1150]));
    await clock.advance(0);
    expect(events.at(-2)).toMatchObject({ transcript: "three four", words: [{ startMs: 3900 }, { startMs: 4900, endMs: 5050 }] });
  });

  it("what was final is not heard again", async () => {
    await open();
    speak(100);
    last().says(words(true, 1800, ["one", 1500, 1700]));
    await clock.advance(0);
    last().messages.fail(lost());
    await clock.advance(0);
    expect(last().frames[0]).toBe(85);
    expect(texts()).toEqual(["final: one"]);
  });

  it("all that the vendor had not recognised is sent again", async () => {
    await open();
    speak(100);
    last().says(words(true, 1000, ["one", 500, 700]));
    await clock.advance(0);
    speak(150);
    last().messages.fail(lost());
    await clock.advance(0);
    expect(last().frames[0]).toBe(35);
    expect(last().frames).toHaveLength(215);
  });

  it("audio that comes meanwhile waits, 10 s of it at the most", async () => {
    await open();
    last().says({ type: "speech_start", audioMs: 0 });
    outcomes.push((signal) => clock.sleep(30_000, signal));
    last().messages.fail(lost());
    await clock.advance(0);
    speak(600);
    await clock.advance(30_000);
    expect(last().frames).toHaveLength(500);
    expect(last().frames[0]).toBe(100);
    last().says(words(true, 100, ["late", 0, 100]));
    await clock.advance(0);
    expect(events.find(({ type }) => type === "final")).toMatchObject({ words: [{ startMs: 2000, endMs: 2100 }] });
  });

  it("a request to finalize is made again, and answered once", async () => {
    await open();
    speak(50);
    stream.finalize();
    last().close(1011);
    await clock.advance(0);
    expect(last().sent.at(-1)).toBe("finalize");
    last().says({ ...words(true, 1000, ["yes", 100, 400]), answersFinalize: true } as SttReading);
    await clock.advance(1000);
    expect(texts()).toEqual(["final!: yes"]);
  });

  it("fails the stream after three more that brought nothing", async () => {
    await open();
    for (let attempt = 1; attempt <= 4; attempt++) {
      expect(sockets).toHaveLength(attempt);
      last().close(1011);
      await clock.advance(attempt === 1 ? 0 : (attempt - 1) * 250);
    }
    expect(failure).toMatchObject({ message: "closed with 1011", retryable: true });
  });

  it("whose successors cannot be opened is followed by one that hears no more again than the first would have", async () => {
    await open();
    speak(250);
    last().says(words(true, 3000, ["one", 100, 400]), words(false, 5000));
    await clock.advance(0);
    outcomes.push(
      () => Promise.reject(lost()),
      () => Promise.reject(lost()),
    );
    last().messages.fail(lost());
    await clock.advance(1000);
    expect(sockets).toHaveLength(2);
    expect(last().frames[0]).toBe(4000 / 20);
  });

  it("is replaced any number of times while words come", async () => {
    await open();
    for (let attempt = 1; attempt <= 10; attempt++) {
      last().says({ type: "speech_start", audioMs: 0 });
      await clock.advance(0);
      last().close(1011);
      await clock.advance(0);
    }
    expect(sockets).toHaveLength(11);
    expect(failure).toBeUndefined();
  });

  it("that the vendor will not replace fails the stream at once, behind the words so far", async () => {
    await open();
    last().says(words(false, 900, ["my", 0, 300], ["name", 300, 700]));
    await clock.advance(0);
    last().close(1008);
    await clock.advance(0);
    expect(failure).toMatchObject({ message: "closed with 1008", retryable: false });
    expect(texts()).toEqual(["partial: my name", "final: my name"]);
    expect(sockets).toHaveLength(1);
  });

  it("the first socket is not tried again: who opened the stream knows better", async () => {
    outcomes.push(() => Promise.reject(lost()));
    await open();
    expect(failure).toMatchObject({ message: "The socket broke." });
  });

  it("a message that reports a failure fails like the socket", async () => {
    const refused = new AuthenticationError("No.", { provider: "vendor" });
    await open({
      reader: () => () => {
        throw refused;
      },
    });
    last().messages.push("{}");
    await clock.advance(0);
    expect(failure).toBe(refused);
  });
});
