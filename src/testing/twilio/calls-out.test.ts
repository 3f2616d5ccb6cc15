import { expect, test } from "vitest";
import { CONNECT, inMemory, PUBLIC_URL, rest, tone } from "../../../test/twilio/program.js";
import type { TwilioCallee, TwilioEmulator } from "../index.js";

const ALL_EVENTS = ["initiated", "ringing", "answered", "completed"];

function place(twilio: TwilioEmulator, fields: Readonly<Record<string, string>> = {}, events: readonly string[] = ALL_EVENTS) {
  const form = {
    To: "+15550123",
    From: "+15550100",
    Url: `${PUBLIC_URL}/voice`,
    StatusCallback: `${PUBLIC_URL}/status`,
    ...fields,
  };
  return rest(twilio, "/Calls.json", [
    ...Object.entries(form),
    ...events.map((event) => ["StatusCallbackEvent", event] as const),
  ]);
}

/** Places a call to someone who behaves so, and waits until it is over. */
async function outcome(callee: TwilioCallee, fields: Readonly<Record<string, string>> = {}) {
  const { clock, program, twilio } = await inMemory({ callee: () => callee });
  await using _twilio = twilio;
  await place(twilio, fields);
  const call = await twilio.nextCall();
  const status = await clock.runUntil(call.ended);
  const { body } = await rest(twilio, `/Calls/${call.sid}.json`);
  return { status, atMs: clock.now(), reports: program.forms("/status"), timers: clock.pendingTimers, body };
}

test("an answered call reports its progress in order and follows its instructions", async () => {
  const { clock, program, twilio } = await inMemory({ callee: () => ({ ringMs: 3000 }) });
  await using _twilio = twilio;
  const placed = await place(twilio);
  expect(placed).toMatchObject({ status: 201, body: { status: "queued", direction: "outbound-api", to: "+15550123" } });
  const call = await twilio.nextCall();
  await clock.runUntil(call.streaming());
  expect(clock.now()).toBe(3000);
  expect(program.forms("/voice")).toEqual([expect.objectContaining({ CallStatus: "in-progress", Direction: "outbound-api" })]);
  await clock.advance(61_000);
  call.hangUp();
  await clock.runUntil(call.ended);
  expect(program.forms("/status").map(({ CallStatus, SequenceNumber }) => [CallStatus, SequenceNumber])).toEqual([
    ["initiated", "0"],
    ["ringing", "1"],
    ["in-progress", "2"],
    ["completed", "3"],
  ]);
  expect(program.forms("/status").at(-1)).toMatchObject({
    CallDuration: "61",
    Duration: "2",
    CallbackSource: "call-progress-events",
  });
});

test.each<[TwilioCallee, string, number]>([
  [{ outcome: "busy", ringMs: 2000 }, "busy", 2000],
  [{ outcome: "failed", sipResponseCode: 404 }, "failed", 0],
  [{ outcome: "no_answer" }, "no-answer", 20_000],
  [{ ringMs: 25_000 }, "no-answer", 20_000],
])("someone who is %j ends the call as %s", async (callee, status, atMs) => {
  const result = await outcome(callee, { Timeout: "20" });
  expect(result).toMatchObject({ status, atMs, timers: 0, body: { status, duration: null } });
  const code = { busy: "486", failed: "404", "no-answer": "487" }[status];
  expect(result.reports.at(-1)).toMatchObject({ CallStatus: status, CallDuration: "0", SipResponseCode: code });
});

test("only the end is reported where no events are asked for", async () => {
  const { clock, program, twilio } = await inMemory();
  await using _twilio = twilio;
  await place(twilio, { Url: "", Twiml: "<Response><Pause/></Response>" }, []);
  await clock.runUntil((await twilio.nextCall()).ended);
  expect(program.forms("/status").map(({ CallStatus }) => CallStatus)).toEqual(["completed"]);
});

test.each([
  ["canceled", "ringing"],
  ["completed", "ringing"],
])("a call that rings is canceled by the status %s", async (status) => {
  const { clock, program, twilio } = await inMemory({ callee: () => ({ outcome: "no_answer" }) });
  await using _twilio = twilio;
  await place(twilio);
  const call = await twilio.nextCall();
  await clock.advance(4000);
  expect(call.status).toBe("ringing");
  await rest(twilio, `/Calls/${call.sid}.json`, { Status: status });
  expect(await clock.runUntil(call.ended)).toBe("canceled");
  expect(program.forms("/status").at(-1)).toMatchObject({ CallStatus: "canceled" });
});

test("the REST API hangs up", async () => {
  const { clock, program, twilio } = await inMemory();
  await using _twilio = twilio;
  await place(twilio);
  const call = await twilio.nextCall();
  await clock.advance(100);
  await rest(twilio, `/Calls/${call.sid}.json`, { Status: "completed" });
  expect(await clock.runUntil(call.ended)).toBe("completed");
  expect(program.socket.received.at(-1)?.event).toBe("stop");
});

test("calls leave one in a second; the rest waits in the queue", async () => {
  const { clock, twilio } = await inMemory();
  await using _twilio = twilio;
  for (let i = 0; i < 3; i++) await place(twilio);
  await clock.advance(5000);
  const startedMs = twilio.calls.map(
    (call) => call.events.find((event) => event.type === "status" && event.status === "initiated")?.atMs,
  );
  expect(startedMs).toEqual([0, 1000, 2000]);
});

test("a machine is reported beside the call where it is asked for", async () => {
  const { clock, program, twilio } = await inMemory({
    callee: () => ({ answeredBy: "machine_end_beep", detectionMs: 4000, greeting: tone(3000) }),
  });
  await using _twilio = twilio;
  await place(twilio, { MachineDetection: "DetectMessageEnd", AsyncAmd: "true", AsyncAmdStatusCallback: `${PUBLIC_URL}/amd` });
  const call = await twilio.nextCall();
  await clock.advance(3999);
  expect(program.forms("/amd")).toEqual([]);
  expect(call.said.durationMs).toBe(3000);
  await clock.advance(1);
  expect(program.forms("/amd")).toEqual([
    { AccountSid: twilio.accountSid, AnsweredBy: "machine_end_beep", CallSid: call.sid, MachineDetectionDuration: "4000" },
  ]);
});

test("a machine that nobody is told of is in the call's resource", async () => {
  const { clock, twilio } = await inMemory({ callee: () => ({ answeredBy: "machine_start" }) });
  await using _twilio = twilio;
  await place(twilio, { MachineDetection: "Enable", AsyncAmd: "true" });
  const call = await twilio.nextCall();
  await clock.runUntil(call.streaming());
  expect(clock.now()).toBe(0);
  await clock.advance(1000);
  expect(await rest(twilio, `/Calls/${call.sid}.json`)).toMatchObject({ body: { answered_by: "machine_start" } });
});

test("a machine holds the instructions back unless it is detected beside the call", async () => {
  const { clock, program, twilio } = await inMemory({ callee: () => ({ answeredBy: "machine_start", detectionMs: 2500 }) });
  await using _twilio = twilio;
  await place(twilio, { MachineDetection: "Enable" });
  await clock.advance(2499);
  expect(program.forms("/voice")).toEqual([]);
  await clock.advance(1);
  expect(program.forms("/voice")).toEqual([expect.objectContaining({ AnsweredBy: "machine_start" })]);
});

test("keys that are sent keep a machine from being detected, and take their time", async () => {
  const { clock, program, twilio } = await inMemory();
  await using _twilio = twilio;
  await place(twilio, { MachineDetection: "Enable", SendDigits: "ww12" });
  await clock.advance(1399);
  expect(program.forms("/voice")).toEqual([]);
  await clock.advance(1);
  expect(program.forms("/voice")[0]).not.toHaveProperty("AnsweredBy");
});

test("who waits for calls gets them in the order they were placed", async () => {
  const { twilio } = await inMemory();
  await using _twilio = twilio;
  const waiting = [twilio.nextCall(), twilio.nextCall()];
  await place(twilio, { To: "+15550121" });
  await place(twilio, { To: "+15550122" });
  expect((await Promise.all(waiting)).map(({ to }) => to)).toEqual(["+15550121", "+15550122"]);
});

test("a call ends at its time limit", async () => {
  const { clock, twilio } = await inMemory();
  await using _twilio = twilio;
  await place(twilio, { TimeLimit: "30" });
  await clock.runUntil((await twilio.nextCall()).ended);
  expect(clock.now()).toBe(30_000);
});

test("who is dialled hears the caller, is heard, and leaves the call to the action", async () => {
  const { clock, program, twilio } = await inMemory({
    callee: ({ to }) => (to === "+15550777" ? { greeting: tone(100, 0x31) } : {}),
  });
  await using _twilio = twilio;
  program.answers.set("/voice", `<Response><Dial action="/dialled" timeout="20"><Number>+15550777</Number></Dial></Response>`);
  program.answers.set("/dialled", "<Response><Say>Back</Say></Response>");
  const call = twilio.callIn({ audio: tone(100, 0x32) });
  await clock.advance(1000);
  const other = twilio.calls[1];
  expect(other?.heard.audio).toEqual(Buffer.from(tone(100, 0x32)));
  expect(call.heard.audio).toEqual(Buffer.from(tone(100, 0x31)));
  other?.hangUp();
  await clock.runUntil(call.ended);
  expect(program.forms("/dialled")).toEqual([
    expect.objectContaining({ DialCallStatus: "completed", DialCallDuration: "1", DialBridged: "true", DialCallSid: other?.sid }),
  ]);
});

test("the action of a dial learns that nobody took the call", async () => {
  const { clock, program, twilio } = await inMemory({ callee: () => ({ outcome: "busy" }) });
  await using _twilio = twilio;
  program.answers.set("/voice", `<Response><Dial action="/dialled">+15550777</Dial></Response>`);
  program.answers.set("/dialled", CONNECT);
  const call = twilio.callIn();
  await clock.runUntil(call.streaming());
  expect(program.forms("/dialled")).toEqual([expect.objectContaining({ DialCallStatus: "busy", DialBridged: "false" })]);
});

test("a caller who hangs up while somebody is dialled ends both calls", async () => {
  const { clock, program, twilio } = await inMemory({ callee: () => ({ ringMs: 5000 }) });
  await using _twilio = twilio;
  program.answers.set("/voice", "<Response><Dial action='/dialled'>+15550777</Dial></Response>");
  const call = twilio.callIn();
  await clock.advance(1000);
  call.hangUp();
  await clock.runUntil(call.ended);
  expect(twilio.calls.map(({ status }) => status)).toEqual(["completed", "canceled"]);
  expect(program.forms("/dialled")).toEqual([expect.objectContaining({ CallStatus: "completed", DialCallStatus: "canceled" })]);
  expect(clock.pendingTimers).toBe(0);
});
