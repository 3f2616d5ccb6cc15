import { expect, test } from "vitest";
import { inMemory, PUBLIC_URL, rest, tone } from "../../../test/twilio/program.js";
import { readWav } from "../../audio/wav.js";
import { TwilioEmulator } from "../index.js";

const CALL = { To: "+15550123", From: "+15550100", Url: `${PUBLIC_URL}/voice` };

test.each([
  ["nobody to call", { ...CALL, To: "" }, 21201],
  ["no number to call", { ...CALL, To: "5550123" }, 21211],
  ["no caller", { ...CALL, From: "" }, 21213],
  ["no number of the caller", { ...CALL, From: "me" }, 21212],
  ["another's number", { ...CALL, From: "+15550999" }, 21210],
  ["no instructions", { To: CALL.To, From: CALL.From }, 21205],
  ["an address that is no web address", { ...CALL, Url: "ftp://agent.example" }, 21205],
  ["too long a time to ring", { ...CALL, Timeout: "601" }, 20001],
  ["too much TwiML", { ...CALL, Twiml: "x".repeat(4001) }, 20001],
])("a call with %s is refused as Twilio refuses it", async (_what, form, code) => {
  const { twilio } = await inMemory();
  await using _twilio = twilio;
  expect(await rest(twilio, "/Calls.json", form)).toMatchObject({
    status: 400,
    body: { status: 400, code, more_info: `https://www.twilio.com/docs/errors/${code}` },
  });
  expect(twilio.calls).toEqual([]);
});

test("credentials are asked for: those of the account, or an API key", async () => {
  const { twilio } = await inMemory({ apiKey: { sid: "SK1", secret: "secret" } });
  await using _twilio = twilio;
  const status = async (authorization?: string): Promise<number> => {
    const headers = authorization === undefined ? {} : { authorization };
    return (await twilio.fetch(`${twilio.url}/2010-04-01/Accounts/${twilio.accountSid}.json`, { headers })).status;
  };
  const basic = (user: string, password: string): string => `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  expect(await status(basic(twilio.accountSid, twilio.authToken))).toBe(200);
  expect(await status(basic("SK1", "secret"))).toBe(200);
  expect(await status(basic("SK1", "wrong"))).toBe(401);
  expect(await status(basic(twilio.accountSid, "wrong"))).toBe(401);
  expect(await status()).toBe(401);
});

test("what there is not is not found", async () => {
  const { twilio } = await inMemory();
  await using _twilio = twilio;
  const path = `/2010-04-01/Accounts/${twilio.accountSid}/Calls/CA1.json`;
  expect(await rest(twilio, "/Calls/CA1.json")).toMatchObject({
    status: 404,
    body: { code: 20404, message: `The requested resource ${path} was not found`, status: 404 },
  });
  expect(await rest(twilio, "/Messages.json", {})).toMatchObject({ status: 404, body: { code: 20404 } });
});

test("a call that is over cannot be redirected", async () => {
  const { clock, twilio } = await inMemory();
  await using _twilio = twilio;
  const call = twilio.callIn();
  await clock.advance(100);
  call.hangUp();
  await clock.runUntil(call.ended);
  expect(await rest(twilio, `/Calls/${call.sid}.json`, { Twiml: "<Response/>" })).toMatchObject({
    status: 400,
    body: { code: 21220 },
  });
});

test("the next requests are refused as the test says, one for each, and kept with their bodies", async () => {
  const { twilio } = await inMemory();
  await using _twilio = twilio;
  twilio.refuse({ status: 429, code: 20429, message: "Too Many Requests" }, "reset");
  expect(await rest(twilio, "/Calls.json", CALL)).toMatchObject({ status: 429, body: { code: 20429 } });
  await expect(rest(twilio, "/Calls.json", CALL)).rejects.toThrow("fetch failed");
  expect(await rest(twilio, "/Calls.json", CALL)).toMatchObject({ status: 201 });
  expect(twilio.requests.map(({ status, form }) => [status, form.get("To")])).toEqual([
    [429, "+15550123"],
    [undefined, "+15550123"],
    [201, "+15550123"],
  ]);
  expect(twilio.requests[0]?.body).toBe("To=%2B15550123&From=%2B15550100&Url=https%3A%2F%2Fagent.example%2Fvoice");
});

test("a number is found, and its webhook changed", async () => {
  const { clock, program, twilio } = await inMemory({ numbers: ["+15550100", "+15550101"] });
  await using _twilio = twilio;
  expect(() => twilio.callIn()).toThrow("No webhook answers +15550100");
  const { body } = await rest(twilio, "/IncomingPhoneNumbers.json?PhoneNumber=%2B15550101");
  const numbers = body["incoming_phone_numbers"] as { sid: string; phone_number: string; voice_url: string }[];
  expect(numbers).toMatchObject([{ phone_number: "+15550101", voice_url: "" }]);
  await rest(twilio, `/IncomingPhoneNumbers/${numbers[0]?.sid}.json`, {
    VoiceUrl: `${PUBLIC_URL}/voice?a=b`,
    VoiceMethod: "GET",
  });
  twilio.callIn({ to: "+15550101" });
  await clock.advance(0);
  const { searchParams } = new URL(program.requests[0]?.url ?? "");
  expect([searchParams.get("a"), searchParams.get("To")]).toEqual(["b", "+15550101"]);
});

test("a recording holds both sides, without what was paused", async () => {
  const { clock, program, twilio } = await inMemory();
  await using _twilio = twilio;
  const call = twilio.callIn();
  await clock.advance(20);
  const started = await rest(twilio, `/Calls/${call.sid}/Recordings.json`, {
    RecordingChannels: "dual",
    RecordingStatusCallback: `${PUBLIC_URL}/recording`,
    RecordingStatusCallbackEvent: "in-progress completed",
  });
  expect(started).toMatchObject({ status: 201, body: { status: "in-progress", channels: 2, source: "StartCallRecordingAPI" } });
  program.socket.play(tone(1000, 0x21));
  void call.say(tone(3000, 0x22));
  await clock.advance(1020);
  await rest(twilio, `/Calls/${call.sid}/Recordings/Twilio.CURRENT.json`, { Status: "paused" });
  await clock.advance(1000);
  const sid = String(started.body["sid"]);
  await rest(twilio, `/Calls/${call.sid}/Recordings/${sid}.json`, { Status: "in-progress" });
  await clock.advance(980);
  call.hangUp();
  await clock.runUntil(call.ended);
  await clock.advance(0);
  expect(program.forms("/recording")).toMatchObject([
    { RecordingStatus: "in-progress" },
    { RecordingStatus: "completed", RecordingDuration: "2", RecordingSid: sid, RecordingChannels: "2" },
  ]);
  const credentials = Buffer.from(`${twilio.accountSid}:${twilio.authToken}`).toString("base64");
  const response = await twilio.fetch(`${twilio.url}/2010-04-01/Accounts/${twilio.accountSid}/Recordings/${sid}.wav`, {
    headers: { authorization: `Basic ${credentials}` },
  });
  const wav = readWav(new Uint8Array(await response.arrayBuffer()));
  const loud = (channel: number): number => wav.samples(channel).filter((sample) => sample !== 0).length;
  expect([wav.channels, wav.samples().length, loud(1)]).toEqual([2, 16_000, 8000]);
  expect(loud(0)).toBe(16_000);
});

test("an option that there is not is refused", async () => {
  await expect(TwilioEmulator.start({ number: [] } as object)).rejects.toThrow(
    'There is no TwilioEmulator.start() option "number": did you mean "numbers"?',
  );
});
