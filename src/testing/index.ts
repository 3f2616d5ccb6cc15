export type {
  AnthropicAnswer,
  AnthropicBlock,
  AnthropicCut,
  AnthropicHttpError,
  AnthropicLatency,
  AnthropicOutage,
  AnthropicReply,
  AnthropicThinking,
  AnthropicToolCall,
} from "./anthropic/replies.js";
export type { AnthropicOutcome, AnthropicRequest } from "./anthropic/request.js";
export { AnthropicServer, type AnthropicServerOptions } from "./anthropic/server.js";
export type { AnthropicRequestBody, AnthropicUsage } from "./anthropic/wire.js";
export type {
  ElevenLabsClose,
  ElevenLabsCut,
  ElevenLabsDelay,
  ElevenLabsFailure,
  ElevenLabsRefusal,
  ElevenLabsSilence,
} from "./elevenlabs/failures.js";
export type { ElevenLabsOutcome, ElevenLabsRequest } from "./elevenlabs/request.js";
export { ElevenLabsServer, type ElevenLabsServerOptions } from "./elevenlabs/server.js";
export type { ElevenLabsSocket } from "./elevenlabs/socket-session.js";
export type { ElevenLabsVoice } from "./elevenlabs/voices.js";
export { SpokenWords } from "./spoken-words.js";
export { socketPair } from "./socket-pair.js";
export { type TestAnswer, TestLLM, type TestLLMOptions } from "./test-llm.js";
export { TestPhone, type TestPhoneOptions } from "./test-phone.js";
export { TestSTT, TestTTS, type TestTTSOptions, TestVAD } from "./test-speech.js";
