import { expect, test } from "vitest";
import { createAgent } from "../../agent/agent.js";
import { tool } from "../../agent/tools.js";
import { runCall } from "../../call/session.js";
import { Twilio } from "../../carriers/twilio.js";
import type { CallEvent } from "../../core/call-event.js";
import type { CarrierHost } from "../../core/carrier.js";
import { VirtualClock } from "../../core/clock.js";
import { TransferError } from "../../core/errors.js";
import { silentLogger } from "../../core/logger.js";
import {
  carrierNetwork,
  SpokenWords,
  type TestAnswer,
  TestLLM,
  TestSTT,
  TestTTS,
  TwilioEmulator,
  type TwilioEmulatorOptions,
} from "../index.js";

const ACCOUNT = { accountSid: "AC00000000000000000000000000000001", authToken: "secret" };
const LONG = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen.";

/** An agent on Twilio, the emulator and all on virtual time; a call in it, and what happened there. */
async function call(firstMessage: string, answers: readonly TestAnswer[] = [], options: Partial<TwilioEmulatorOptions> = {}) {
  const clock = new VirtualClock();
  const spoken = new SpokenWords({ encoding: "mulaw" });
  const events: CallEvent[] = [];
  const toShop = tool({
    name: "transfer",
    description: "Connects the caller with the shop.",
    parameters: { type: "object", properties: {} },
    timeoutMs: 60_000,
    handler: async (_args, { call: running }) => {
      try {
        await running.transfer("+15550111");
        return "answered";
      } catch (error) {
        if (error instanceof TransferError) return error.outcome;
        throw error;
      }
    },
  });
  const agent = createAgent({
    stt: new TestSTT({ spoken, turnEndMs: 300 }),
    tts: new TestTTS({ spoken }),
    llm: new TestLLM([...answers]),
    firstMessage,
    tools: [toShop],
    longTurnMessage: null,
  });
  const ended: Promise<string>[] = [];
  const host: CarrierHost = {
    clock,
    logger: silentLogger,
    publicUrl: "https://agent.example",
    phoneNumber: "+15550100",
    managesWebhook: true,
    incoming: (incoming) =>
      ended.push(
        runCall({
          agent,
          incoming,
          carrier: "twilio",
          clock,
          signal: new AbortController().signal,
          onEvents: (stream) => void stream.subscribe((event) => events.push(event)),
        }),
      ),
  };
  const carrier = new Twilio({ ...ACCOUNT, fetch: (input, init) => emulator.fetch(input, init) });
  const emulator = await TwilioEmulator.start({ ...ACCOUNT, clock, network: carrierNetwork(carrier, host), ...options });
  const line = await clock.runUntil(carrier.open(host, new AbortController().signal));
  const person = emulator.callIn();
  await clock.runUntil(person.streaming());
  return {
    clock,
    spoken,
    events,
    person,
    ended: async () => clock.runUntil(ended[0] as Promise<string>),
    of: (type: CallEvent["type"]) => events.filter((event) => event.type === type),
    [Symbol.asyncDispose]: async () => {
      await line[Symbol.asyncDispose]();
      await emulator[Symbol.asyncDispose]();
      expect(clock.pendingTimers).toBe(0);
    },
  };
}

test("a reply whose stream breaks goes on from what was heard, over the next one", async () => {
  await using line = await call(LONG);
  await line.clock.advance(1500);
  line.person.dropSocket();
  await line.clock.advance(20_000);
  const heard = line.spoken.words(line.person.heard.audio).split(" ");
  // What was on its way is said again; no word is missing, and the order stays.
  expect([...new Set(heard)].join(" ")).toBe(LONG);
  expect(line.of("stream_restarted")).toHaveLength(1);
  expect(line.of("reply_ended")).toMatchObject([{ reason: "completed", heard: LONG }]);
  line.person.hangUp();
  expect(await line.ended()).toBe("caller_hung_up");
});

test("a caller who interrupts is answered, and the history ends where they had heard it", async () => {
  await using line = await call(LONG, ["Yes."]);
  await line.clock.advance(1500);
  await line.clock.runUntil(line.person.say(line.spoken.encode("wait please")));
  await line.clock.advance(5000);
  const [interrupted] = line.of("reply_ended");
  expect(interrupted).toMatchObject({ reason: "barge_in" });
  const said = line.spoken.words(line.person.heard.audio);
  expect(said).toMatch(/ Yes\.$/);
  expect(said).not.toContain("fifteen");
  line.person.hangUp();
  expect(await line.ended()).toBe("caller_hung_up");
});

test("a transfer that nobody takes leaves the caller with the agent, who knows why", async () => {
  await using line = await call("Hello.", [{ toolCalls: [{ name: "transfer", arguments: {} }] }, "Nobody is there."], {
    callee: () => ({ outcome: "busy", ringMs: 4000 }),
  });
  await line.clock.advance(1000);
  await line.clock.runUntil(line.person.say(line.spoken.encode("a person please")));
  await line.clock.advance(20_000);
  expect(line.of("transfer_ended")).toMatchObject([{ outcome: "failed", to: "+15550111" }]);
  expect(line.of("tool_ended")).toMatchObject([{ result: "busy", isError: false }]);
  expect(line.spoken.words(line.person.heard.audio)).toBe("Hello. Nobody is there.");
  line.person.hangUp();
  expect(await line.ended()).toBe("caller_hung_up");
});

test("a transfer that is taken ends the agent's call and not the caller's", async () => {
  await using line = await call("Hello.", [{ toolCalls: [{ name: "transfer", arguments: {} }] }, "never said"]);
  await line.clock.advance(1000);
  await line.clock.runUntil(line.person.say(line.spoken.encode("a person please")));
  expect(await line.ended()).toBe("transferred");
  await line.clock.advance(10_000);
  expect(line.person.status).toBe("in-progress");
  expect(line.person.errors).toEqual([]);
  line.person.hangUp();
  await line.clock.runUntil(line.person.ended);
});
