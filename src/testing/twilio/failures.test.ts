import { expect, test } from "vitest";
import { inMemory, PUBLIC_URL, rest, tone } from "../../../test/twilio/program.js";

test("marks are lost, doubled and late as they are told to be", async () => {
  const { clock, program, twilio } = await inMemory({
    markFault: (name) =>
      name === "late" ? { delayMs: 500 } : name === "lost" ? "lose" : name === "twice" ? "duplicate" : undefined,
  });
  await using _twilio = twilio;
  twilio.callIn();
  await clock.advance(20);
  program.socket.play(tone(20));
  for (const name of ["late", "lost", "twice", "plain"]) program.socket.mark(name);
  await clock.advance(500);
  expect(program.socket.of("mark").map(({ mark }) => (mark as { name: string }).name)).toEqual(["twice", "twice", "plain"]);
  await clock.advance(100);
  expect(program.socket.of("mark").map(({ mark }) => (mark as { name: string }).name)).toEqual([
    "twice",
    "twice",
    "plain",
    "late",
  ]);
});

test("status reports are doubled with one idempotency token, lost, and overtaken", async () => {
  const faults = { initiated: "duplicate", ringing: { delayMs: 3000 }, "in-progress": "lose", completed: undefined } as const;
  const { clock, program, twilio } = await inMemory({
    webhookFault: ({ purpose, form }) => (purpose === "status" ? faults[form["CallStatus"] as keyof typeof faults] : undefined),
  });
  await using _twilio = twilio;
  await rest(twilio, "/Calls.json", [
    ["To", "+15550123"],
    ["From", "+15550100"],
    ["Twiml", "<Response><Pause length='2'/></Response>"],
    ["StatusCallback", `${PUBLIC_URL}/status`],
    ["StatusCallbackEvent", "initiated ringing answered completed"],
  ]);
  const call = await twilio.nextCall();
  await clock.runUntil(call.ended);
  await clock.advance(2000);
  const arrived = program.requests.filter(({ url }) => url.endsWith("/status"));
  expect(arrived.map(({ form, atMs }) => [form.get("CallStatus"), atMs])).toEqual([
    ["initiated", 0],
    ["initiated", 0],
    ["completed", 2000],
    ["ringing", 3000],
  ]);
  const [first, second] = arrived.map(({ headers }) => headers.get("i-twilio-idempotency-token"));
  expect(first).toBe(second);
});

test("a socket that breaks sends no stop, and the call goes on", async () => {
  const { clock, program, twilio } = await inMemory();
  await using _twilio = twilio;
  const call = twilio.callIn();
  await clock.advance(100);
  call.dropSocket();
  expect(await clock.runUntil(call.ended)).toBe("completed");
  expect(program.socket.of("stop")).toEqual([]);
  expect(call.events).toContainEqual(expect.objectContaining({ type: "stream_stopped", by: "lost" }));
});

test("a stalled socket takes nothing until it goes on", async () => {
  const { clock, program, twilio } = await inMemory();
  await using _twilio = twilio;
  const call = twilio.callIn();
  await clock.advance(20);
  call.stallSocket(true);
  program.socket.play(tone(100));
  await clock.advance(500);
  expect(call.heard.durationMs).toBe(0);
  call.stallSocket(false);
  await clock.advance(500);
  expect(call.heard.durationMs).toBe(100);
});

test("what is no message of Media Streams is an error of the call", async () => {
  const { clock, program, twilio } = await inMemory();
  await using _twilio = twilio;
  const call = twilio.callIn();
  await clock.advance(20);
  program.socket.sendRaw("hello");
  program.socket.send({ event: "speak", streamSid: program.socket.streamSid });
  program.socket.send({ event: "clear", streamSid: "MZ0" });
  program.socket.send({ event: "media", streamSid: program.socket.streamSid, media: { payload: "*" } });
  program.socket.send({ event: "clear", streamSid: program.socket.streamSid, sequenceNumber: "1" });
  program.socket.send({ event: "mark", streamSid: program.socket.streamSid, mark: {} });
  program.socket.sendRaw(new Uint8Array(3));
  await clock.advance(20);
  expect(call.status).toBe("in-progress");
  expect(call.errors).toEqual([
    "31951: This is no JSON object: hello",
    '31951: There is no message of the event "speak" to Twilio.',
    expect.stringContaining("31951: The streamSid MZ0 is not this stream's"),
    "31951: media.payload is no base64.",
    '31951: There is no field "sequenceNumber" in such a message.',
    "31951: mark.name is missing.",
    "31950: A binary message came; Media Streams has text messages only.",
  ]);
});

test("a fallback answers where the instructions fail, and learns why", async () => {
  const { clock, program, twilio } = await inMemory({
    numbers: [{ phoneNumber: "+15550100", voiceUrl: `${PUBLIC_URL}/broken`, voiceFallbackUrl: `${PUBLIC_URL}/voice` }],
  });
  await using _twilio = twilio;
  program.answers.set("/broken", () => new Response("", { status: 500 }));
  const call = twilio.callIn();
  await clock.runUntil(call.streaming());
  expect(program.forms("/voice")).toEqual([expect.objectContaining({ ErrorCode: "11200", ErrorUrl: `${PUBLIC_URL}/broken` })]);
  expect(call.errors).toEqual([`11200: ${PUBLIC_URL}/broken answered 500 instead of instructions.`]);
});

test("who waits for what does not happen learns how the call ended", async () => {
  const { clock, program, twilio } = await inMemory();
  await using _twilio = twilio;
  program.answers.set("/voice", "<Response><Reject reason='busy'/></Response>");
  const call = twilio.callIn();
  await expect(clock.runUntil(call.streaming())).rejects.toThrow("The call ended as busy before that happened.");
});

test("closing the emulator ends every call and leaves no timer", async () => {
  const { clock, program, twilio } = await inMemory();
  twilio.callIn();
  await clock.advance(100);
  await twilio[Symbol.asyncDispose]();
  expect(program.socket.isClosed).toBe(true);
  expect(clock.pendingTimers).toBe(0);
});
