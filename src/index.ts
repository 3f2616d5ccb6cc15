export { Patter } from "./patter.js";
export type {
  AgentChoice,
  CallCallbacks,
  CallEnd,
  CallInfo,
  DisconnectOptions,
  Message,
  OutgoingCallOptions,
  PatterOptions,
  ServeOptions,
  TestOptions,
  Transcript,
} from "./options.js";

export type { AnsweredCallResult, CallResult, OutgoingCall, UnansweredCallResult } from "./outgoing-calls.js";

export type { Agent, AgentOptions, EndpointingOptions, LlmFunction } from "./agent/agent.js";
export { endCallTool } from "./agent/call-tools.js";
export { type AnyTool, type StandardJsonSchema, type Tool, type ToolContext, type ToolResult, tool } from "./agent/tools.js";

export { Browser, type BrowserOptions } from "./carriers/browser.js";
export { Twilio, type TwilioOptions } from "./carriers/twilio.js";
export { AnthropicLLM, type AnthropicLLMOptions, type AnthropicThinking, type AnthropicToolChoice } from "./llm/anthropic.js";
export { OpenAICompatibleLLM, type OpenAICompatibleLLMOptions } from "./llm/openai-compatible.js";
export { ScriptedLLM, type ScriptedLLMOptions } from "./llm/scripted.js";
export { DeepgramSTT, type DeepgramSTTOptions } from "./stt/deepgram.js";
export { LocalSTT, type LocalSTTOptions } from "./stt/local.js";
export {
  ElevenLabsTTS,
  type ElevenLabsOutputFormat,
  type ElevenLabsTTSOptions,
  type ElevenLabsVoiceSettings,
  ElevenLabsWebSocketTTS,
  type ElevenLabsWebSocketTTSOptions,
} from "./tts/elevenlabs.js";
export { LocalTTS, type LocalTTSOptions, type LocalTtsVoice } from "./tts/local.js";
export { SileroVAD, type SileroVADOptions } from "./vad/silero.js";

export { type AudioEncoding, type AudioFormat, type AudioFrame, MULAW_8K, PCM16_16K } from "./core/audio-frame.js";
export type { Call } from "./core/call.js";
export type * from "./core/call-event.js";
export type * from "./core/carrier.js";
export type * from "./core/chat.js";
export { type Clock, systemClock, VirtualClock } from "./core/clock.js";
export * from "./core/errors.js";
export type * from "./core/llm.js";
export type { Logger } from "./core/logger.js";
export type * from "./core/stt.js";
export type * from "./core/transport.js";
export type * from "./core/tts.js";
export type * from "./core/vad.js";

export type { CallCost, ProviderCost } from "./observe/call-cost.js";
export { type TurnLatency, turnLatencies } from "./observe/latency.js";
export { LLM_PRICES, type LlmPrice, type LlmRates, type LongPromptRates } from "./observe/prices.js";
export {
  type LlmCost,
  type ModelPrice,
  type PriceOverrides,
  type PriceSource,
  Pricing,
  type RateOverride,
} from "./observe/pricing.js";
export { type CallRecord, type ProviderUsage, recordOf, type TranscriptEntry, type TurnRecord } from "./observe/recorder.js";
