import { test } from "vitest";
import type { CarrierHost, IncomingCall } from "../../core/carrier.js";
import { VirtualClock } from "../../core/clock.js";
import { silentLogger } from "../../core/logger.js";
import { AsyncQueue } from "../../core/queue.js";
import { type CarrierSubject, carrierConformance } from "../../testing/conformance/carrier.js";
import { carrierNetwork, TwilioEmulator } from "../../testing/index.js";
import { Twilio } from "../twilio.js";

const ACCOUNT = { accountSid: "AC00000000000000000000000000000001", authToken: "secret" };

/** Twilio and the emulator in one memory. */
async function setUp(): Promise<CarrierSubject> {
  const clock = new VirtualClock();
  const calls = new AsyncQueue<IncomingCall>();
  const host: CarrierHost = {
    clock,
    logger: silentLogger,
    publicUrl: "https://agent.example",
    phoneNumber: "+15550100",
    managesWebhook: true,
    incoming: (call) => calls.push(call),
  };
  const carrier = new Twilio({ ...ACCOUNT, fetch: (input, init) => emulator.fetch(input, init) });
  const emulator = await TwilioEmulator.start({ ...ACCOUNT, clock, network: carrierNetwork(carrier, host) });
  const line = await clock.runUntil(carrier.open(host, new AbortController().signal));
  return {
    clock,
    callIn: async () => {
      const person = emulator.callIn();
      const { value: call } = await calls.next();
      const caller = {
        get heard() {
          return person.heard.audio;
        },
        get isOver() {
          return person.status === "completed";
        },
        say: (audio: Uint8Array) => void person.say(audio),
        press: (digit: string) => person.press(digit),
        hangUp: () => person.hangUp(),
        restart: () => person.restartStream(),
      };
      return { caller, call: call as IncomingCall };
    },
    [Symbol.asyncDispose]: async () => {
      await line[Symbol.asyncDispose]();
      await emulator[Symbol.asyncDispose]();
    },
  };
}

for (const { name, run } of carrierConformance(setUp)) test(`Twilio ${name}`, run);
