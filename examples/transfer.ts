// An agent that hands callers to a person, and goes on when nobody is there.
import { AnthropicLLM, DeepgramSTT, ElevenLabsTTS, Patter, tool, TransferError, Twilio } from "getpatter";

const SHOP = "+15550007777";

const phone = new Patter({
  carrier: new Twilio({ transferNumbers: [SHOP] }),
  phoneNumber: "+15550001234",
  webhookUrl: "https://agent.example.com",
});

// #region tool
const toPerson = tool({
  name: "transfer_to_person",
  description: "Connects the caller with a person in the shop. Say so before you use it.",
  parameters: { type: "object", properties: {} },
  timeoutMs: 60_000,
  handler: async (_args, { call }) => {
    try {
      await call.transfer(SHOP);
      return "The person has answered.";
    } catch (error) {
      if (error instanceof TransferError) return `Nobody took the call (${error.outcome}). Offer to take a message.`;
      throw error;
    }
  },
});
// #endregion

const agent = phone.agent({
  stt: new DeepgramSTT(),
  llm: new AnthropicLLM(),
  tts: new ElevenLabsTTS({ voiceId: "rachel" }),
  systemPrompt: "You answer for a hardware shop. Connect callers who ask for a person.",
  firstMessage: "Hello, this is the hardware shop.",
  tools: [toPerson],
});

export default { phone, agent };
