import { expect, test } from "vitest";
import { readWav } from "../../audio/wav.js";
import { CONNECT, inMemory, PUBLIC_URL, rest, tone } from "../../../test/twilio/program.js";

test("a call in asks the number's webhook, and connects with the media socket that it names", async () => {
  const { clock, program, twilio } = await inMemory();
  await using _twilio = twilio;
  const call = twilio.callIn({ from: "+15550123" });
  await clock.runUntil(call.streaming());
  expect(program.forms("/voice")).toEqual([
    expect.objectContaining({
      CallSid: call.sid,
      From: "+15550123",
      To: "+15550100",
      CallStatus: "ringing",
      Direction: "inbound",
    }),
  ]);
  expect(program.upgrades[0]?.url).toBe(`${PUBLIC_URL}/media`);
  expect(call.status).toBe("in-progress");
  const start = program.socket.of("start")[0];
  expect(start).toMatchObject({
    sequenceNumber: "1",
    start: { callSid: call.sid, tracks: ["inbound"], mediaFormat: { encoding: "audio/x-mulaw", sampleRate: 8000, channels: 1 } },
  });
});

test("what the caller says comes in frames of 20 ms, silence between, numbered as strings", async () => {
  const { clock, program, twilio } = await inMemory();
  await using _twilio = twilio;
  const call = twilio.callIn({ audio: tone(50) });
  await clock.advance(100);
  const media = program.socket.of("media").map((message) => message["media"] as Record<string, string>);
  expect(media.map(({ chunk, timestamp }) => [chunk, timestamp])).toEqual([
    ["1", "0"],
    ["2", "20"],
    ["3", "40"],
    ["4", "60"],
    ["5", "80"],
  ]);
  const bytes = Buffer.concat(media.map(({ payload = "" }) => Buffer.from(payload, "base64")));
  expect(bytes).toEqual(Buffer.concat([tone(50), tone(50, 0xff)]));
  expect(program.socket.of("media").map(({ sequenceNumber }) => sequenceNumber)).toEqual(["2", "3", "4", "5", "6"]);
  expect(call.said.segments).toEqual([{ startMs: 0, endMs: 50, audio: Buffer.from(tone(50)) }]);
});

test("a mark comes back when everything before it was played, and at once when there is nothing", async () => {
  const { clock, program, twilio } = await inMemory();
  await using _twilio = twilio;
  const call = twilio.callIn();
  await clock.advance(20);
  program.socket.mark("nothing");
  program.socket.play(tone(50));
  program.socket.mark("end");
  await clock.advance(0);
  expect(program.socket.of("mark")).toHaveLength(1);
  await clock.advance(60);
  expect(program.socket.of("mark")).toHaveLength(1);
  await clock.advance(20);
  expect(program.socket.of("mark").map(({ mark }) => mark)).toEqual([{ name: "nothing" }, { name: "end" }]);
  expect(call.heard.segments).toEqual([{ startMs: 40, endMs: 90, audio: Buffer.from(tone(50)) }]);
  expect(call.events.filter(({ type }) => type.startsWith("playout"))).toEqual([
    { type: "playout_started", atMs: 40 },
    { type: "playout_ended", atMs: 100 },
  ]);
});

test("a clear empties what was not yet played, and returns its marks", async () => {
  const { clock, program, twilio } = await inMemory();
  await using _twilio = twilio;
  const call = twilio.callIn();
  await clock.advance(20);
  program.socket.play(tone(1000));
  program.socket.mark("end");
  await clock.advance(200);
  program.socket.clear();
  await clock.advance(500);
  expect(call.heard.durationMs).toBe(200);
  expect(program.socket.of("mark")).toHaveLength(1);
  expect(call.events.filter(({ type }) => type === "mark" || type === "clear")).toEqual([
    { type: "clear", droppedBytes: 6400, atMs: 220 },
    { type: "mark", name: "end", outcome: "cleared", atMs: 220 },
  ]);
});

test("audio that follows a clear is heard", async () => {
  const { clock, program, twilio } = await inMemory();
  await using _twilio = twilio;
  const call = twilio.callIn();
  await clock.advance(20);
  program.socket.play(tone(100, 0x20));
  program.socket.clear();
  program.socket.play(tone(100, 0x30));
  await clock.advance(500);
  expect(call.heard.audio).toEqual(Buffer.from(tone(100, 0x30)));
});

test("keys come as messages of their own", async () => {
  const { clock, program, twilio } = await inMemory();
  await using _twilio = twilio;
  const call = twilio.callIn();
  await clock.advance(20);
  call.press("1#");
  await clock.advance(0);
  expect(program.socket.of("dtmf").map(({ dtmf }) => dtmf)).toEqual([
    { track: "inbound_track", digit: "1" },
    { track: "inbound_track", digit: "#" },
  ]);
  expect(() => call.press("x")).toThrow(`There is no key "x" on a telephone`);
});

test("a caller who hangs up ends the stream with a stop, and the call as completed", async () => {
  const { clock, program, twilio } = await inMemory();
  await using _twilio = twilio;
  const call = twilio.callIn();
  await clock.advance(1500);
  call.hangUp();
  expect(await clock.runUntil(call.ended)).toBe("completed");
  expect(program.socket.received.at(-1)).toMatchObject({ event: "stop", stop: { callSid: call.sid } });
  expect(program.socket.isClosed).toBe(true);
  expect(program.forms("/status")).toEqual([expect.objectContaining({ CallStatus: "completed", CallDuration: "2" })]);
  expect(clock.pendingTimers).toBe(0);
});

test("a caller who hangs up before the instructions have come was never answered", async () => {
  const { clock, program, twilio } = await inMemory();
  await using _twilio = twilio;
  program.answers.set("/voice", () => new Promise(() => {}));
  const call = twilio.callIn();
  await clock.advance(1000);
  call.hangUp();
  expect(await clock.runUntil(call.ended)).toBe("no-answer");
});

test("when the program closes the socket the call goes on with the next verb, and ends after the last", async () => {
  const { clock, program, twilio } = await inMemory();
  await using _twilio = twilio;
  program.answers.set("/voice", CONNECT.replace("</Response>", "<Pause length='2'/></Response>"));
  const call = twilio.callIn();
  await clock.advance(100);
  program.socket.close();
  await clock.advance(0);
  expect(call.status).toBe("in-progress");
  expect(call.events.at(-1)).toMatchObject({ type: "verb", verb: "Pause", atMs: 100 });
  expect(await clock.runUntil(call.ended)).toBe("completed");
  expect(clock.now()).toBe(2100);
});

test("a pause before anything else delays the answer", async () => {
  const { clock, program, twilio } = await inMemory();
  await using _twilio = twilio;
  program.answers.set("/voice", CONNECT.replace("<Response>", "<Response><Pause length='3'/>"));
  const call = twilio.callIn();
  await clock.advance(2999);
  expect(call.status).toBe("ringing");
  await clock.advance(1);
  expect(call.status).toBe("in-progress");
});

test("parameters of the stream come with its start", async () => {
  const { clock, program, twilio } = await inMemory();
  await using _twilio = twilio;
  program.answers.set(
    "/voice",
    `<Response><Connect><Stream url="wss://agent.example/media"><Parameter name="a" value="1 &amp; 2"/></Stream></Connect></Response>`,
  );
  twilio.callIn();
  await clock.advance(0);
  expect(program.socket.of("start")[0]).toMatchObject({ start: { customParameters: { a: "1 & 2" } } });
});

test("a stream reports its start and its end, where it is asked to", async () => {
  const { clock, program, twilio } = await inMemory();
  await using _twilio = twilio;
  const stream = `<Stream name="a" statusCallback="/stream" url="wss://agent.example/media"/>`;
  program.answers.set("/voice", `<Response><Connect>${stream}</Connect></Response>`);
  const call = twilio.callIn();
  await clock.advance(100);
  const { streamSid } = program.socket;
  call.hangUp();
  await clock.runUntil(call.ended);
  await clock.advance(0);
  expect(program.forms("/stream")).toMatchObject([
    { StreamEvent: "stream-started", StreamSid: streamSid, StreamName: "a", CallSid: call.sid },
    { StreamEvent: "stream-stopped", StreamSid: streamSid, StreamName: "a", CallSid: call.sid },
  ]);
});

test("the whole call can be kept as a WAV file, the caller left and the agent right", async () => {
  const { clock, program, twilio } = await inMemory();
  await using _twilio = twilio;
  const call = twilio.callIn({ audio: tone(40, 0x22) });
  await clock.advance(100);
  program.socket.play(tone(40, 0x21));
  await clock.advance(200);
  const wav = readWav(call.recording());
  expect([wav.channels, wav.samples().length]).toEqual([2, 2400]);
  const loudMs = (channel: number): number[] => {
    const loud = [...wav.samples(channel).keys()].filter((index) => wav.samples(channel)[index] !== 0);
    return [Math.min(...loud) / 8, (Math.max(...loud) + 1) / 8];
  };
  expect([loudMs(0), loudMs(1)]).toEqual([
    [0, 40],
    [120, 160],
  ]);
});

test("a refused media socket is an error of the call, which goes on with the next verb", async () => {
  const { clock, program, twilio } = await inMemory();
  await using _twilio = twilio;
  program.refuses = 403;
  const call = twilio.callIn();
  await clock.runUntil(call.ended);
  expect(call.errors).toEqual(["31920: The media socket was refused with status 403: not now."]);
  expect(call.status).toBe("completed");
});

test("a restarted stream has a sid of its own, and what was queued is lost", async () => {
  const { clock, program, twilio } = await inMemory();
  await using _twilio = twilio;
  const call = twilio.callIn();
  await clock.advance(20);
  program.socket.play(tone(1000));
  await clock.advance(100);
  call.restartStream();
  await clock.advance(500);
  const [first, second] = program.sockets;
  expect(first?.received.at(-1)?.event).toBe("stop");
  expect(second?.of("start")[0]).toMatchObject({ sequenceNumber: "1" });
  expect(second?.streamSid).not.toBe(first?.streamSid);
  expect(call.heard.durationMs).toBe(100);
});

test("a redirect by the REST API leaves the stream for other instructions", async () => {
  const { clock, program, twilio } = await inMemory();
  await using _twilio = twilio;
  const call = twilio.callIn();
  await clock.advance(20);
  const { status } = await rest(twilio, `/Calls/${call.sid}.json`, { Twiml: "<Response><Say>Goodbye</Say><Hangup/></Response>" });
  expect(status).toBe(200);
  expect(await clock.runUntil(call.ended)).toBe("completed");
  expect(program.socket.of("stop")).toHaveLength(1);
  expect(call.events.filter(({ type }) => type === "verb")).toMatchObject([
    { verb: "Connect" },
    { verb: "Say", detail: "Goodbye" },
    { verb: "Hangup" },
  ]);
});

test("a redirect to an address asks it for instructions", async () => {
  const { clock, program, twilio } = await inMemory();
  await using _twilio = twilio;
  program.answers.set("/again", "<Response><Pause length='60'/></Response>");
  const call = twilio.callIn();
  await clock.advance(20);
  await rest(twilio, `/Calls/${call.sid}.json`, { Url: `${PUBLIC_URL}/again` });
  await clock.advance(0);
  expect(program.forms("/again")).toEqual([expect.objectContaining({ CallSid: call.sid, CallStatus: "in-progress" })]);
  expect(call.events.at(-1)).toMatchObject({ type: "verb", verb: "Pause" });
});

test("instructions that do not come in time are an error, and the call is over", async () => {
  const { clock, program, twilio } = await inMemory();
  await using _twilio = twilio;
  program.answers.set("/voice", () => new Promise(() => {}));
  const call = twilio.callIn();
  await clock.runUntil(call.ended);
  expect(clock.now()).toBe(15_000);
  expect(call.errors).toEqual([`11200: ${PUBLIC_URL}/voice gave no instructions: It was not answered within 15000 ms.`]);
});

test.each([
  ["<Response><Gather/></Response>", "12200: TwilioEmulator does not act on <Gather>."],
  ["<Response>", "12100: Document parse failure: <Response> is not closed."],
  ["hello", "12100: Document parse failure: The document has 0 root elements."],
  [
    '<Response><Connect><Stream url="wss://a.example/b?c=d"/></Connect></Response>',
    "31920: A media socket's address has no query",
  ],
  [
    '<Response><Connect><Stream url="ws://a.example/b"/></Connect></Response>',
    "31922: A media socket's address begins with wss://",
  ],
  ["<Response><Connect><Stream/></Connect></Response>", '31923: "" is no address of a media socket.'],
])("instructions that Twilio would refuse are an error: %s", async (twiml, error) => {
  const { clock, program, twilio } = await inMemory();
  await using _twilio = twilio;
  program.answers.set("/voice", twiml);
  const call = twilio.callIn();
  await clock.runUntil(call.ended);
  expect(call.errors).toEqual([expect.stringContaining(error)]);
});
