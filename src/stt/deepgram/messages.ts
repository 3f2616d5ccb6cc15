import { ProtocolError, ProviderError } from "../../core/errors.js";
import { isRecord } from "../../core/json.js";
import type { SttWord } from "../../core/stt.js";
import { type ProviderIdentity, parseMessage } from "../../provider-kit/http-errors.js";
import type { SttReading } from "../../provider-kit/websocket-stt.js";

type Fields = Readonly<Record<string, unknown>>;
type Reader = (message: string | Uint8Array) => Iterable<SttReading>;

/** Reads the messages of one socket to a Nova model. `speechFinalEndsTurn`: whether the pause that ends a segment ends the turn. */
export function novaReader(identity: ProviderIdentity, speechFinalEndsTurn: boolean): Reader {
  /** Whether words have come since the last turn. */
  let hasWords = false;
  function* endTurn(reason: string): Generator<SttReading> {
    if (hasWords) yield { type: "turn_end", reason };
    hasWords = false;
  }
  return function* (text) {
    const message = parsed(identity, text);
    switch (message["type"]) {
      case "Results": {
        const [alternative] = list(identity, record(identity, message, "channel"), "alternatives");
        const best = isRecord(alternative) ? alternative : {};
        const isFinal = message["is_final"] === true;
        const words = list(identity, best, "words").map((word) => novaWord(identity, word));
        const confidence = best["confidence"];
        hasWords ||= words.length > 0;
        yield {
          type: "words",
          isFinal,
          untilMs: milliseconds(identity, message, "start") + milliseconds(identity, message, "duration"),
          answersFinalize: message["from_finalize"] === true,
          transcript: typeof best["transcript"] === "string" ? best["transcript"] : "",
          words,
          ...(words.length > 0 && typeof confidence === "number" ? { confidence } : {}),
        };
        if (speechFinalEndsTurn && message["speech_final"] === true && message["from_finalize"] !== true)
          yield* endTurn("speech_final");
        return;
      }
      case "SpeechStarted":
        yield { type: "speech_start", audioMs: milliseconds(identity, message, "timestamp") };
        return;
      case "UtteranceEnd":
        yield* endTurn("utterance_end");
        return;
      case "Error":
        throw reported(identity, message);
    }
  };
}

/** Reads the messages of one socket to a Flux model. */
export function fluxReader(identity: ProviderIdentity): Reader {
  /** Up to where the audio was heard when each word of the turn first came. */
  let firstMs: number[] = [];
  return function* (text) {
    const message = parsed(identity, text);
    if (message["type"] === "Error") throw reported(identity, message);
    if (message["type"] !== "TurnInfo") return;
    const untilMs = milliseconds(identity, message, "audio_window_end");
    const transcript = typeof message["transcript"] === "string" ? message["transcript"] : "";
    const words = list(identity, message, "words").map((word, index) => fluxWord(identity, word, (firstMs[index] ??= untilMs)));
    const { event } = message;
    if (event === "EndOfTurn") firstMs = [];
    if (event === "StartOfTurn") yield { type: "speech_start", audioMs: words[0]?.startMs ?? untilMs };
    yield { type: "words", isFinal: event === "EndOfTurn", untilMs, transcript, words };
    if (event === "EagerEndOfTurn") yield { type: "eager_turn_end", transcript };
    if (event === "TurnResumed") yield { type: "turn_resumed", transcript };
    if (event === "EndOfTurn") yield { type: "turn_end", reason: message["trigger"] === "timeout" ? "timeout" : "end_of_turn" };
  };
}

function novaWord(identity: ProviderIdentity, value: unknown): SttWord {
  const word = isRecord(value) ? value : {};
  const text = word["punctuated_word"] ?? word["word"];
  return {
    text: typeof text === "string" ? text : "",
    startMs: milliseconds(identity, word, "start"),
    endMs: milliseconds(identity, word, "end"),
    ...confidenceOf(word),
  };
}

/** Flux may leave out when a word was spoken: then it is taken to have ended when it first came. */
function fluxWord(identity: ProviderIdentity, value: unknown, firstMs: number): SttWord {
  const word = isRecord(value) ? value : {};
  const endMs = word["end"] === undefined ? firstMs : milliseconds(identity, word, "end");
  return {
    text: typeof word["word"] === "string" ? word["word"] : "",
    startMs: word["start"] === undefined ? endMs : milliseconds(identity, word, "start"),
    endMs,
    ...confidenceOf(word),
  };
}

function confidenceOf({ confidence }: Fields): { readonly confidence?: number } {
  return typeof confidence === "number" ? { confidence } : {};
}

function parsed(identity: ProviderIdentity, message: string | Uint8Array): Fields {
  return parseMessage(identity, typeof message === "string" ? message : Buffer.from(message).toString("utf8"));
}

/** A count of seconds, in ms. */
function milliseconds(identity: ProviderIdentity, fields: Fields, name: string): number {
  const seconds = fields[name];
  if (typeof seconds === "number") return seconds * 1000;
  throw malformed(identity, name, seconds);
}

function record(identity: ProviderIdentity, fields: Fields, name: string): Fields {
  const value = fields[name];
  if (isRecord(value)) return value;
  throw malformed(identity, name, value);
}

/** A list; one that is left out is empty. */
function list(identity: ProviderIdentity, fields: Fields, name: string): readonly unknown[] {
  const value = fields[name] ?? [];
  if (Array.isArray(value)) return value;
  throw malformed(identity, name, value);
}

function malformed({ className, provider }: ProviderIdentity, name: string, value: unknown): ProtocolError {
  return new ProtocolError(`${className} received a message whose "${name}" is ${JSON.stringify(value)}. Check { baseUrl }.`, {
    provider,
    retryable: true,
  });
}

function reported({ className, provider }: ProviderIdentity, message: Fields): ProviderError {
  const { code, variant, description } = message;
  const vendorCode = typeof code === "string" ? code : typeof variant === "string" ? variant : undefined;
  const said = [vendorCode, description].filter((part) => typeof part === "string" && part !== "").join(": ");
  return new ProviderError(`${className} was told of an error (${said}). Try again, or look it up in Deepgram's documentation.`, {
    provider,
    vendorCode,
    retryable: true,
  });
}
