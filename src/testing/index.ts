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
export {
  type TtsConformanceCase,
  type TtsConformanceOptions,
  type TtsUnderTest,
  ttsConformance,
} from "./conformance/tts.js";
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
export {
  type CarrierConformanceCase,
  type CarrierSubject,
  carrierConformance,
  type ConformanceCaller,
} from "./conformance/carrier.js";
export {
  type SttConformanceCase,
  type SttConformanceOptions,
  type SttUnderTest,
  sttConformance,
} from "./conformance/stt.js";
export type { DeepgramUtterance } from "./deepgram/ear.js";
export type { DeepgramFailure } from "./deepgram/failures.js";
export { DeepgramServer, type DeepgramServerOptions } from "./deepgram/server.js";
export type { DeepgramSocket } from "./deepgram/session.js";
export { SpokenWords } from "./spoken-words.js";
export { socketPair } from "./socket-pair.js";
export { type TestAnswer, TestLLM, type TestLLMOptions } from "./test-llm.js";
export { TestPhone, type TestPhoneOptions } from "./test-phone.js";
export { TestSTT, TestTTS, type TestTTSOptions, TestVAD } from "./test-speech.js";
export type { TwilioCall } from "./twilio/call.js";
export type { TwilioCallee } from "./twilio/call-services.js";
export {
  type TwilioCallInOptions,
  TwilioEmulator,
  type TwilioEmulatorOptions,
  type TwilioRefusal,
  type TwilioRestRequest,
} from "./twilio/emulator.js";
export type { TwilioCallEvent, TwilioHappening } from "./twilio/events.js";
export type { TwilioMarkFault } from "./twilio/media-stream.js";
export {
  carrierNetwork,
  type TwilioHttpRequest,
  type TwilioHttpResponse,
  type TwilioNetwork,
  type TwilioSocket,
  TwilioUpgradeError,
} from "./twilio/network.js";
export type { TwilioPhoneNumber } from "./twilio/phone-numbers.js";
export type { SoundSegment, SoundTrack } from "./twilio/sound-track.js";
export type { TwilioAnsweredBy, TwilioCallStatus, TwilioFinalStatus } from "./twilio/statuses.js";
export type { TwilioWebhook, TwilioWebhookFault, TwilioWebhookPurpose } from "./twilio/webhooks.js";
