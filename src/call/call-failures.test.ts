import { describe, expect, test } from "vitest";
import { type AgentOptions, createAgent } from "../agent/agent.js";
import { tool } from "../agent/tools.js";
import type { Call } from "../core/call.js";
import type { ChatMessage } from "../core/chat.js";
import type { CallEndReason, CallEvent } from "../core/call-event.js";
import { VirtualClock } from "../core/clock.js";
import { ProviderError } from "../core/errors.js";
import type { LlmChunk } from "../core/llm.js";
import { AsyncQueue } from "../core/queue.js";
import type { STT, SttEvent, SttStream } from "../core/stt.js";
import type { TTS } from "../core/tts.js";
import type { VAD } from "../core/vad.js";
import { SpokenWords } from "../testing/spoken-words.js";
import { TestLLM, type TestAnswer } from "../testing/test-llm.js";
import { TestPhone } from "../testing/test-phone.js";
import { TestSTT, TestTTS, TestVAD } from "../testing/test-speech.js";
import { runCall } from "./session.js";

interface Doubles {
  readonly spoken: SpokenWords;
  readonly stt: TestSTT;
  readonly tts: TestTTS;
  readonly vad: TestVAD;
}

interface Rig {
  readonly clock: VirtualClock;
  readonly phone: TestPhone;
  readonly llm: TestLLM;
  readonly events: CallEvent[];
  readonly ended: Promise<CallEndReason>;
  readonly call: Promise<Call>;
  count(type: CallEvent["type"]): number;
  onEvent(listener: (event: CallEvent) => void): void;
  /** The caller says something and waits. */
  say(text: string, thenMs: number): Promise<void>;
}

function rig(
  answers: readonly TestAnswer[],
  agent: (doubles: Doubles) => AgentOptions = () => ({}),
  spoken = new SpokenWords(),
): Rig {
  const clock = new VirtualClock();
  const phone = new TestPhone({ clock, spoken });
  const llm = new TestLLM(answers);
  const doubles = { spoken, stt: new TestSTT({ spoken }), tts: new TestTTS({ spoken }), vad: new TestVAD({ spoken }) };
  const { stt, tts, vad } = doubles;
  const events: CallEvent[] = [];
  const listeners: ((event: CallEvent) => void)[] = [(event) => events.push(event)];
  let onCall: (call: Call) => void = () => {};
  const call = new Promise<Call>((resolve) => {
    onCall = resolve;
  });
  const ended = runCall({
    agent: createAgent({
      stt,
      tts,
      vad,
      llm,
      llmErrorMessage: "Sorry about that.",
      longTurnMessage: "Please hold on.",
      ...agent(doubles),
    }),
    incoming: phone.incoming(),
    carrier: "test",
    clock,
    signal: new AbortController().signal,
    onEvents: (stream) => {
      stream.subscribe((event) => {
        for (const listener of listeners) listener(event);
      });
    },
    onStart: onCall,
  });
  return {
    clock,
    phone,
    llm,
    events,
    ended,
    call,
    count: (type) => events.filter((event) => event.type === type).length,
    onEvent: (listener) => listeners.push(listener),
    say: async (text, thenMs) => {
      await clock.runUntil(phone.say(text));
      await clock.advance(thenMs);
    },
  };
}

async function hangUp({ clock, phone, ended }: Rig): Promise<void> {
  phone.hangUp();
  expect(await clock.runUntil(ended)).toBe("caller_hung_up");
  expect(clock.pendingTimers).toBe(0);
}

/** A voice that has no sound for "Psst." */
class QuietWords extends SpokenWords {
  override durationMs(word: string): number {
    return word === "Psst." ? 0 : super.durationMs(word);
  }

  override encode(text: string): Uint8Array {
    return text === "Psst." ? new Uint8Array(0) : super.encode(text);
  }
}

describe("a call whose model misbehaves", () => {
  test("is told so when the answer is empty, also when the hold line has been said", async () => {
    const silent = async function* (_messages: unknown, _tools: unknown, { clock }: { clock?: VirtualClock } = {}) {
      await clock?.sleep(3000);
      yield "";
    };
    const call = rig([], () => ({ llm: silent as never }));
    await call.say("hello there", 8000);
    expect(call.phone.heard).toBe("Please hold on. Sorry about that.");
    expect(call.count("call_error")).toBe(1);
    await hangUp(call);
  });

  test("runs a tool once for each call, though the model gives every call the same id", async () => {
    const runs: unknown[] = [];
    const book = tool({ name: "book", handler: ({ seats }) => `booked ${runs.push(seats)}` });
    const again = (seats: number): TestAnswer => ({ toolCalls: [{ name: "book", arguments: { seats }, id: "call_0" }] });
    const call = rig([again(2), again(3), "Both are booked.", again(4), "That one too."], () => ({ tools: [book] }));
    await call.say("book them", 3000);
    await call.say("and one more", 3000);
    expect(runs).toEqual([2, 3, 4]);
    const last = call.llm.requests.at(-1) ?? [];
    const ids = last.flatMap((message) => (message.role === "assistant" ? (message.tool_calls ?? []).map(({ id }) => id) : []));
    expect(new Set(ids).size).toBe(3);
    expect(ids[0]).toBe("call_0");
    expect(last.filter(({ role }) => role === "tool").map(({ content }) => content)).toEqual([
      "booked 1",
      "booked 2",
      "booked 3",
    ]);
    await hangUp(call);
  });

  test("knows what was heard, to the very tick in which the caller interrupts the end of an answer", async () => {
    const book = tool({ name: "book", handler: () => "booked" });
    for (let ticks = 0; ticks < 40; ticks++) {
      const words = new AsyncQueue<SttEvent>();
      const requests: (readonly ChatMessage[])[] = [];
      const llm = async function* (messages: readonly ChatMessage[]): AsyncGenerator<string | LlmChunk> {
        requests.push(structuredClone(messages));
        if (requests.length > 1) {
          yield "Fine.";
          return;
        }
        yield "I am going to book it for you. ";
        yield { type: "tool_call", index: 0, id: "t1", name: "book", arguments: "{}" };
        words.push({ type: "partial", transcript: "no stop" });
        await microtasks(ticks);
        yield { type: "done" };
      };
      const call = rig([], ({ spoken }) => ({ llm, tools: [book], vad: undefined as never, stt: sttByHand(words, spoken) }));
      await call.clock.advance(100);
      words.push({ type: "final", transcript: "book it" });
      await call.clock.advance(2000);
      words.push({ type: "final", transcript: "no stop" });
      await call.clock.advance(5000);
      const last = requests.at(-1) ?? [];
      const said = last.flatMap((message) => (message.role === "assistant" && message.content !== null ? [message.content] : []));
      expect([ticks, [...said, "Fine."].join(" ")]).toEqual([ticks, call.phone.heard]);
      const asked = last.filter(({ role }) => role === "tool").length;
      expect([ticks, call.count("tool_started")]).toEqual([ticks, asked]);
      expect([ticks, ...afterTheEnd(call.events)]).toEqual([ticks]);
      await hangUp(call);
    }
  });

  test("reports nothing of a reply behind its end, to the very tick in which the caller interrupts its beginning", async () => {
    for (let ticks = 0; ticks < 60; ticks++) {
      const words = new AsyncQueue<SttEvent>();
      const call = rig(["Fine."], ({ spoken }) => ({ vad: undefined as never, stt: sttByHand(words, spoken) }));
      await call.clock.advance(100);
      const handle = await call.call;
      void handle.say("Hello to you all.");
      await microtasks(ticks);
      words.push({ type: "partial", transcript: "no stop" });
      await call.clock.advance(0);
      words.push({ type: "final", transcript: "no stop" });
      await call.clock.advance(5000);
      expect([ticks, call.phone.heard]).toEqual([ticks, "Fine."]);
      expect([ticks, ...afterTheEnd(call.events)]).toEqual([ticks]);
      await hangUp(call);
    }
  });
});

/** Recognition that says what the test pushes into `words`. */
function sttByHand(words: AsyncQueue<SttEvent>, { format }: SpokenWords): STT {
  return {
    provider: "test",
    model: "by hand",
    inputFormats: [format],
    open: ({ signal }) => ({
      write: () => {},
      finalize: () => words.push({ type: "final", transcript: "", finalized: true }),
      [Symbol.asyncIterator]: () => {
        signal.addEventListener("abort", () => words.end());
        return words[Symbol.asyncIterator]();
      },
      [Symbol.asyncDispose]: async () => words.end(),
    }),
  };
}

async function microtasks(count: number): Promise<void> {
  for (let done = 0; done < count; done++) await Promise.resolve();
}

/** Events of the first reply that come behind its end. */
function afterTheEnd(events: readonly CallEvent[]): string[] {
  const end = events.findIndex(({ type }) => type === "reply_ended");
  return events
    .slice(end + 1)
    .flatMap((event) => ("reply" in event && event.reply === 0 && event.type !== "tool_ended" ? [event.type] : []));
}

describe("a call whose voice misbehaves", () => {
  test("speaks on behind a sentence that has no sound, and fails where none has", async () => {
    const call = rig(["We are open. Psst. On Monday too. And on Sunday.", "Psst."], () => ({}), new QuietWords());
    await call.say("hello there", 6000);
    expect(call.phone.heard).toBe("We are open. On Monday too. And on Sunday.");
    expect(call.events.find(({ type }) => type === "reply_ended")).toMatchObject({ reason: "completed" });
    await call.say("what else", 3000);
    expect(call.events.find(({ type }) => type === "call_error")).toMatchObject({
      stage: "tts",
      message: "test gave no audio for the reply: check that the voice speaks its language.",
    });
    await hangUp(call);
  });

  test("says a sentence as written when a transform throws, the hold line included", async () => {
    const textTransforms = [
      (text: string) => text.replace("nine", "9"),
      (text: string): string => {
        if (/hold|closed|Sorry/.test(text)) throw new Error("no rule");
        return text;
      },
    ];
    const llm = new TestLLM(["Open from nine. Then closed."], { firstTokenMs: 3000 });
    const call = rig([], () => ({ llm, textTransforms }));
    await call.say("hello there", 8000);
    expect(call.phone.heard).toBe("Please hold on. Open from 9. Then closed.");
    const errors = call.events.filter((event) => event.type === "call_error");
    expect(errors).toEqual([
      expect.objectContaining({ stage: "callback", message: "no rule", fatal: false }),
      expect.objectContaining({ stage: "callback", message: "no rule", fatal: false }),
    ]);
    await hangUp(call);
  });

  test("hangs up when it cannot be opened", async () => {
    const broken: TTS = {
      provider: "broken",
      model: "none",
      outputFormats: [new SpokenWords().format],
      open: () => {
        throw new ProviderError("no voice today", { provider: "broken" });
      },
    };
    const call = rig([], () => ({ tts: broken }));
    expect(await call.clock.runUntil(call.ended)).toBe("error");
    expect(call.phone.isClosed).toBe(true);
    expect(call.phone.commands).toEqual(["hang_up"]);
    expect(call.count("call_ended")).toBe(1);
    expect(call.clock.pendingTimers).toBe(0);
  });
});

describe("a call whose ears misbehave", () => {
  function deafAfter(stt: STT, ms: number, how: "ends" | "throws"): STT {
    let opened = 0;
    return {
      ...stt,
      provider: stt.provider,
      model: stt.model,
      inputFormats: stt.inputFormats,
      open: (options): SttStream => {
        const inner = stt.open(options);
        if (opened++ > 0) return inner;
        return {
          write: (frame) => inner.write(frame),
          finalize: () => inner.finalize(),
          async *[Symbol.asyncIterator]() {
            const iterator = inner[Symbol.asyncIterator]();
            const end = options.clock.sleep(ms).then(() => undefined);
            for (;;) {
              const next = await Promise.race([iterator.next(), end]);
              if (next === undefined) break;
              if (next.done === true) return;
              yield next.value;
            }
            if (how === "throws") throw new ProviderError("line cut", { provider: "test", retryable: true });
          },
          [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
        };
      },
    };
  }

  test.each(["throws", "ends"] as const)("opens recognition again when it %s", async (how) => {
    const call = rig(["Hello."], ({ stt }) => ({ stt: deafAfter(stt, 500, how) }));
    await call.clock.advance(1000);
    await call.say("hello there", 3000);
    expect(call.phone.heard).toBe("Hello.");
    await hangUp(call);
  });

  test("opens recognition again as often as it fails between words, and gives up when it fails three times in a row", async () => {
    let opened = 0;
    let isBroken = false;
    let cut: () => void = () => {};
    const fragile = ({ stt }: Doubles): STT => ({
      provider: stt.provider,
      model: stt.model,
      inputFormats: stt.inputFormats,
      open: (options) => {
        opened++;
        const stream = stt.open(options);
        const closed = new Promise<undefined>((resolve) => {
          cut = () => resolve(undefined);
        });
        if (isBroken) cut();
        return {
          write: (frame) => stream.write(frame),
          finalize: () => stream.finalize(),
          async *[Symbol.asyncIterator]() {
            const iterator = stream[Symbol.asyncIterator]();
            for (;;) {
              const next = await Promise.race([iterator.next(), closed]);
              if (next === undefined) throw new ProviderError("idle too long", { provider: "test", retryable: true });
              if (next.done === true) return;
              yield next.value;
            }
          },
          [Symbol.asyncDispose]: () => stream[Symbol.asyncDispose](),
        };
      },
    });
    const call = rig(["One.", "Two.", "Three.", "Four.", "Five."], (doubles) => ({ stt: fragile(doubles) }));
    for (const answer of ["One.", "Two.", "Three.", "Four.", "Five."]) {
      await call.say("hello there", 3000);
      expect(call.phone.heard.endsWith(answer)).toBe(true);
      cut();
      await call.clock.advance(400);
    }
    expect(opened).toBe(6);
    isBroken = true;
    cut();
    expect(await call.clock.runUntil(call.ended)).toBe("error");
    expect(opened).toBe(8);
    expect(call.phone.isClosed).toBe(true);
  });

  test("takes the turn of a caller in whose words the voice detection fails", async () => {
    const failing = (vad: VAD): VAD => ({
      provider: vad.provider,
      inputFormat: vad.inputFormat,
      open: (options) => {
        const inner = vad.open(options);
        return {
          write: (frame) => inner.write(frame),
          async *[Symbol.asyncIterator]() {
            for await (const event of inner) {
              yield event;
              // Behind the last word, before the silence is noticed.
              await options.clock.sleep(600);
              throw new ProviderError("model lost", { provider: "vad" });
            }
          },
          [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
        };
      },
    });
    const call = rig(["Sure."], ({ vad }) => ({ vad: failing(vad) }));
    await call.say("a table please", 4000);
    expect(call.count("call_error")).toBe(1);
    expect(call.phone.heard).toBe("Sure.");
    await hangUp(call);
  });
});

describe("the end of a call", () => {
  test("answers everything that was to be said, whenever it was asked for", async () => {
    const call = rig([]);
    const handle = await call.call;
    await call.clock.advance(100);
    const outcomes: string[] = [];
    const say = (text: string): void => {
      void handle.say(text).then(
        () => outcomes.push(`${text} heard`),
        () => {
          outcomes.push(`${text} refused`);
          if (text !== "again") say("again");
        },
      );
    };
    say("one");
    call.phone.hangUp();
    say("two");
    await call.clock.runUntil(call.ended);
    say("three");
    await call.clock.advance(100);
    expect(outcomes).toEqual(["one heard", "two refused", "again refused", "three refused", "again refused"]);
  });

  test("refuses what is to be said in the very moment of the end", async () => {
    const call = rig([], () => ({ firstMessage: "Good evening and welcome to you." }));
    const handle = await call.call;
    await call.clock.advance(500);
    const outcomes: string[] = [];
    const say = (text: string): void => {
      void handle.say(text).then(
        () => outcomes.push(`${text} heard`),
        () => outcomes.push(`${text} refused`),
      );
    };
    call.onEvent((event) => {
      if (event.type === "reply_ended") say(`after ${event.reason}`);
    });
    await handle.hangUp();
    say("behind the end");
    await call.clock.runUntil(call.ended);
    await call.clock.advance(100);
    expect(outcomes.toSorted()).toEqual(["after hung_up refused", "behind the end refused"]);
  });
});
