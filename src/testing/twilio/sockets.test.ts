import { expect, test } from "vitest";
import { Program, PUBLIC_URL, tone } from "../../../test/twilio/program.js";
import { serve } from "../../../test/twilio/serve.js";
import { systemClock } from "../../core/clock.js";
import { TwilioEmulator } from "../index.js";
import { twilioSignature } from "./signature.js";

const NUMBERS = [{ phoneNumber: "+15550100", voiceUrl: `${PUBLIC_URL}/voice` }];

test("a call over real sockets: signed by its public address, heard in real time, hung up", async () => {
  const program = new Program(systemClock);
  await using server = await serve(program);
  await using twilio = await TwilioEmulator.start({ numbers: NUMBERS });
  twilio.route(PUBLIC_URL, server.url);
  const call = twilio.callIn({ audio: tone(60) });
  await call.streaming();
  const [request] = program.requests;
  expect(request?.headers.get("x-twilio-signature")).toBe(
    twilioSignature(twilio.authToken, `${PUBLIC_URL}/voice`, request?.form),
  );
  expect(program.upgrades[0]?.headers.get("x-twilio-signature")).toBe(
    twilioSignature(twilio.authToken, "wss://agent.example/media"),
  );
  await program.socket.until(() => program.socket.audio.includes(Buffer.from(tone(60))));
  program.socket.play(tone(100));
  program.socket.mark("end");
  await call.until(({ type }) => type === "mark");
  expect(call.heard.audio).toEqual(Buffer.from(tone(100)));
  call.hangUp();
  expect(await call.ended).toBe("completed");
  expect(call.errors).toEqual([]);
});

test("several calls at once stay apart", async () => {
  const program = new Program(systemClock);
  await using server = await serve(program);
  await using twilio = await TwilioEmulator.start({ numbers: NUMBERS });
  twilio.route(PUBLIC_URL, server.url);
  const calls = Array.from({ length: 5 }, (_, index) => twilio.callIn({ from: `+1555012${index}` }));
  await Promise.all(calls.map((call) => call.streaming()));
  await Promise.all(program.sockets.map((socket) => socket.until(() => socket.of("start").length > 0)));
  for (const socket of program.sockets) {
    const { callSid } = socket.start;
    socket.play(
      tone(
        40,
        calls.findIndex(({ sid }) => sid === callSid),
      ),
    );
    socket.mark("end");
  }
  await Promise.all(calls.map((call) => call.until(({ type }) => type === "mark")));
  expect(calls.map(({ heard }) => heard.audio)).toEqual(calls.map((_, index) => Buffer.from(tone(40, index))));
});

test("a stalled socket holds up what the program sends", async () => {
  const program = new Program(systemClock);
  await using server = await serve(program);
  await using twilio = await TwilioEmulator.start({ numbers: NUMBERS });
  twilio.route(PUBLIC_URL, server.url);
  const call = twilio.callIn();
  await call.streaming();
  await program.socket.until(() => program.socket.of("start").length > 0);
  call.stallSocket(true);
  // More than the buffers of both ends of the connection take.
  for (let i = 0; i < 100; i++) program.socket.play(tone(10_000));
  const [socket] = server.sockets;
  expect(socket?.bufferedAmount).toBeGreaterThan(0);
  call.stallSocket(false);
  await call.until((event) => event.type === "media" && call.events.filter(({ type }) => type === "media").length === 100);
});

test("a socket that breaks reaches the program without a closing handshake", async () => {
  const program = new Program(systemClock);
  await using server = await serve(program);
  await using twilio = await TwilioEmulator.start({ numbers: NUMBERS });
  twilio.route(PUBLIC_URL, server.url);
  const call = twilio.callIn();
  await call.streaming();
  const closed = new Promise((resolve) => {
    for (const socket of server.sockets) socket.once("close", resolve);
  });
  call.dropSocket();
  expect(await closed).toBe(1006);
  expect(await call.ended).toBe("completed");
});

test("the status of a refused media socket is kept", async () => {
  const program = new Program(systemClock);
  program.refuses = 403;
  await using server = await serve(program);
  await using twilio = await TwilioEmulator.start({ numbers: NUMBERS });
  twilio.route(PUBLIC_URL, server.url);
  const call = twilio.callIn();
  await call.ended;
  expect(call.errors).toEqual(["31920: The media socket was refused with status 403: not now."]);
});

test("a media socket that nobody listens for is an error of the call", async () => {
  const program = new Program(systemClock);
  const gone = await serve(program);
  await gone[Symbol.asyncDispose]();
  const url = gone.url.replace("http", "wss");
  program.answers.set("/voice", `<Response><Connect><Stream url="${url}/media"/></Connect></Response>`);
  await using server = await serve(program);
  await using twilio = await TwilioEmulator.start({ numbers: NUMBERS });
  twilio.route(PUBLIC_URL, server.url);
  const call = twilio.callIn();
  await call.ended;
  expect(call.errors).toEqual([expect.stringMatching(/^31902: .*ECONNREFUSED/)]);
});

test("no address beyond this machine is ever asked", async () => {
  await using twilio = await TwilioEmulator.start({ numbers: NUMBERS });
  const call = twilio.callIn();
  await call.ended;
  expect(call.errors).toEqual([expect.stringContaining('call emulator.route("https://agent.example", localUrl)')]);
});
