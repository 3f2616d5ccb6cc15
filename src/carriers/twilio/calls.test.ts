import { describe, expect, test } from "vitest";
import type { CarrierHost, IncomingCall } from "../../core/carrier.js";
import { VirtualClock } from "../../core/clock.js";
import { TransferError } from "../../core/errors.js";
import { silentLogger } from "../../core/logger.js";
import { AsyncQueue } from "../../core/queue.js";
import type { TransportEvent } from "../../core/transport.js";
import { carrierNetwork, TwilioEmulator, type TwilioEmulatorOptions } from "../../testing/index.js";
import { Twilio, type TwilioOptions } from "../twilio.js";

const ACCOUNT = { accountSid: "AC00000000000000000000000000000001", authToken: "secret" };

/** Twilio and its emulator, in memory and on virtual time. */
async function setUp(options: Partial<TwilioEmulatorOptions> = {}, carrierOptions: TwilioOptions = {}) {
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
  const carrier = new Twilio({ ...ACCOUNT, fetch: (input, init) => emulator.fetch(input, init), ...carrierOptions });
  const emulator = await TwilioEmulator.start({ ...ACCOUNT, clock, network: carrierNetwork(carrier, host), ...options });
  const line = await clock.runUntil(carrier.open(host, new AbortController().signal));
  const callIn = async () => {
    const person = emulator.callIn();
    const { value } = await clock.runUntil(calls.next());
    const call = value as IncomingCall;
    const received: TransportEvent[] = [];
    void (async () => {
      for await (const event of call.transport.received) if (event.type !== "audio") received.push(event);
    })();
    return { person, call, received };
  };
  const close = async (): Promise<void> => {
    await line[Symbol.asyncDispose]();
    await emulator[Symbol.asyncDispose]();
  };
  const dial = (to = "+15550177", ringTimeoutS = 10) =>
    clock.runUntil(carrier.dial({ to, from: "+15550100", ringTimeoutS, reference: "r-1" }, host));
  return { clock, calls, emulator, callIn, dial, [Symbol.asyncDispose]: close };
}

describe("a transfer", () => {
  test("connects both people when the other one answers, without the agent", async () => {
    await using rig = await setUp({ callee: () => ({ ringMs: 4000 }) });
    const { person, call, received } = await rig.callIn();
    await rig.clock.runUntil(call.control.transfer("+15550111"));
    await call.transport[Symbol.asyncDispose]();
    await rig.clock.advance(60_000);
    const other = rig.emulator.calls[1];
    expect([person.status, other?.status]).toEqual(["in-progress", "in-progress"]);
    other?.hangUp();
    expect(await rig.clock.runUntil(person.ended)).toBe("completed");
    expect(received).toEqual([{ type: "closed", reason: "local" }]);
    expect(person.errors).toEqual([]);
  });

  test.each(["busy", "no_answer", "failed"] as const)(
    "that ends with %s brings the caller back to the agent",
    async (outcome) => {
      await using rig = await setUp({ callee: () => ({ outcome }) });
      const { person, call, received } = await rig.callIn();
      const error: unknown = await rig.clock.runUntil(call.control.transfer("+15550111").catch((failure: unknown) => failure));
      expect(error).toBeInstanceOf(TransferError);
      expect(error).toMatchObject({ outcome });
      await rig.clock.advance(30_000);
      expect(received).toEqual([{ type: "restarted" }]);
      const audio = new Uint8Array(1600).fill(5);
      call.transport.send({ format: call.transport.format, bytes: audio });
      await rig.clock.advance(1000);
      expect(Buffer.compare(person.heard.audio, audio)).toBe(0);
      expect(person.status).toBe("in-progress");
      expect(person.errors).toEqual([]);
    },
  );

  test("whose caller hangs up while it rings is over for everyone", async () => {
    await using rig = await setUp({ callee: () => ({ ringMs: 20_000 }) });
    const { person, call, received } = await rig.callIn();
    const failed = expect(call.control.transfer("+15550111")).rejects.toThrow("it has ended");
    await rig.clock.advance(5000);
    person.hangUp();
    await rig.clock.advance(5000);
    await failed;
    expect(received).toEqual([{ type: "closed", reason: "caller" }]);
    expect(rig.emulator.calls[1]?.status).not.toBe("in-progress");
  });
});

describe("a call whose socket breaks", () => {
  test("goes on over another one", async () => {
    await using rig = await setUp();
    const { person, received } = await rig.callIn();
    person.dropSocket();
    await rig.clock.advance(30_000);
    expect(received).toEqual([{ type: "restarted" }]);
    expect(person.status).toBe("in-progress");
  });
});

describe("a call that the program ends", () => {
  test("is over for the caller even when the REST API does not answer", async () => {
    await using rig = await setUp();
    const { person, call } = await rig.callIn();
    rig.emulator.refuse("reset", "reset", "reset");
    await expect(rig.clock.runUntil(call.control.hangUp())).rejects.toThrow("the connection failed");
    expect(await rig.clock.runUntil(person.ended)).toBe("completed");
    expect(person.errors).toEqual([]);
  });
});

describe("webhooks that fail", () => {
  test("do no harm when they come twice", async () => {
    await using rig = await setUp({ webhookFault: () => "duplicate" });
    const { person, received } = await rig.callIn();
    await rig.clock.advance(5000);
    person.hangUp();
    await rig.clock.advance(10_000);
    expect(person.errors).toEqual([]);
    expect(received.filter(({ type }) => type === "closed")).toEqual([{ type: "closed", reason: "caller" }]);
  });
});

describe("keys that the agent presses", () => {
  test("reach the other side as tones", async () => {
    await using rig = await setUp();
    const { person, call } = await rig.callIn();
    await rig.clock.runUntil(call.control.sendDtmf("15"));
    expect(person.heard.durationMs).toBe(400);
  });
});

describe("a caller above the limit", () => {
  test("is told so, and the call is over", async () => {
    await using rig = await setUp({}, { maxConcurrentCalls: 1 });
    await rig.callIn();
    const second = rig.emulator.callIn();
    expect(await rig.clock.runUntil(second.ended)).toBe("busy");
  });
});

describe("a call that is placed", () => {
  test("is handed over with its reference when it is answered", async () => {
    await using rig = await setUp({ callee: () => ({ ringMs: 3000 }) });
    const dialling = await rig.dial();
    expect(await rig.clock.runUntil(dialling.outcome)).toEqual({ type: "answered" });
    const { value: call } = await rig.clock.runUntil(rig.calls.next());
    const [person] = rig.emulator.calls;
    expect(call).toMatchObject({
      callId: person?.sid,
      reference: "r-1",
      direction: "outbound",
      from: "+15550100",
      to: "+15550177",
    });
    await rig.clock.runUntil(dialling.hangUp());
    expect(await rig.clock.runUntil((person as NonNullable<typeof person>).ended)).toBe("completed");
  });

  test.each([
    ["busy", "busy"],
    ["no_answer", "no_answer"],
  ] as const)("comes to %s also when every report of it is lost", async (outcome, type) => {
    await using rig = await setUp({
      callee: () => ({ outcome }),
      webhookFault: ({ purpose }) => (purpose === "status" ? "lose" : undefined),
    });
    const dialling = await rig.dial();
    expect(await rig.clock.runUntil(dialling.outcome)).toMatchObject({ type });
    expect(rig.clock.now()).toBe(30_000);
  });

  test("waits as long as Twilio has it in its queue", async () => {
    await using rig = await setUp({ callsPerSecond: 0.01, callee: () => ({ outcome: "busy" }) });
    const first = await rig.dial();
    expect(await rig.clock.runUntil(first.outcome)).toMatchObject({ type: "busy" });
    const second = await rig.dial();
    expect(await rig.clock.runUntil(second.outcome)).toMatchObject({ type: "busy" });
    expect(rig.clock.now()).toBeGreaterThan(95_000);
  });

  test("has failed when Twilio does not say what became of it", async () => {
    await using rig = await setUp({ callee: () => ({ ringMs: 10_000_000 }), webhookFault: () => "lose" });
    const dialling = await rig.dial("+15550177", 600);
    rig.emulator.refuse(...Array.from({ length: 9 }, () => "reset" as const));
    expect(await rig.clock.runUntil(dialling.outcome)).toMatchObject({
      type: "failed",
      message: "Twilio does not say what became of the call.",
    });
  });

  test("is not placed twice when it is not known whether Twilio has taken it", async () => {
    await using rig = await setUp();
    rig.emulator.refuse("reset", "reset", "reset");
    await expect(rig.dial()).rejects.toThrow("Twilio could not place the call: the connection failed");
    expect(rig.emulator.requests.filter(({ path }) => path.endsWith("Calls.json"))).toHaveLength(1);
  });

  test("is over when the server closes", async () => {
    const rig = await setUp({ callee: () => ({ ringMs: 5000 }) });
    const dialling = await rig.dial();
    await rig[Symbol.asyncDispose]();
    expect(await dialling.outcome).toMatchObject({ type: "canceled" });
    expect(rig.clock.pendingTimers).toBe(0);
  });
});
