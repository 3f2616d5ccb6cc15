import { AnthropicLLM, Browser, LocalSTT, LocalTTS, Patter, SileroVAD } from "getpatter";

const phone = new Patter({ carrier: new Browser() });

const agent = phone.agent({
  vad: new SileroVAD(),
  stt: new LocalSTT(),
  llm: new AnthropicLLM(), // reads ANTHROPIC_API_KEY
  tts: new LocalTTS(),
  systemPrompt: "You are a helpful assistant on the phone. Answer in one or two short sentences.",
  firstMessage: "Hi, how can I help?",
});

export default { phone, agent };
