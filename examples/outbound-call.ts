// Calls a number and tells what came of it: `npx tsx examples/outbound-call.ts +15550109999`. Your number and your public
// address stand below; the keys are those of inbound-call.ts.
import { AnthropicLLM, DeepgramSTT, ElevenLabsTTS, Patter, Twilio } from "getpatter";

const [, , to] = process.argv;
if (to === undefined) throw new Error("Which number? npx tsx examples/outbound-call.ts +15550109999");

const phone = new Patter({
  carrier: new Twilio(),
  phoneNumber: "+15550001234",
  webhookUrl: "https://agent.example.com",
});

const agent = phone.agent({
  stt: new DeepgramSTT(),
  llm: new AnthropicLLM(),
  tts: new ElevenLabsTTS({ voiceId: "rachel" }),
  systemPrompt: "You call customers of a hardware shop about their orders. Their order is ready: agree on a day to collect it.",
});

// #region call
await phone.serve({ agent, manageWebhook: false });
const result = await phone.call({
  to,
  agent,
  variables: { name: "Ann", order: "a hammer" },
  firstMessage: "Hello {name}, your order has arrived: {order}.",
  ringTimeout: 20,
  wait: true,
});
if (result.outcome === "answered") {
  for (const { role, text } of result.transcript) console.log(`${role}: ${text}`);
  console.log(`${result.durationMs} ms`);
} else {
  console.log(`${result.outcome}: ${result.message}`);
}
await phone.disconnect();
// #endregion
