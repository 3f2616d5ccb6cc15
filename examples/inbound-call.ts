// An agent on a telephone number: `npx getpatter serve examples/inbound-call.ts`, once your number and your public address
// stand below. It reads TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, DEEPGRAM_API_KEY, ANTHROPIC_API_KEY and ELEVENLABS_API_KEY.
import { AnthropicLLM, DeepgramSTT, ElevenLabsTTS, Patter, Twilio } from "getpatter";

// #region agent
const phone = new Patter({
  carrier: new Twilio(),
  phoneNumber: "+15550001234",
  webhookUrl: "https://agent.example.com",
});

const agent = phone.agent({
  stt: new DeepgramSTT(),
  llm: new AnthropicLLM(),
  tts: new ElevenLabsTTS({ voiceId: "rachel" }),
  systemPrompt: "You are a helpful assistant.",
  firstMessage: "Hi, how can I help?",
});
// #endregion

export default { phone, agent };
