// An agent that speaks with one of ElevenLabs' voices: `npx getpatter serve examples/elevenlabs-voices.ts`.
// It reads ANTHROPIC_API_KEY, DEEPGRAM_API_KEY and ELEVENLABS_API_KEY.
import { AnthropicLLM, Browser, DeepgramSTT, Patter, type TTS } from "getpatter";
// #region usage
import * as elevenlabs from "getpatter/tts/elevenlabs";

let tts: TTS = new elevenlabs.TTS(); // reads ELEVENLABS_API_KEY
tts = new elevenlabs.TTS({ apiKey: "...", voiceId: "sarah" });
tts = new elevenlabs.TTS({ modelId: "eleven_multilingual_v2", voiceSettings: { stability: 0.4, speed: 1.1 } });
tts = new elevenlabs.ElevenLabsWebSocketTTS({ voiceId: "george" }); // one socket for each call
// #endregion

const phone = new Patter({ carrier: new Browser() });

// #region agent
const agent = phone.agent({
  stt: new DeepgramSTT(),
  llm: new AnthropicLLM(),
  tts,
  systemPrompt: "You are a helpful assistant.",
  firstMessage: "Hi, how can I help?",
});
// #endregion

export default { phone, agent };
