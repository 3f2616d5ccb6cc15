import fc from "fast-check";
import twilioSdk from "twilio";
import { expect, test } from "vitest";
import { systemClock } from "../src/core/clock.js";
import { TwilioEmulator } from "../src/testing/index.js";
import { parseTwiml } from "../src/testing/twilio/twiml.js";
import { Program, PUBLIC_URL } from "../test/twilio/program.js";
import { serve } from "../test/twilio/serve.js";

const { VoiceResponse } = twilioSdk.twiml;

/** Twilio's own client, with every request led to the emulator. */
function clientOf(twilio: TwilioEmulator, authToken = twilio.authToken) {
  const httpClient = new twilioSdk.RequestClient();
  const request = httpClient.request.bind(httpClient);
  httpClient.request = (options) => request({ ...options, uri: options.uri.replace("https://api.twilio.com", twilio.url) });
  return twilioSdk(twilio.accountSid, authToken, { httpClient });
}

test("Twilio's client places, fetches, lists, redirects and ends a call", async () => {
  const program = new Program(systemClock);
  await using server = await serve(program);
  await using twilio = await TwilioEmulator.start({ callee: () => ({ ringMs: 20 }) });
  twilio.route(PUBLIC_URL, server.url);
  const client = clientOf(twilio);
  const placed = await client.calls.create({
    to: "+15550123",
    from: "+15550100",
    url: `${PUBLIC_URL}/voice`,
    statusCallback: `${PUBLIC_URL}/status`,
    statusCallbackEvent: ["initiated", "ringing", "answered", "completed"],
  });
  expect(placed).toMatchObject({ status: "queued", direction: "outbound-api", to: "+15550123", from: "+15550100" });
  const call = await twilio.nextCall();
  await call.streaming();
  expect((await client.calls(placed.sid).fetch()).status).toBe("in-progress");
  expect((await client.calls.list({ status: "in-progress" })).map(({ sid }) => sid)).toEqual([placed.sid]);
  const goodbye = new VoiceResponse();
  goodbye.pause({ length: 0 });
  goodbye.redirect({ method: "POST" }, `${PUBLIC_URL}/again`);
  program.answers.set(
    "/again",
    new VoiceResponse().toString().replace("<Response/>", "<Response><Pause length='60'/></Response>"),
  );
  await client.calls(placed.sid).update({ twiml: goodbye });
  await call.until((event) => event.type === "verb" && event.detail === "60 s");
  expect((await client.calls(placed.sid).update({ status: "completed" })).sid).toBe(placed.sid);
  expect(await call.ended).toBe("completed");
  const ended = await client.calls(placed.sid).fetch();
  expect(ended.startTime).toBeInstanceOf(Date);
  expect(ended).toMatchObject({ status: "completed", duration: expect.stringMatching(/^\d+$/) });
  expect(program.forms("/status").map(({ CallStatus }) => CallStatus)).toEqual([
    "initiated",
    "ringing",
    "in-progress",
    "completed",
  ]);
});

test("Twilio's validator accepts every request that the emulator made, and none that was changed", async () => {
  const program = new Program(systemClock);
  await using server = await serve(program);
  await using twilio = await TwilioEmulator.start({
    numbers: [{ phoneNumber: "+15550100", voiceUrl: `${PUBLIC_URL}/voice?a=b&c=d%20e`, statusCallback: `${PUBLIC_URL}/status` }],
  });
  twilio.route(PUBLIC_URL, server.url);
  const call = twilio.callIn();
  await call.streaming();
  call.hangUp();
  await call.ended;
  expect(program.requests.map(({ url }) => url)).toEqual([`${PUBLIC_URL}/voice?a=b&c=d%20e`, `${PUBLIC_URL}/status`]);
  for (const { url, headers, form } of program.requests) {
    const signature = headers.get("x-twilio-signature") ?? "";
    const fields = Object.fromEntries(form);
    expect(twilioSdk.validateRequest(twilio.authToken, signature, url, fields)).toBe(true);
    expect(twilioSdk.validateRequest(twilio.authToken, signature, url, { ...fields, From: "+15550124" })).toBe(false);
    expect(twilioSdk.validateRequest(twilio.authToken, signature, `${url}x`, fields)).toBe(false);
  }
  const signature = program.upgrades[0]?.headers.get("x-twilio-signature") ?? "";
  expect(twilioSdk.validateRequest(twilio.authToken, signature, "wss://agent.example/media", {})).toBe(true);
  expect(twilioSdk.validateRequest(twilio.authToken, signature, "wss://agent.example/other", {})).toBe(false);
});

test("Twilio's client reads the errors of the emulator", async () => {
  await using twilio = await TwilioEmulator.start();
  const client = clientOf(twilio);
  await expect(client.calls(`CA${"0".repeat(32)}`).fetch()).rejects.toMatchObject({ status: 404, code: 20404 });
  await expect(client.calls.create({ to: "123", from: "+15550100", twiml: "<Response/>" })).rejects.toMatchObject({
    status: 400,
    code: 21211,
  });
  await expect(clientOf(twilio, "wrong").calls.list()).rejects.toMatchObject({ status: 401, code: 20003 });
  twilio.refuse({ status: 429, code: 20429, message: "Too Many Requests" });
  await expect(client.calls.list()).rejects.toMatchObject({ status: 429, code: 20429 });
});

test("Twilio's client finds a number, changes its webhook, and records a call", async () => {
  const program = new Program(systemClock);
  await using server = await serve(program);
  await using twilio = await TwilioEmulator.start({ numbers: ["+15550100", "+15550101"] });
  twilio.route(PUBLIC_URL, server.url);
  const client = clientOf(twilio);
  const [number] = await client.incomingPhoneNumbers.list({ phoneNumber: "+15550101" });
  expect(number).toMatchObject({ phoneNumber: "+15550101", capabilities: { voice: true } });
  const updated = await client.incomingPhoneNumbers(number?.sid ?? "").update({ voiceUrl: `${PUBLIC_URL}/voice` });
  expect(updated.voiceUrl).toBe(`${PUBLIC_URL}/voice`);
  const call = twilio.callIn({ to: "+15550101" });
  await call.streaming();
  const recording = await client.calls(call.sid).recordings.create({ recordingChannels: "dual" });
  expect(recording).toMatchObject({ status: "in-progress", channels: 2, callSid: call.sid });
  expect((await client.calls(call.sid).recordings(recording.sid).update({ status: "stopped" })).status).toBe("completed");
  expect((await client.calls(call.sid).recordings.list()).map(({ sid }) => sid)).toEqual([recording.sid]);
});

test("whatever text Twilio's VoiceResponse writes is read back", () => {
  // What XML has no way to write is left out: control characters and halves of surrogate pairs.
  const text = fc.string({ unit: "grapheme" }).filter((value) => !/\p{Cc}|\p{Cs}|[\uFFFE\uFFFF]/u.test(value));
  fc.assert(
    fc.property(text, text, (said, parameter) => {
      const answer = new VoiceResponse();
      answer.say(said);
      answer.connect().stream({ url: "wss://agent.example/media" }).parameter({ name: "a", value: parameter });
      expect(parseTwiml(answer.toString())).toEqual([
        { verb: "Say", text: said.trim() },
        { verb: "Connect", stream: { url: "wss://agent.example/media", parameters: { a: parameter } } },
      ]);
    }),
  );
});

test("what Twilio's VoiceResponse writes is understood", async () => {
  const program = new Program(systemClock);
  await using server = await serve(program);
  await using twilio = await TwilioEmulator.start({ numbers: [{ phoneNumber: "+15550100", voiceUrl: `${PUBLIC_URL}/voice` }] });
  twilio.route(PUBLIC_URL, server.url);
  const answer = new VoiceResponse();
  const connect = answer.connect({ action: "/after", method: "GET" });
  const stream = connect.stream({ url: "wss://agent.example/media", name: "agent", statusCallback: `${PUBLIC_URL}/stream` });
  stream.parameter({ name: "quote", value: `"Tom" & <Jerry> 'é'` });
  const after = new VoiceResponse();
  after.say({ voice: "alice" }, "Bye & thanks");
  after.play({ digits: "1w2" });
  const dial = after.dial({ callerId: "+15550100", timeout: 5, answerOnBridge: true });
  dial.number({ statusCallback: `${PUBLIC_URL}/leg`, statusCallbackEvent: ["answered", "completed"] }, "+15550777");
  after.hangup();
  program.answers.set("/voice", answer.toString());
  program.answers.set("/after", after.toString());
  const call = twilio.callIn();
  await call.streaming();
  await program.socket.until(() => program.socket.of("start").length > 0);
  expect(program.socket.of("start")[0]).toMatchObject({ start: { customParameters: { quote: `"Tom" & <Jerry> 'é'` } } });
  program.socket.close();
  const dialled = await call.until((event) => event.type === "verb" && event.verb === "Dial");
  expect(dialled).toMatchObject({ detail: "+15550777" });
  const [, leg] = twilio.calls;
  await leg?.until((event) => event.type === "status" && event.status === "in-progress");
  leg?.hangUp();
  expect(await call.ended).toBe("completed");
  expect(call.errors).toEqual([]);
  const verbs = call.events.flatMap((event) => (event.type === "verb" ? [event.verb] : []));
  expect(verbs).toEqual(["Connect", "Say", "Play", "Dial", "Hangup"]);
});
