import { describe, expect, test } from "vitest";
import { silentLogger } from "../../src/core/logger.js";
import {
  AnthropicLLM,
  type CallEnd,
  DeepgramSTT,
  ElevenLabsTTS,
  Patter,
  type ServeOptions,
  Twilio,
  type TwilioOptions,
} from "../../src/index.js";
import {
  AnthropicServer,
  DeepgramServer,
  ElevenLabsServer,
  SpokenWords,
  TestLLM,
  TestSTT,
  TestTTS,
  type TwilioCall,
  TwilioEmulator,
  type TwilioEmulatorOptions,
} from "../../src/testing/index.js";

const PUBLIC_URL = "https://agent.example";

interface Setup {
  readonly emulator?: TwilioEmulatorOptions;
  readonly carrier?: TwilioOptions;
  readonly serve?: Partial<ServeOptions>;
  readonly answers?: readonly string[];
}

/** A phone on Twilio's emulator: real sockets, real time. */
async function setUp({ emulator, carrier, serve, answers = [] }: Setup = {}) {
  const twilio = await TwilioEmulator.start(emulator);
  const { accountSid, authToken, url } = twilio;
  const phone = new Patter({
    carrier: new Twilio({ accountSid, authToken, baseUrl: url, ...carrier }),
    phoneNumber: "+15550100",
    webhookUrl: PUBLIC_URL,
    logger: silentLogger,
  });
  const spoken = new SpokenWords({ encoding: "mulaw" });
  const speech = { stt: new TestSTT({ spoken, turnEndMs: 100 }), tts: new TestTTS({ spoken }) };
  const agent = phone.agent({
    ...speech,
    ...(serve?.onMessage === undefined && { llm: new TestLLM([...answers]) }),
    systemPrompt: "Answer.",
    firstMessage: "hello",
  });
  const ends: CallEnd[] = [];
  /** Both sides' words, once they count. */
  const said: string[] = [];
  await phone.serve({
    agent,
    port: 0,
    onTranscript: ({ text }) => void said.push(text),
    onCallEnd: (end) => void ends.push(end),
    ...serve,
  });
  twilio.route(PUBLIC_URL, await phone.ready);
  const close = async (): Promise<void> => {
    await phone.disconnect();
    await twilio[Symbol.asyncDispose]();
  };
  const heardBy = (person: TwilioCall): string => spoken.words(person.heard.audio);
  const say = (person: TwilioCall, text: string): Promise<void> => person.say(spoken.encode(text));
  return { twilio, phone, agent, ends, said, speech, heardBy, say, [Symbol.asyncDispose]: close };
}

/** Resolves when it holds. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10));
}

describe("a call from Twilio", () => {
  test("is answered by the agent on the number that serve() pointed here, byte for byte", async () => {
    await using rig = await setUp({ answers: ["at four."] });
    const person = rig.twilio.callIn({ from: "+15550199" });
    await until(() => rig.heardBy(person) === "hello");
    await rig.say(person, "when");
    await until(() => rig.said.length === 3);
    expect(rig.heardBy(person)).toBe("hello at four.");
    person.hangUp();
    expect(await person.ended).toBe("completed");
    await until(() => rig.ends.length === 1);
    expect(rig.ends[0]).toMatchObject({ carrier: "twilio", direction: "inbound", caller: "+15550199", callee: "+15550100" });
    expect(rig.ends[0]?.endReason).toBe("caller_hung_up");
    expect(rig.ends[0]?.transcript.map(({ role, text }) => `${role}: ${text}`)).toEqual([
      "assistant: hello",
      "user: when",
      "assistant: at four.",
    ]);
    expect(person.errors).toEqual([]);
  });

  test("does not hear another one", async () => {
    await using rig = await setUp({ serve: { onMessage: ({ text }) => `you said ${text}.` } });
    const [first, second] = [rig.twilio.callIn({ from: "+15550111" }), rig.twilio.callIn({ from: "+15550122" })];
    await until(() => [first, second].every((person) => rig.heardBy(person) === "hello"));
    await Promise.all([rig.say(first, "one"), rig.say(second, "two")]);
    await until(() => [first, second].every((person) => rig.heardBy(person).endsWith(".")));
    expect([first, second].map((person) => rig.heardBy(person))).toEqual(["hello you said one.", "hello you said two."]);
  });

  test("that the agent ends is over for the caller", async () => {
    await using rig = await setUp({ serve: { onCallStart: (call) => void call.hangUp({ when: "after_reply" }) } });
    const person = rig.twilio.callIn();
    expect(await person.ended).toBe("completed");
    await until(() => rig.ends.length === 1);
    expect(rig.ends[0]?.endReason).toBe("agent_hung_up");
  });

  test("is turned away while the phone disconnects, and runs on within drainMs", async () => {
    await using rig = await setUp();
    const person = rig.twilio.callIn();
    await person.streaming();
    const closed = rig.phone.disconnect({ drainMs: 10_000 });
    expect(await rig.twilio.callIn().ended).toBe("busy");
    person.hangUp();
    await closed;
    expect(rig.ends).toHaveLength(1);
  });
});

describe("a call that is placed", () => {
  test("is held by its own agent with its own words, and comes to a result", async () => {
    await using rig = await setUp({ answers: ["never asked"] });
    const other = rig.phone.agent({
      ...rig.speech,
      llm: new TestLLM(["bye."]),
      firstMessage: "{name} here",
    });
    const called = rig.phone.call({
      to: "+15550177",
      agent: other,
      variables: { name: "ann" },
      firstMessage: "for {name}",
      wait: true,
    });
    const person = await rig.twilio.nextCall();
    await until(() => rig.heardBy(person) === "for ann");
    await rig.say(person, "yes");
    await until(() => rig.said.length === 3);
    person.hangUp();
    const result = await called;
    expect(result).toMatchObject({ outcome: "answered", callId: person.sid, direction: "outbound", callee: "+15550177" });
    if (result.outcome !== "answered") throw new Error(result.message);
    expect(result.transcript.map(({ text }) => text)).toEqual(["for ann", "yes", "bye."]);
    expect(result.turns).toHaveLength(1);
    expect(person.errors).toEqual([]);
  });

  test.each([
    ["busy", "busy"],
    ["no_answer", "no_answer"],
    ["failed", "failed"],
  ] as const)("that is %s says so", async (outcome, wanted) => {
    await using rig = await setUp({ emulator: { callee: () => ({ outcome, ringMs: 50 }) } });
    const result = await rig.phone.call({ to: "+15550177", agent: rig.agent, ringTimeout: 1, wait: true });
    expect(result).toMatchObject({ outcome: wanted, to: "+15550177", callId: rig.twilio.calls[0]?.sid });
  });

  test("can be given up while it rings", async () => {
    await using rig = await setUp({ emulator: { callee: () => ({ ringMs: 20_000 }) } });
    const call = await rig.phone.call({ to: "+15550177", agent: rig.agent });
    const person = await rig.twilio.nextCall();
    await until(() => person.status === "ringing");
    await call.hangUp();
    expect(await call.result).toMatchObject({ outcome: "canceled", callId: person.sid });
    await person.ended;
  });

  test("is given up with the phone", async () => {
    await using rig = await setUp({ emulator: { callee: () => ({ ringMs: 20_000 }) } });
    const call = await rig.phone.call({ to: "+15550177", agent: rig.agent });
    await rig.phone.disconnect();
    expect(await call.result).toMatchObject({ outcome: "canceled" });
  });

  test("to a premium number is rejected, and one that Twilio refuses too", async () => {
    await using rig = await setUp();
    const premium = await rig.phone.call({ to: "+19005550100", agent: rig.agent, wait: true });
    expect(premium).toMatchObject({ outcome: "rejected", callId: "" });
    rig.twilio.refuse({ status: 400, code: 21_211, message: "The 'To' number +15550177 is not a valid phone number." });
    const invalid = await rig.phone.call({ to: "+15550177", agent: rig.agent, wait: true });
    expect(invalid).toMatchObject({ outcome: "rejected" });
    rig.twilio.refuse({ status: 401, code: 20_003, message: "Authenticate" });
    await expect(rig.phone.call({ to: "+15550177", agent: rig.agent })).rejects.toThrow("Check accountSid and authToken");
  });

  test("is queued by Twilio, not refused, when several are placed at once, and placed again when it is limited", async () => {
    await using rig = await setUp({ emulator: { callsPerSecond: 5, callee: () => ({ outcome: "busy" }) } });
    rig.twilio.refuse({ status: 429, code: 20_429, message: "Too Many Requests" });
    const results = await Promise.all(
      ["+15550171", "+15550172", "+15550173"].map((to) => rig.phone.call({ to, agent: rig.agent, wait: true })),
    );
    expect(results.map(({ outcome }) => outcome)).toEqual(["busy", "busy", "busy"]);
    expect(rig.twilio.calls).toHaveLength(3);
  });

  test("has one outcome, however often and in whatever order it is reported", async () => {
    await using rig = await setUp({
      emulator: {
        webhookFault: ({ form }) => (form["CallStatus"] === "ringing" ? { delayMs: 400 } : "duplicate"),
        callee: () => ({ outcome: "busy" }),
      },
    });
    const result = await rig.phone.call({ to: "+15550177", agent: rig.agent, wait: true });
    expect(result.outcome).toBe("busy");
  });
});

describe("the program of the specification", () => {
  test("answers a call with Twilio, Deepgram, Claude and ElevenLabs, in the telephone's own format throughout", async () => {
    await using deepgram = await DeepgramServer.start();
    await using anthropic = await AnthropicServer.start({ replies: ["We open at nine."] });
    await using elevenlabs = await ElevenLabsServer.start();
    await using twilio = await TwilioEmulator.start();
    const { accountSid, authToken } = twilio;
    await using llm = new AnthropicLLM({ apiKey: "test", baseUrl: anthropic.url });
    await using phone = new Patter({
      carrier: new Twilio({ accountSid, authToken, baseUrl: twilio.url }),
      phoneNumber: "+15550100",
      logger: silentLogger,
    });
    const agent = phone.agent({
      stt: new DeepgramSTT({ apiKey: "test", baseUrl: deepgram.url }),
      llm,
      tts: new ElevenLabsTTS({ apiKey: "test", baseUrl: elevenlabs.url, voiceId: "rachel" }),
      systemPrompt: "You are a helpful assistant.",
      firstMessage: "Hi, how can I help?",
    });
    const ends: CallEnd[] = [];
    deepgram.script([{ text: "When do you open?", startMs: 2000 }]);
    const said: string[] = [];
    await phone.serve({
      agent,
      port: 0,
      webhookUrl: PUBLIC_URL,
      onTranscript: ({ text }) => void said.push(text),
      onCallEnd: (end) => void ends.push(end),
    });
    twilio.route(PUBLIC_URL, await phone.ready);
    const person = twilio.callIn();
    await person.streaming();
    await until(() => said.length === 3);
    person.hangUp();
    await until(() => ends.length === 1);
    expect(ends[0]?.transcript.map(({ role, text }) => `${role}: ${text}`)).toEqual([
      "assistant: Hi, how can I help?",
      "user: When do you open?",
      "assistant: We open at nine.",
    ]);
    expect(ends[0]?.errors).toEqual([]);
    expect(Object.fromEntries(deepgram.sockets[0]?.query ?? [])).toMatchObject({ encoding: "mulaw", sample_rate: "8000" });
    expect(elevenlabs.requests.every(({ path }) => !path.includes("stream") || path.includes("ulaw_8000"))).toBe(true);
    expect(person.errors).toEqual([]);
  });
});
