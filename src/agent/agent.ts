import { ConfigError } from "../core/errors.js";
import { checkOptionNames, type OptionNames } from "../core/option-names.js";
import type { LLM, LlmChunk, LlmOptions } from "../core/llm.js";
import type { ChatMessage, ToolSpec } from "../core/chat.js";
import type { STT } from "../core/stt.js";
import type { TTS } from "../core/tts.js";
import type { VAD } from "../core/vad.js";
import { type AnyTool, toolSpec } from "./tools.js";

/** A model written as a plain async generator: it yields text, or whole chunks. */
export type LlmFunction = (
  messages: readonly ChatMessage[],
  tools?: readonly ToolSpec[] | null,
  options?: LlmOptions,
) => AsyncIterable<string | LlmChunk>;

/** When the caller's turn is taken to be over. */
export interface EndpointingOptions {
  /** Silence after the caller's last speech sample, in ms. Default 400. */
  readonly silenceMs?: number;
  /** How long to wait for the last words of the transcript once the silence is long enough, in ms. Default 1,000. */
  readonly finalTimeoutMs?: number;
}

/** What an agent is made of. Only `llm` (or `onMessage` at `serve`) is needed for a typed conversation. */
export interface AgentOptions {
  /** Instructions for the model. `{name}` stands for a variable of the call. */
  readonly systemPrompt?: string;
  /** Spoken when the call connects. `{name}` is replaced by the call's variable. Without it the caller speaks first. */
  readonly firstMessage?: string;
  /** BCP 47. Default `en`. */
  readonly language?: string;
  readonly stt?: STT;
  readonly llm?: LLM | LlmFunction;
  readonly tts?: TTS;
  /** Voice activity detection. Without one the transcript alone says when the caller speaks. */
  readonly vad?: VAD;
  readonly tools?: readonly AnyTool[];
  /** Values for this agent's calls; they reach the model in a second system message, so that the first stays cacheable. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Applied in order to every sentence before it is spoken. Markdown and emoji are always taken out. */
  readonly textTransforms?: readonly ((text: string) => string)[];
  readonly endpointing?: EndpointingOptions;
  /** Spoken when the model fails. */
  readonly llmErrorMessage?: string;
  /** Spoken when the answer is late. `null`: nothing is. */
  readonly longTurnMessage?: string | null;
  /** How late, in seconds. Default 2. */
  readonly longTurnMessageAfterS?: number;
}

/** A checked agent, as `phone.agent()` returns it. */
export interface Agent {
  readonly systemPrompt: string;
  readonly firstMessage: string | undefined;
  readonly language: string;
  readonly stt: STT | undefined;
  readonly llm: LLM | undefined;
  readonly tts: TTS | undefined;
  readonly vad: VAD | undefined;
  readonly tools: readonly AnyTool[];
  readonly variables: Readonly<Record<string, string>>;
  readonly textTransforms: readonly ((text: string) => string)[];
  readonly endpointing: Required<EndpointingOptions>;
  readonly llmErrorMessage: string;
  readonly longTurnMessage: string | null;
  readonly longTurnMessageAfterMs: number;
}

const NAMES: OptionNames = {
  where: "agent",
  known: [
    "systemPrompt",
    "firstMessage",
    "language",
    "stt",
    "llm",
    "tts",
    "vad",
    "tools",
    "variables",
    "textTransforms",
    "endpointing",
    "llmErrorMessage",
    "longTurnMessage",
    "longTurnMessageAfterS",
  ] satisfies (keyof AgentOptions)[],
  notBuilt: [
    "engine",
    "provider",
    "voice",
    "model",
    "guardrails",
    "hooks",
    "audioFilter",
    "backgroundAudio",
    "bargeInThresholdMs",
    "bargeInStrategies",
    "bargeInConfirmMs",
    "bargeInMode",
    "aggressiveFirstFlush",
    "disablePhonePreamble",
    "echoCancellation",
    "prewarm",
    "prewarmFirstMessage",
    "mcpServers",
    "consult",
    "handoffs",
    "skills",
    "contextTokenBudget",
    "compaction",
    "maxHistory",
    "highPassHz",
    "agc",
    "denoiser",
    "turnDetector",
    "realtimeTurnDetection",
    "realtimeGateResponseOnTranscript",
    "openaiRealtimeNoiseReduction",
    "toolCallPreambles",
    "pacedOutput",
    "redeliverInterrupted",
    "transferAllowedNumbers",
    "transferAllowedPrefixes",
  ],
};

const ENDPOINTING_NAMES: OptionNames = {
  where: "endpointing",
  known: ["silenceMs", "finalTimeoutMs"] satisfies (keyof EndpointingOptions)[],
};

/** Checks an agent's options and fills in the defaults. @throws ConfigError that says what to change. */
export function createAgent(options: AgentOptions): Agent {
  checkOptionNames(options, NAMES);
  checkOptionNames(options.endpointing ?? {}, ENDPOINTING_NAMES);
  const tools = options.tools ?? [];
  if (!Array.isArray(tools)) throw new ConfigError("The agent option tools must be an array of tool({ … }).");
  const names = new Set<string>();
  for (const definition of tools as readonly AnyTool[]) {
    const { name } = toolSpec(definition).function;
    if (names.has(name)) throw new ConfigError(`Two tools are named "${name}": give each its own name.`);
    names.add(name);
  }
  const variables = options.variables ?? {};
  for (const [name, value] of Object.entries(variables)) {
    if (typeof value !== "string") throw new ConfigError(`The variable "${name}" is ${typeof value}: variables are strings.`);
  }
  return {
    systemPrompt: options.systemPrompt ?? "",
    firstMessage: options.firstMessage,
    language: options.language ?? "en",
    stt: options.stt,
    llm: options.llm === undefined ? undefined : asLlm(options.llm),
    tts: options.tts,
    vad: options.vad,
    tools,
    variables,
    textTransforms: options.textTransforms ?? [],
    endpointing: {
      silenceMs: duration("endpointing.silenceMs", options.endpointing?.silenceMs ?? 400, "ms"),
      finalTimeoutMs: duration("endpointing.finalTimeoutMs", options.endpointing?.finalTimeoutMs ?? 1000, "ms"),
    },
    llmErrorMessage: options.llmErrorMessage ?? "I'm sorry, something went wrong on my side. Could you say that again?",
    longTurnMessage: options.longTurnMessage === undefined ? "One moment, please." : options.longTurnMessage,
    longTurnMessageAfterMs: duration("longTurnMessageAfterS", options.longTurnMessageAfterS ?? 2, "seconds") * 1000,
  };
}

function duration(name: string, value: number, unit: "ms" | "seconds"): number {
  if (typeof value === "number" && value >= 0) return value;
  const shown = typeof value === "string" ? JSON.stringify(value) : String(value);
  throw new ConfigError(`The agent option ${name} is ${shown}: pass a number of ${unit} from 0.`);
}

function asLlm(llm: LLM | LlmFunction): LLM {
  if (typeof llm === "function") return functionLlm(llm);
  if (typeof llm?.stream !== "function")
    throw new ConfigError("The agent option llm needs a stream() method, or must be an async generator function.");
  return llm;
}

/** Makes a model of an async generator function. */
export function functionLlm(generate: LlmFunction): LLM {
  return {
    provider: "function",
    model: generate.name === "" ? "function" : generate.name,
    async *stream(messages, tools, options) {
      for await (const chunk of generate(messages, tools, options)) {
        yield typeof chunk === "string" ? { type: "text", content: chunk } : chunk;
      }
    },
  };
}
