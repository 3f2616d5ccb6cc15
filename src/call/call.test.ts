import { describe, expect, test } from "vitest";
import { type AgentOptions, createAgent } from "../agent/agent.js";
import { tool } from "../agent/tools.js";
import type { Call } from "../core/call.js";
import type { CallEndReason, CallEvent } from "../core/call-event.js";
import { VirtualClock } from "../core/clock.js";
import type { LLM } from "../core/llm.js";
import { SpokenWords } from "../testing/spoken-words.js";
import { TestLLM } from "../testing/test-llm.js";
import { TestPhone, type TestPhoneOptions } from "../testing/test-phone.js";
import { TestSTT, TestTTS, TestVAD } from "../testing/test-speech.js";
import { runCall } from "./session.js";

interface Rig {
  readonly clock: VirtualClock;
  readonly phone: TestPhone;
  readonly llm: TestLLM;
  readonly stt: TestSTT;
  readonly tts: TestTTS;
  readonly events: CallEvent[];
  readonly ended: Promise<CallEndReason>;
  readonly call: () => Call;
  typesOf(...types: CallEvent["type"][]): CallEvent[];
}

interface RigOptions {
  readonly answers?: ConstructorParameters<typeof TestLLM>[0];
  readonly llm?: TestLLM;
  readonly agent?: AgentOptions;
  readonly phone?: Partial<TestPhoneOptions>;
  readonly tts?: Partial<ConstructorParameters<typeof TestTTS>[0]>;
  readonly shutdown?: AbortSignal;
}

function rig(options: RigOptions = {}): Rig {
  const clock = new VirtualClock();
  const spoken = new SpokenWords();
  const phone = new TestPhone({ clock, spoken, ...options.phone });
  const llm = options.llm ?? new TestLLM(options.answers ?? []);
  const stt = new TestSTT({ spoken });
  const tts = new TestTTS({ spoken, ...options.tts });
  const agent = createAgent({ stt, tts, llm, vad: new TestVAD({ spoken }), ...options.agent });
  const events: CallEvent[] = [];
  let call: Call | undefined;
  const ended = runCall({
    agent,
    incoming: phone.incoming(),
    carrier: "test",
    clock,
    signal: options.shutdown ?? new AbortController().signal,
    onEvents: (stream) => {
      stream.subscribe((event) => events.push(event));
    },
    onStart: (started) => {
      call = started;
    },
  });
  return {
    clock,
    phone,
    llm,
    stt,
    tts,
    events,
    ended,
    call: () => call as Call,
    typesOf: (...types) => events.filter((event) => types.includes(event.type)),
  };
}

async function hangUp({ clock, phone, ended, stt, tts }: Rig): Promise<void> {
  phone.hangUp();
  expect(await clock.runUntil(ended)).toBe("caller_hung_up");
  expect(clock.pendingTimers).toBe(0);
  expect(stt.openStreams).toBe(0);
  expect(tts.openConnections).toBe(0);
}

describe("a call", () => {
  test("greets, hears a turn, answers it and ends clean", async () => {
    const call = rig({ answers: ["Sure. Which day?"], agent: { firstMessage: "Hello, how can I help?" } });
    await call.clock.advance(3000);
    expect(call.phone.heard).toBe("Hello, how can I help?");
    await call.clock.runUntil(call.phone.say("a table for two"));
    await call.clock.advance(3000);
    expect(call.phone.heard).toBe("Hello, how can I help? Sure. Which day?");
    expect(call.llm.requests).toEqual([
      [
        { role: "assistant", content: "Hello, how can I help?" },
        { role: "user", content: "a table for two" },
      ],
    ]);
    await hangUp(call);
    expect(call.events.map((event) => event.sequence)).toEqual(call.events.map((_, index) => index));
    expect(call.events.at(-1)?.type).toBe("call_ended");
  });

  test("answers 400 ms after the caller's last sample when its vendors take no time", async () => {
    const call = rig({ answers: ["Yes."] });
    await call.clock.advance(100);
    await call.clock.runUntil(call.phone.say("are you open"));
    await call.clock.advance(1000);
    const [committed] = call.typesOf("turn_committed");
    const [played] = call.typesOf("playout_started");
    if (committed?.type !== "turn_committed") throw new Error("no turn");
    expect(committed.atMs - (committed.speechEndedAtMs ?? 0)).toBeCloseTo(400, 0);
    expect(played?.atMs).toBe(committed.atMs);
    await hangUp(call);
  });

  test("runs tools once and speaks the text beside them while they run", async () => {
    const runs: unknown[] = [];
    const book = tool({
      name: "book",
      parameters: { type: "object", properties: { seats: { type: "number" } }, required: ["seats"] },
      handler: async (args, { signal, idempotencyKey }) => {
        runs.push([args, signal.aborted, idempotencyKey]);
        return { booked: true };
      },
    });
    const llm = new TestLLM([
      { text: "Let me see.", toolCalls: [{ name: "book", arguments: { seats: 2 }, id: "t1" }] },
      "It is booked.",
    ]);
    const call = rig({ llm, agent: { tools: [book] } });
    await call.clock.runUntil(call.phone.say("book it"));
    await call.clock.advance(4000);
    expect(runs).toEqual([[{ seats: 2 }, false, "call-1:t1"]]);
    expect(call.phone.heard).toBe("Let me see. It is booked.");
    expect(llm.requests[1]).toEqual([
      { role: "user", content: "book it" },
      {
        role: "assistant",
        content: "Let me see.",
        tool_calls: [{ id: "t1", type: "function", function: { name: "book", arguments: '{"seats":2}' } }],
      },
      { role: "tool", tool_call_id: "t1", content: '{"booked":true}' },
    ]);
    await hangUp(call);
  });

  test("tells the model what a tool threw and goes on", async () => {
    const broken = tool({
      name: "broken",
      handler: () => {
        throw new Error("out of paper");
      },
    });
    const llm = new TestLLM([
      {
        toolCalls: [
          { name: "broken", id: "t1" },
          { name: "absent", id: "t2" },
        ],
      },
      "That did not work.",
    ]);
    const call = rig({ llm, agent: { tools: [broken] } });
    await call.clock.runUntil(call.phone.say("print it"));
    await call.clock.advance(4000);
    expect(llm.requests[1]?.slice(2)).toEqual([
      { role: "tool", tool_call_id: "t1", content: "out of paper", isError: true },
      { role: "tool", tool_call_id: "t2", content: 'There is no tool named "absent".', isError: true },
    ]);
    expect(call.phone.heard).toBe("That did not work.");
    await hangUp(call);
  });

  test("synthesises no more than one sentence ahead of the one being sent", async () => {
    const sentence = (name: string): string => `This is the rather long ${name} sentence of the answer.`;
    const call = rig({ answers: [["first", "second", "third", "fourth"].map(sentence).join(" ")] });
    await call.clock.runUntil(call.phone.say("tell me"));
    await call.clock.advance(600);
    expect(call.tts.synthesised).toEqual([sentence("first"), sentence("second")]);
    await call.clock.advance(15_000);
    expect(call.phone.heard).toBe(call.tts.synthesised.join(" "));
    await hangUp(call);
  });
});

describe("a barge-in", () => {
  test("pauses on the voice, commits on the words, and keeps only what was heard", async () => {
    const call = rig({ answers: ["We are open from nine until five on every day of the week.", "On Sunday too."] });
    await call.clock.runUntil(call.phone.say("when are you open"));
    await call.clock.advance(1700);
    const heard = call.phone.heard;
    expect(heard.length).toBeGreaterThan(0);
    const speechAtMs = call.clock.now();
    const said = call.phone.say("what about sunday");
    await call.clock.advance(200);
    expect(call.phone.isPlaying).toBe(false);
    const [paused] = call.typesOf("reply_paused");
    expect((paused?.atMs ?? 0) - speechAtMs).toBeLessThanOrEqual(200);
    await call.clock.runUntil(said);
    await call.clock.advance(3000);
    const heardOfFirst = call.phone.heard.replace(" On Sunday too.", "");
    expect(call.llm.requests[1]).toEqual([
      { role: "user", content: "when are you open" },
      { role: "assistant", content: heardOfFirst },
      { role: "user", content: "what about sunday" },
    ]);
    expect(call.typesOf("barge_in")).toHaveLength(1);
    await hangUp(call);
  });

  test("a backchannel lets the reply go on from the very place", async () => {
    const text = "We are open from nine until five on every day of the week, and we close late on Saturday.";
    const call = rig({ answers: [text] });
    await call.clock.runUntil(call.phone.say("when are you open"));
    await call.clock.advance(1500);
    await call.clock.runUntil(call.phone.say("mm-hm"));
    await call.clock.advance(6000);
    expect(call.phone.heard).toBe(text);
    expect(call.typesOf("reply_paused", "reply_resumed", "barge_in").map((event) => event.type)).toEqual([
      "reply_paused",
      "reply_resumed",
    ]);
    await hangUp(call);
  });

  test("works on words alone, without a VAD", async () => {
    const call = rig({
      answers: ["We are open from nine until five on every day.", "Fine."],
      agent: { vad: undefined as never },
    });
    await call.clock.runUntil(call.phone.say("when are you open"));
    await call.clock.advance(1500);
    await call.clock.runUntil(call.phone.say("stop please"));
    await call.clock.advance(2500);
    expect(call.phone.heard).toMatch(/^We are .*Fine\.$/);
    expect(call.llm.requests[1]?.at(-1)).toEqual({ role: "user", content: "stop please" });
    await hangUp(call);
  });

  test("while the agent still thinks drops the thought and joins the words", async () => {
    const llm = new TestLLM(["Two it is.", "Three it is."], { firstTokenMs: 800 });
    const call = rig({ llm });
    await call.clock.runUntil(call.phone.say("a table for two"));
    await call.clock.advance(700);
    await call.clock.runUntil(call.phone.say("no three"));
    await call.clock.advance(4000);
    expect(call.phone.heard).toBe("Three it is.");
    expect(llm.requests[1]).toEqual([
      { role: "user", content: "a table for two" },
      { role: "user", content: "no three" },
    ]);
    expect(llm.aborted).toBe(1);
    await hangUp(call);
  });

  test("the agent's own echo neither interrupts it nor becomes a turn", async () => {
    const text = "We are open from nine until five on every day of the week. Which day would you like?";
    const call = rig({ answers: [text], phone: { echo: true } });
    await call.clock.runUntil(call.phone.say("when are you open"));
    await call.clock.advance(20_000);
    expect(call.typesOf("barge_in")).toEqual([]);
    expect(call.llm.requests).toHaveLength(1);
    expect(call.phone.heard).toBe(text);
    await hangUp(call);
  });

  test("an answer in the agent's own words is no echo", async () => {
    const call = rig({ answers: ["We have Monday or Tuesday or Wednesday or Thursday for you this week.", "Tuesday it is."] });
    await call.clock.runUntil(call.phone.say("which days"));
    await call.clock.advance(1900);
    expect(call.phone.heard).toMatch(/Tuesday/);
    await call.clock.runUntil(call.phone.say("Tuesday please"));
    await call.clock.advance(3000);
    expect(call.llm.requests[1]?.at(-1)).toEqual({ role: "user", content: "Tuesday please" });
    await hangUp(call);
  });

  test("a running tool survives it and its result reaches the next request", async () => {
    let finished = 0;
    const slow = tool({
      name: "slow",
      handler: async (_args, { signal }) => {
        await clock.sleep(1500, signal);
        finished++;
        return "done";
      },
    });
    const llm = new TestLLM([
      { text: "Working on it now, please wait.", toolCalls: [{ name: "slow", id: "t1" }] },
      "It was done.",
    ]);
    const call = rig({ llm, agent: { tools: [slow] } });
    const { clock } = call;
    await clock.runUntil(call.phone.say("do it"));
    await clock.advance(900);
    await clock.runUntil(call.phone.say("are you there"));
    await clock.advance(5000);
    expect(finished).toBe(1);
    expect(llm.requests[1]?.slice(1)).toEqual([
      expect.objectContaining({ role: "assistant" }),
      { role: "tool", tool_call_id: "t1", content: "done" },
      { role: "user", content: "are you there" },
    ]);
    await hangUp(call);
  });
});

describe("the line is never dead", () => {
  test("a late answer is bridged by the hold line", async () => {
    const llm = new TestLLM(["Here you are."], { firstTokenMs: 4000 });
    const call = rig({ llm });
    await call.clock.runUntil(call.phone.say("hello there"));
    await call.clock.advance(2600);
    expect(call.phone.heard).toMatch(/^One/);
    await call.clock.advance(5000);
    expect(call.phone.heard).toBe("One moment, please. Here you are.");
    await hangUp(call);
  });

  test("a failed model is answered with the error message, and the next turn works", async () => {
    const call = rig({ answers: [new Error("boom"), "Better now."], agent: { llmErrorMessage: "Sorry, again please." } });
    await call.clock.runUntil(call.phone.say("hello there"));
    await call.clock.advance(3000);
    expect(call.phone.heard).toBe("Sorry, again please.");
    expect(call.typesOf("call_error")).toEqual([expect.objectContaining({ stage: "llm", message: "boom", fatal: false })]);
    await call.clock.runUntil(call.phone.say("hello there"));
    await call.clock.advance(3000);
    expect(call.phone.heard).toBe("Sorry, again please. Better now.");
    await hangUp(call);
  });

  test("a voice that fails leaves the call alive", async () => {
    let failures = 0;
    const fails = (): Error | undefined => (failures++ === 0 ? new Error("no voice") : undefined);
    const call = rig({ answers: ["One.", "Two."], tts: { fails } });
    await call.clock.runUntil(call.phone.say("first try"));
    await call.clock.advance(3000);
    await call.clock.runUntil(call.phone.say("second try"));
    await call.clock.advance(3000);
    expect(call.phone.heard).toBe("Two.");
    expect(call.llm.requests[1]).toEqual([
      { role: "user", content: "first try" },
      { role: "user", content: "second try" },
    ]);
    await hangUp(call);
  });
});

describe("a noise that does not end", () => {
  test("keeps neither the greeting nor the hang-up waiting for ever", async () => {
    const call = rig({ agent: { firstMessage: "Hello." } });
    void call.phone.hum(60_000);
    await call.clock.advance(200);
    await call.call().hangUp({ when: "after_reply" });
    expect(await call.clock.runUntil(call.ended, 20_000)).toBe("agent_hung_up");
    expect(call.phone.heard).toBe("Hello.");
  });

  test("does not keep the turn from being taken", async () => {
    const call = rig({ answers: ["Hello to you."] });
    await call.clock.runUntil(call.phone.say("hello there"));
    void call.phone.hum(60_000);
    await call.clock.advance(6000);
    expect(call.phone.heard).toBe("Hello to you.");
    await hangUp(call);
  });
});

describe("what a tool says", () => {
  test("is spoken at once, while the reply waits for it", async () => {
    const slow = tool({
      name: "slow",
      handler: async (_args, { call, signal }) => {
        await call.say("Looking it up.");
        await clock.sleep(1500, signal);
        return "done";
      },
    });
    const llm = new TestLLM([{ toolCalls: [{ name: "slow", id: "t1" }] }, "Found it."]);
    const call = rig({ llm, agent: { tools: [slow] } });
    const { clock } = call;
    await clock.runUntil(call.phone.say("look it up"));
    await clock.advance(1200);
    expect(call.phone.heard).toBe("Looking it up.");
    await clock.advance(3000);
    expect(call.phone.heard).toBe("Looking it up. Found it.");
    await hangUp(call);
  });
});

describe("silence", () => {
  test("behind a sentence is bridged as well, while a tool takes long", async () => {
    const slow = tool({ name: "slow", handler: (_args, { signal }) => clock.sleep(7000, signal) });
    const llm = new TestLLM([{ text: "Let me see.", toolCalls: [{ name: "slow", id: "t1" }] }, "Found it."]);
    const call = rig({ llm, agent: { tools: [slow] } });
    const { clock } = call;
    await clock.runUntil(call.phone.say("look it up"));
    await clock.advance(10_000);
    expect(call.phone.heard).toBe("Let me see. One moment, please. One moment, please. Found it.");
    await hangUp(call);
  });

  test("of a voice that owes audio ends the reply with an error, and the next one is spoken", async () => {
    const call = rig({ answers: ["First answer.", "Second answer."], tts: { hangs: (text) => text.startsWith("First") } });
    await call.clock.runUntil(call.phone.say("hello there"));
    await call.clock.advance(7000);
    expect(call.typesOf("call_error")).toEqual([expect.objectContaining({ stage: "tts", code: "timeout" })]);
    await call.clock.runUntil(call.phone.say("hello again"));
    await call.clock.advance(3000);
    expect(call.phone.heard).toBe("Second answer.");
    await hangUp(call);
  });
});

describe("usage", () => {
  test("that a provider reports twice counts once", async () => {
    const twice: LLM = {
      provider: "twice",
      model: "twice",
      async *stream(_messages, _tools, options) {
        const usage = { inputTokens: 5, outputTokens: 2 };
        try {
          yield { type: "text", content: "Fine." };
          yield { type: "done", usage };
        } finally {
          options?.onUsage?.(usage);
        }
      },
    };
    const call = rig({ agent: { llm: twice } });
    await call.clock.runUntil(call.phone.say("hello there"));
    await call.clock.advance(2000);
    expect(call.typesOf("llm_usage")).toHaveLength(1);
    await hangUp(call);
  });
});

describe("a provider that does not react", () => {
  test("holds up neither the next turn nor the end of the call", async () => {
    let asked = 0;
    const stuck = async function* stuck(): AsyncGenerator<string> {
      if (asked++ > 0) yield "Here I am.";
      else await new Promise<never>(() => {});
    };
    const call = rig({ agent: { llm: stuck, longTurnMessage: null } });
    await call.clock.runUntil(call.phone.say("hello there"));
    await call.clock.advance(2000);
    await call.clock.runUntil(call.phone.say("are you there"));
    await call.clock.advance(2500);
    expect(call.phone.heard).toBe("Here I am.");
    await hangUp(call);
  });
});

describe("a model that sends nothing", () => {
  test("is given up after a while, with an apology", async () => {
    const silent = async function* silent(): AsyncGenerator<string> {
      await new Promise<never>(() => {});
      yield "";
    };
    const call = rig({ agent: { llm: silent, longTurnMessage: null, llmErrorMessage: "Sorry." } });
    await call.clock.runUntil(call.phone.say("hello there"));
    await call.clock.advance(17_000);
    expect(call.phone.heard).toBe("Sorry.");
    await hangUp(call);
  });
});

describe("the call handle", () => {
  test("says something when the line is free and tells what was heard", async () => {
    const call = rig();
    await call.clock.advance(100);
    const heard = call.call().say("Your taxi is here.");
    expect(await call.clock.runUntil(heard)).toBe("Your taxi is here.");
    expect(call.phone.heard).toBe("Your taxi is here.");
    await hangUp(call);
  });

  test("hangs up at once, or after the reply has been heard", async () => {
    const now = rig({ agent: { firstMessage: "This is a long greeting." } });
    await now.clock.advance(300);
    await now.call().hangUp();
    expect(await now.clock.runUntil(now.ended)).toBe("agent_hung_up");
    expect(now.phone.commands).toEqual(["hang_up"]);
    expect(now.clock.pendingTimers).toBe(0);
    const later = rig({ agent: { firstMessage: "This is a long greeting." } });
    await later.clock.advance(300);
    await later.call().hangUp({ when: "after_reply" });
    expect(await later.clock.runUntil(later.ended)).toBe("agent_hung_up");
    expect(later.phone.heard).toBe("This is a long greeting.");
  });

  test("a goodbye that waits to be said is said before the call is hung up", async () => {
    const call = rig();
    await call.clock.advance(100);
    void call.phone.hum(500);
    await call.clock.advance(100);
    const goodbye = call.call().say("Goodbye then.");
    await call.call().hangUp({ when: "after_reply" });
    expect(await call.clock.runUntil(goodbye)).toBe("Goodbye then.");
    expect(await call.clock.runUntil(call.ended)).toBe("agent_hung_up");
  });

  test("transfers, reports a failed transfer and goes on", async () => {
    const call = rig();
    await call.clock.advance(100);
    await expect(call.call().transfer("nobody")).rejects.toThrow("E.164");
    await call.call().transfer("+15550199");
    expect(await call.clock.runUntil(call.ended)).toBe("transferred");
    expect(call.phone.commands).toEqual(["transfer +15550199"]);
    await expect(call.call().say("late")).rejects.toThrow("has ended");
  });

  test("a shutdown ends the call as such", async () => {
    const shutdown = new AbortController();
    const call = rig({ shutdown: shutdown.signal, agent: { firstMessage: "Hello there." } });
    await call.clock.advance(300);
    shutdown.abort();
    expect(await call.clock.runUntil(call.ended)).toBe("shutdown");
    expect(call.clock.pendingTimers).toBe(0);
  });
});
