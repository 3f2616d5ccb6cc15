import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import type { CallEvent } from "./core/call-event.js";
import type { Carrier, CarrierHost, CarrierSetup, IncomingCall } from "./core/carrier.js";
import { VirtualClock } from "./core/clock.js";
import { CarrierError, ConfigError, ProviderError } from "./core/errors.js";
import type { LLM } from "./core/llm.js";
import { type Logger, silentLogger } from "./core/logger.js";
import { deferred } from "./core/signals.js";
import type { CallEnd, ServeOptions, Transcript } from "./options.js";
import { Patter } from "./patter.js";
import { SpokenWords } from "./testing/spoken-words.js";
import { TestLLM } from "./testing/test-llm.js";
import { TestPhone } from "./testing/test-phone.js";
import { TestSTT, TestTTS, TestVAD } from "./testing/test-speech.js";

/** A carrier whose calls are made by the test. */
class TestCarrier implements Carrier {
  readonly name = "test";
  #host: CarrierHost | undefined;

  async handle(_request: Request, host: CarrierHost): Promise<Response> {
    this.#host = host;
    return new Response("ready");
  }

  upgrade(): undefined {
    return undefined;
  }

  connect(call: IncomingCall): void {
    this.#host?.incoming(call);
  }
}

interface Rig {
  readonly clock: VirtualClock;
  readonly phone: Patter;
  readonly speech: { readonly stt: TestSTT; readonly tts: TestTTS; readonly vad: TestVAD };
  readonly caller: (callId: string, change?: (call: IncomingCall) => IncomingCall) => TestPhone;
  readonly serve: (options?: Partial<ServeOptions>) => Promise<void>;
}

function rig(answers: ConstructorParameters<typeof TestLLM>[0] = []): Rig {
  const clock = new VirtualClock();
  const spoken = new SpokenWords();
  const carrier = new TestCarrier();
  const phone = new Patter({ carrier, clock, logger: silentLogger });
  const speech = { stt: new TestSTT({ spoken }), tts: new TestTTS({ spoken }), vad: new TestVAD({ spoken }) };
  return {
    clock,
    phone,
    speech,
    caller: (callId, change = (call) => call) => {
      const caller = new TestPhone({ clock, spoken, callId });
      carrier.connect(change(caller.incoming()));
      return caller;
    },
    serve: async (options) => {
      const llm = options?.onMessage === undefined ? { llm: new TestLLM(answers) } : {};
      await phone.serve({ agent: phone.agent({ ...speech, ...llm, firstMessage: "Hello." }), port: 0, ...options });
      await fetch(await phone.ready);
    },
  };
}

describe("Patter", () => {
  test("reports a call's start, both sides' words and its end with latency per turn", async () => {
    const { clock, phone, caller, serve } = rig(["We are open."]);
    const transcript: Transcript[] = [];
    const ends: CallEnd[] = [];
    const events: CallEvent["type"][] = [];
    await serve({
      onCallStart: (call) => {
        void (async () => {
          for await (const event of call.events) events.push(event.type);
        })();
      },
      onTranscript: (entry) => void transcript.push(entry),
      onCallEnd: (end) => void ends.push(end),
    });
    const line = caller("a");
    await clock.advance(1000);
    await clock.runUntil(line.say("are you open"));
    await clock.advance(2000);
    line.hangUp();
    await clock.advance(100);
    expect(transcript.map(({ role, text }) => [role, text])).toEqual([
      ["assistant", "Hello."],
      ["user", "are you open"],
      ["assistant", "We are open."],
    ]);
    expect(ends).toHaveLength(1);
    expect(ends[0]).toMatchObject({ callId: "a", endReason: "caller_hung_up", caller: "+15550100", bargeIns: 0, errors: [] });
    expect(ends[0]?.turns[0]?.endpointingMs).toBeCloseTo(400, 0);
    expect(ends[0]?.usage.find((usage) => usage.stage === "llm")).toMatchObject({ requests: 1, tokens: { inputTokens: 1 } });
    expect(events.at(-1)).toBe("call_ended");
    expect(phone.activeCalls).toBe(0);
    await phone.disconnect();
  });

  test("reports what a call's model cost, at your own price", async () => {
    const { clock, phone, caller, serve } = rig(["We are open."]);
    const ends: CallEnd[] = [];
    await serve({ pricing: { "prepared-answers": { input: 2, output: 3 } }, onCallEnd: (end) => void ends.push(end) });
    const line = caller("a");
    await clock.advance(1000);
    await clock.runUntil(line.say("are you open"));
    await clock.advance(2000);
    line.hangUp();
    await clock.advance(100);
    expect(ends[0]?.cost).toMatchObject({
      llmUsd: 0.000005,
      providers: [{ model: "prepared-answers", priceSource: "override" }],
    });
    expect(ends[0]?.turns[0]).toMatchObject({ tokens: { inputTokens: 1, outputTokens: 1 }, cacheHitShare: 0, costUsd: 0.000005 });
    await phone.disconnect();
  });

  test("answers with onMessage, which sees the conversation", async () => {
    const { clock, phone, caller, serve } = rig();
    const asked: unknown[] = [];
    await serve({
      onMessage: ({ text, history, callId }) => {
        asked.push({ text, history, callId });
        return "You said it.";
      },
    });
    const line = caller("a");
    await clock.advance(1000);
    await clock.runUntil(line.say("good morning"));
    await clock.advance(2000);
    expect(line.heard).toBe("Hello. You said it.");
    expect(asked).toEqual([{ text: "good morning", history: [{ role: "assistant", text: "Hello." }], callId: "a" }]);
    await phone.disconnect();
  });

  test("a callback that throws harms no call", async () => {
    const { clock, phone, caller, serve } = rig(["Fine."]);
    const fail = (): never => {
      throw new Error("a user's mistake");
    };
    await serve({ onCallStart: fail, onTranscript: fail, onCallEnd: fail });
    const line = caller("a");
    await clock.advance(1000);
    await clock.runUntil(line.say("how are you"));
    await clock.advance(2000);
    expect(line.heard).toBe("Hello. Fine.");
    await phone.disconnect();
  });

  test("disconnect lets running calls finish within drainMs, takes no new ones and ends the rest", async () => {
    const { clock, phone, caller, serve } = rig();
    const reasons: (string | undefined)[] = [];
    await serve({ onCallEnd: (end) => void reasons.push(`${end.callId} ${end.endReason}`) });
    const first = caller("first");
    caller("second");
    await clock.advance(500);
    const closed = phone.disconnect({ drainMs: 5000 });
    await clock.advance(0);
    const late = caller("late");
    await clock.advance(1000);
    expect([late.commands, late.isClosed]).toEqual([["hang_up"], true]);
    first.hangUp();
    await clock.advance(1000);
    expect(reasons).toEqual(["first caller_hung_up"]);
    await clock.advance(4000);
    expect(reasons).toEqual(["first caller_hung_up", "second shutdown"]);
    await closed;
  });

  test("two calls at once stay apart", async () => {
    const { clock, phone, caller, serve } = rig([
      (messages) => `To ${String(messages.at(-1)?.content)}.`,
      (messages) => `To ${String(messages.at(-1)?.content)}.`,
    ]);
    await serve();
    const [a, b] = [caller("a"), caller("b")];
    await clock.advance(1000);
    const [saidA, saidB] = [a.say("apples please"), b.say("bananas thanks")];
    await clock.runUntil(Promise.all([saidA, saidB]));
    await clock.advance(3000);
    expect(a.heard).toBe("Hello. To apples please.");
    expect(b.heard).toBe("Hello. To bananas thanks.");
    await phone.disconnect();
  });

  test("says what is wrong with its options", async () => {
    const { phone } = rig();
    expect(() => new Patter({} as never)).toThrow(new ConfigError("Patter needs a carrier: pass { carrier: new Browser() }."));
    await expect(phone.serve({} as never)).rejects.toThrow(/needs an agent/);
    await expect(phone.serve({ agent: phone.agent({}) })).rejects.toThrow(/needs stt and tts/);
    await expect(phone.ready).rejects.toThrow(/needs stt and tts/);
  });
});

describe("an agent that is chosen for each call", () => {
  test("is chosen by what is known of the call", async () => {
    const { clock, phone, speech, caller, serve } = rig();
    const agent = (firstMessage: string) => phone.agent({ ...speech, llm: new TestLLM([]), firstMessage });
    const [sales, support] = [agent("Sales."), agent("Support.")];
    await serve({ agent: async ({ to }) => (to === "+15550001" ? sales : support) });
    const first = caller("call-1", (call) => ({ ...call, to: "+15550001" }));
    const second = caller("call-2", (call) => ({ ...call, to: "+15550002" }));
    await clock.advance(3000);
    expect([first.heard, second.heard]).toEqual(["Sales.", "Support."]);
    await phone.disconnect();
  });

  test.each<[string, ServeOptions["agent"]]>([
    ["the choice fails", () => Promise.reject(new Error("a bug"))],
    [
      "the choice throws",
      () => {
        throw new Error("a bug");
      },
    ],
    ["the choice takes more than ten seconds", () => new Promise(() => {})],
    ["the agent cannot speak", () => new Patter({ carrier: new TestCarrier() }).agent({})],
  ])("ends the call, and no other, where %s", async (_, agent) => {
    const { clock, phone, caller, serve } = rig();
    const ends: CallEnd[] = [];
    await serve({ agent, onCallEnd: (end) => void ends.push(end) });
    const person = caller("call-1");
    await clock.advance(10_000);
    expect(person.commands).toEqual(["hang_up"]);
    expect(phone.activeCalls).toBe(0);
    expect(ends).toEqual([]);
    await phone.disconnect();
  });
});

test("a call that lasts too long is ended", async () => {
  const { clock, phone, caller, serve } = rig();
  const ends: CallEnd[] = [];
  await serve({ maxDurationMs: 60_000, onCallEnd: (end) => void ends.push(end) });
  const person = caller("call-1");
  await clock.advance(59_999);
  expect(phone.activeCalls).toBe(1);
  await clock.advance(1);
  expect(ends).toMatchObject([{ endReason: "max_duration", durationMs: 60_000 }]);
  expect(person.commands).toEqual(["hang_up"]);
  await phone.disconnect();
});

describe("a carrier that is to be reached", () => {
  /** Notes what it is told. */
  class NotingCarrier extends TestCarrier {
    readonly told: string[] = [];
    readonly failsToOpen: Error | undefined;

    constructor(failsToOpen?: Error) {
      super();
      this.failsToOpen = failsToOpen;
    }

    check(setup: CarrierSetup): void {
      this.told.push(`check ${JSON.stringify(setup)}`);
    }

    async open(host: CarrierHost): Promise<AsyncDisposable> {
      this.told.push(`open ${host.phoneNumber} ${host.publicUrl} ${host.managesWebhook}`);
      if (this.failsToOpen !== undefined) throw this.failsToOpen;
      return { [Symbol.asyncDispose]: async () => void this.told.push("closed") };
    }
  }

  const phoneOf = (carrier: Carrier, clock = new VirtualClock()): Patter =>
    new Patter({ carrier, clock, logger: silentLogger, phoneNumber: "+15550100", webhookUrl: "https://a.example/" });
  const spoken = new SpokenWords();
  const agentOf = (phone: Patter) =>
    phone.agent({ stt: new TestSTT({ spoken }), tts: new TestTTS({ spoken }), llm: new TestLLM([]) });

  test("is checked before anything is loaded, opened once the server listens and closed behind it", async () => {
    const carrier = new NotingCarrier();
    const phone = phoneOf(carrier);
    await phone.serve({ agent: agentOf(phone), port: 0 });
    await phone.disconnect();
    await phone.serve({ agent: agentOf(phone), port: 0, webhookUrl: "b.example", manageWebhook: false });
    await phone.disconnect();
    expect(carrier.told).toEqual([
      'check {"managesWebhook":true,"phoneNumber":"+15550100","publicUrl":"https://a.example"}',
      "open +15550100 https://a.example true",
      "closed",
      'check {"managesWebhook":false,"phoneNumber":"+15550100","publicUrl":"https://b.example"}',
      "open +15550100 https://b.example false",
      "closed",
    ]);
  });

  test("fails serve() when it cannot be opened, and nothing goes on listening", async () => {
    const carrier = new NotingCarrier(new CarrierError("no such number"));
    const phone = phoneOf(carrier);
    await expect(phone.serve({ agent: agentOf(phone), port: 0 })).rejects.toThrow("no such number");
    await expect(phone.ready).rejects.toThrow("no such number");
    await phone.disconnect();
    expect(carrier.told.at(-1)).toMatch(/^open/);
  });
});

describe("options", () => {
  const carrier = new TestCarrier();

  test.each<[string, object, string]>([
    ["a name of the compatible API", { tunnel: true }, 'The Patter option "tunnel" is not supported yet: remove it.'],
    ["a typo", { carier: carrier }, 'There is no Patter option "carier": did you mean "carrier"?'],
    ["a name like no other", { zzzzzzzz: 1 }, "it takes carrier, phoneNumber, webhookUrl, logger, clock."],
    ["a public address that is none", { webhookUrl: "ftp://a.example" }, 'webhookUrl is "ftp://a.example": pass'],
    ["a number that nobody can dial", { phoneNumber: "555-0100" }, 'phoneNumber is "555-0100": write it as E.164'],
  ])("of Patter refuse %s", (_, options, message) => {
    const make = (): unknown => new Patter({ carrier, ...options });
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(message);
  });

  test("that ask for nothing are as good as left out", () => {
    const options = { carrier, phoneNumber: "+15550100", tunnel: false, apiKey: undefined, unknown: undefined };
    expect(() => new Patter(options)).not.toThrow();
  });

  test.each<[string, object, string]>([
    ["a name of the compatible API", { recording: true }, 'The serve() option "recording" is not supported yet: remove it.'],
    ["a typo", { onCallStarted: () => {} }, 'There is no serve() option "onCallStarted": did you mean "onCallStart"?'],
    ["a URL as onMessage", { onMessage: "https://a.example/x" }, "A URL as onMessage is not supported yet: pass a function."],
    ["a callback that is none", { onCallEnd: "log" }, 'The serve() option onCallEnd is "log": pass a function.'],
    ["a price that is none", { pricing: { "claude-opus-5": { input: -5 } } }, 'pricing["claude-opus-5"].input is -5: pass USD'],
    ["an address of another kind", { webhookUrl: "ftp://a.example" }, 'webhookUrl is "ftp://a.example": pass'],
    ["an address that is none", { webhookUrl: "not a host" }, 'webhookUrl is "not a host": pass'],
    ["an empty address", { webhookUrl: "" }, 'webhookUrl is "": pass'],
    ["an address that is no text", { webhookUrl: 8000 }, "webhookUrl is 8000: pass"],
    ["a duration that is none", { maxDurationMs: 0 }, "maxDurationMs is 0: pass a number of ms above 0."],
    ["a choice that is none", { manageWebhook: "no" }, 'manageWebhook is "no": pass true or false.'],
  ])("of serve() refuse %s", async (_, options, message) => {
    const { phone, serve } = rig();
    const served = serve(options);
    await expect(served).rejects.toThrow(ConfigError);
    await expect(served).rejects.toThrow(message);
    await phone.disconnect();
  });

  test("of test() are those of a typed call", async () => {
    const { phone } = rig();
    const agent = phone.agent({ llm: new TestLLM([]) });
    await expect(phone.test({ agent, port: 1 } as never)).rejects.toThrow('There is no test() option "port"');
    await expect(phone.test({ agent, pricing: { other: { input: 1 } } })).rejects.toThrow('pricing["other"] has no output');
    await expect(phone.test(undefined as never)).rejects.toThrow("test() takes its options as one object, not undefined.");
  });
});

describe("a phone's life", () => {
  const listening = (): number => process.getActiveResourcesInfo().filter((name) => name === "TCPServerWrap").length;

  test("disconnect ends a serve() that is still loading, and nothing listens", async () => {
    const { phone, speech, serve } = rig();
    await vi.waitFor(() => expect(listening()).toBe(0));
    const loading = deferred();
    const stt = Object.assign(speech.stt, { prepare: () => loading.promise });
    const stuck = serve({ agent: phone.agent({ ...speech, stt, llm: new TestLLM([]) }) });
    stuck.catch(() => {});
    const { ready } = phone;
    await phone.disconnect({ drainMs: 5000 });
    loading.resolve();
    await expect(stuck).rejects.toThrow("disconnect() ended serve() before it listened.");
    await expect(ready).rejects.toThrow(ConfigError);
    expect(listening()).toBe(0);
  });

  test("only one of two serve() at once listens", async () => {
    const { phone, serve } = rig();
    await vi.waitFor(() => expect(listening()).toBe(0));
    const [first, second] = await Promise.allSettled([serve(), serve()]);
    expect([first.status, second.status]).toEqual(["fulfilled", "rejected"]);
    expect(second).toMatchObject({ reason: { message: expect.stringContaining("serving already") } });
    expect(listening()).toBe(1);
    expect(await phone.ready).toMatch(/^http/);
    await phone.disconnect();
  });

  test("serves again after a disconnect, at its new address", async () => {
    const { clock, phone, caller, serve } = rig();
    await serve();
    const old = await phone.ready;
    await phone.disconnect();
    await expect(fetch(old)).rejects.toThrow();
    await serve();
    expect((await fetch(await phone.ready)).status).toBe(200);
    const line = caller("again");
    await clock.advance(2000);
    expect(line.heard).toBe("Hello.");
    await phone.disconnect();
  });

  test("is ready once a failed serve() is repeated well", async () => {
    const { phone, serve } = rig();
    await expect(phone.serve({} as never)).rejects.toThrow(ConfigError);
    await expect(phone.ready).rejects.toThrow(ConfigError);
    await serve();
    expect(await phone.ready).toMatch(/^http/);
    await phone.disconnect();
  });

  test("every disconnect waits until all is closed, and one without drainMs ends the calls", async () => {
    const { clock, phone, caller, serve } = rig();
    const reasons: unknown[] = [];
    await serve({ onCallEnd: (end) => void reasons.push(end.endReason) });
    const url = await phone.ready;
    caller("a");
    await clock.advance(1000);
    let closed = 0;
    const count = (): number => ++closed;
    const both = [phone.disconnect({ drainMs: 5000 }).then(count), phone.disconnect({ drainMs: 5000 }).then(count)];
    await clock.advance(1000);
    await expect(serve()).rejects.toThrow("is disconnecting");
    expect([closed, reasons]).toEqual([0, []]);
    await phone.disconnect();
    expect(reasons).toEqual(["shutdown"]);
    await Promise.all(both);
    await expect(fetch(url)).rejects.toThrow();
  });

  test("disconnect waits for onCallEnd, ten seconds at most", async () => {
    const { clock, phone, caller, serve } = rig();
    const stored = deferred();
    const answers = [stored.promise, new Promise<void>(() => {})];
    await serve({ onCallEnd: () => answers.shift() });
    caller("a").hangUp();
    await clock.advance(100);
    expect(phone.activeCalls).toBe(1);
    stored.resolve();
    await clock.advance(0);
    expect(phone.activeCalls).toBe(0);
    caller("b").hangUp();
    await clock.advance(100);
    const closed = phone.disconnect();
    expect(phone.activeCalls).toBe(1);
    await clock.advance(10_000);
    await closed;
  });

  test("a call that breaks is hung up and leaves the others alone", async () => {
    const { clock, phone, caller, serve } = rig();
    const ends: unknown[] = [];
    await serve({ onCallEnd: (end) => void ends.push([end.callId, end.endReason]) });
    const notify = (): never => {
      throw new Error("a carrier's bug");
    };
    const broken = caller("broken", (call) => ({ ...call, control: Object.assign(call.control, { notify }) }));
    const well = caller("well");
    await clock.advance(2000);
    expect([broken.isClosed, broken.commands, phone.activeCalls]).toEqual([true, ["hang_up"], 1]);
    expect(well.heard).toBe("Hello.");
    await phone.disconnect();
    expect(ends).toEqual([
      ["broken", undefined],
      ["well", "shutdown"],
    ]);
  });

  test("loads the model's connection before it is ready, for three seconds at most", async () => {
    const { clock, phone, speech, serve } = rig();
    const warmed: unknown[] = [];
    const warmup: NonNullable<LLM["warmup"]> = async (messages, tools, options) => {
      warmed.push(messages, tools);
      await clock.sleep(60_000, options?.signal);
    };
    const llm = Object.assign(new TestLLM([]), { warmup });
    const serving = serve({ agent: phone.agent({ ...speech, llm, systemPrompt: "Be brief." }) });
    await vi.waitFor(() => expect(warmed).toEqual([[{ role: "system", content: "Be brief." }], null]));
    await clock.advance(3000);
    await serving;
    await phone.disconnect();
  });
});

test("a model that cannot be warmed up is told of before the first call", async () => {
  const warn = vi.fn();
  const logger: Logger = { ...silentLogger, warn, child: () => logger };
  const phone = new Patter({ carrier: new TestCarrier(), clock: new VirtualClock(), logger });
  const { speech } = rig();
  const error = new ProviderError("the model is retired", { provider: "test", status: 404 });
  const llm = Object.assign(new TestLLM([]), { warmup: () => Promise.reject(error) });
  await phone.serve({ agent: phone.agent({ ...speech, llm }), port: 0 });
  expect(warn).toHaveBeenCalledExactlyOnceWith({ err: error }, "model not warmed up");
  await phone.disconnect();
});

describe("a signal of the operating system", () => {
  const kill = vi.fn(() => true as const);
  let others: NodeJS.SignalsListener[] = [];
  beforeEach(() => {
    vi.spyOn(process, "kill").mockImplementation(kill);
    others = process.listeners("SIGTERM");
    process.removeAllListeners("SIGTERM");
  });
  afterEach(() => {
    vi.restoreAllMocks();
    kill.mockClear();
    for (const listener of others) process.on("SIGTERM", listener);
  });

  test("ends the process only when the last phone's calls have ended", async () => {
    const [idle, busy] = [rig(), rig()];
    await Promise.all([idle.serve(), busy.serve()]);
    const line = busy.caller("a");
    await busy.clock.advance(1000);
    process.emit("SIGTERM", "SIGTERM");
    await idle.phone.disconnect();
    await new Promise(setImmediate);
    expect([kill.mock.calls, busy.phone.activeCalls]).toEqual([[], 1]);
    line.hangUp();
    await busy.clock.advance(100);
    await vi.waitFor(() => expect(kill).toHaveBeenCalledWith(process.pid, "SIGTERM"));
    expect([busy.phone.activeCalls, process.listenerCount("SIGTERM")]).toEqual([0, 0]);
  });

  test("ends the calls at once when it comes again", async () => {
    const { clock, phone, caller, serve } = rig();
    const reasons: unknown[] = [];
    await serve({ onCallEnd: (end) => void reasons.push(end.endReason) });
    caller("a");
    await clock.advance(1000);
    process.emit("SIGTERM", "SIGTERM");
    await clock.advance(1000);
    expect(reasons).toEqual([]);
    process.emit("SIGTERM", "SIGTERM");
    await clock.advance(1000);
    expect(reasons).toEqual(["shutdown"]);
    await phone.disconnect();
  });
});

describe("within a program's own server", () => {
  /** A carrier that answers one path and takes sockets at another. */
  const own: Carrier = {
    name: "own",
    handle: async (request, host) =>
      new URL(request.url).pathname === "/hook" ? new Response(`${await request.text()} at ${host.publicUrl}`) : undefined,
    upgrade: (request) => {
      const { pathname } = new URL(request.url);
      if (pathname !== "/socket") return undefined;
      return { accepted: true, run: (socket) => socket.send("welcome") };
    },
  };
  const spoken = new SpokenWords();
  const phoneOf = (carrier: Carrier): Patter => new Patter({ carrier, logger: silentLogger });
  const agentOf = (phone: Patter) =>
    phone.agent({ stt: new TestSTT({ spoken }), tts: new TestTTS({ spoken }), llm: new TestLLM([]) });

  test("requests and sockets are passed on, and nothing listens besides", async () => {
    const phone = phoneOf(own);
    await phone.serve({ agent: agentOf(phone), listen: false, webhookUrl: "https://a.example" });
    expect(await phone.ready).toBe("https://a.example");
    const answered = await phone.fetch(new Request("http://127.0.0.1/hook", { method: "POST", body: "called" }));
    expect(await answered.text()).toBe("called at https://a.example");
    expect((await phone.fetch(new Request("http://127.0.0.1/other"))).status).toBe(404);

    const server = createServer().listen(0, "127.0.0.1");
    const untouched: string[] = [];
    server.on("upgrade", (request, socket, head) => {
      if (phone.handleUpgrade(request, socket, head)) return;
      untouched.push(request.url ?? "");
      socket.destroy();
    });
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`);
    const [message] = await once(socket, "message");
    expect(String(message)).toBe("welcome");
    const other = new WebSocket(`ws://127.0.0.1:${port}/chat`);
    await once(other, "error");
    expect(untouched).toEqual(["/chat"]);

    const closed = once(socket, "close");
    await phone.disconnect();
    expect((await closed)[0]).toBe(1001);
    await expect(phone.fetch(new Request("http://127.0.0.1/hook"))).rejects.toThrow("await serve() before fetch()");
    server.close();
  });

  test.each<[string, Partial<ServeOptions>, string]>([
    ["no public address", { listen: false }, "needs its public address: pass webhookUrl"],
    ["a port", { listen: false, port: 0, webhookUrl: "a.example" }, "leave port and host out"],
    ["a choice that is none", { listen: 0 as never }, "listen is 0: pass true or false"],
  ])("is not served with %s", async (_, options, message) => {
    const phone = phoneOf(own);
    await expect(phone.serve({ agent: agentOf(phone), ...options })).rejects.toThrow(message);
  });
});
