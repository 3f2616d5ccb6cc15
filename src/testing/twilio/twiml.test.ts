import { expect, test } from "vitest";
import { parseTwiml } from "./twiml.js";

const BASE = "https://agent.example/calls/voice?a=b";

test("verbs keep their order, and their defaults are Twilio's", () => {
  const verbs = parseTwiml(
    `<?xml version="1.0" encoding="UTF-8"?>
    <!-- hello -->
    <Response>
      <Pause/><Say language="en">One &lt; two</Say><Play digits="1w2"/><Redirect>next</Redirect><Reject/><Hangup/>
      <Dial>+15550100</Dial>
    </Response>`,
    BASE,
  );
  expect(verbs).toEqual([
    { verb: "Pause", length: 1 },
    { verb: "Say", text: "One < two" },
    { verb: "Play", digits: "1w2" },
    { verb: "Redirect", to: { url: "https://agent.example/calls/next", method: "POST" } },
    { verb: "Reject", reason: "rejected" },
    { verb: "Hangup" },
    { verb: "Dial", to: [{ to: "+15550100", statusCallbackEvents: [] }], timeout: 30, timeLimit: 14_400 },
  ]);
});

test("a stream keeps its parameters, its name and where it is reported", () => {
  const [connect] = parseTwiml(
    `<Response><Connect action="done" method="GET"><Stream url='wss://agent.example/media' name="n" statusCallback="/stream">
      <Parameter name="a" value="&quot;1&#x41;&#66;&quot;"></Parameter></Stream></Connect></Response>`,
    BASE,
  );
  expect(connect).toEqual({
    verb: "Connect",
    action: { url: "https://agent.example/calls/done", method: "GET" },
    stream: {
      url: "wss://agent.example/media",
      name: "n",
      parameters: { a: '"1AB"' },
      statusCallback: { url: "https://agent.example/stream", method: "POST" },
    },
  });
});

test.each([
  ["<Response><Say>a & b</Say></Response>", 12100, '"&" is no entity of XML'],
  ["<Response><Say>a</Response></Say>", 12100, "</Response> closes <Say>"],
  ['<Response a="1" a="2"/>', 12100, "has the attribute a twice"],
  ["<Response/><Response/>", 12100, "has 2 root elements"],
  ["<Response><Say>a < b</Say></Response>", 12100, 'stray "<"'],
  ["<Answer/>", 12102, "The root element is <Answer>"],
  ["<Response><Connect><Conversation/></Connect></Response>", 12200, "not on <Connect><Conversation>"],
  ["<Response><Dial/></Response>", 13221, "names nobody"],
  ["<Response><Dial><Conference>a</Conference></Dial></Response>", 12200, "<Dial><Conference>"],
  ['<Response><Pause length="soon"/></Response>', 12200, 'length="soon" of <Pause>'],
  ['<Response><Redirect method="PUT">/a</Redirect></Response>', 12200, "neither GET nor POST"],
])("%s is refused with %i", (twiml, code, message) => {
  expect(() => parseTwiml(twiml, BASE)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
});
