import type { Ear, HeardWord } from "./ear.js";
import type { Recogniser, Sink } from "./session.js";
import type { NovaMessage, NovaWord } from "./wire.js";

/** A segment is made final after this much audio, in ms, though the caller goes on. */
const LONGEST_SEGMENT_MS = 5000;
/** Interim results come for every new word, and that often in silence. */
const INTERIM_MS = 1000;
const DEFAULT_ENDPOINTING_MS = 10;
/** A voice is recognised as one after this time, in ms. */
const VOICE_MS = 100;

/** `/v1/listen`: segments of a transcript, made final by silence, by their length or on demand. */
export class NovaRecogniser implements Recogniser {
  readonly #sink: Sink<NovaMessage>;
  readonly #ear: Ear;
  readonly #model: string;
  readonly #interim: boolean;
  readonly #vadEvents: boolean;
  /** `Infinity`: never. */
  readonly #endpointingMs: number;
  readonly #utteranceEndMs: number;
  readonly #punctuates: boolean;
  #audioMs = 0;
  #segmentMs = 0;
  #interimMs = 0;
  #words: HeardWord[] = [];
  /** The last word of an utterance that has not been said to be over. */
  #lastWord: HeardWord | undefined;
  #isSpeaking = false;

  constructor(sink: Sink<NovaMessage>, ear: Ear, query: URLSearchParams) {
    this.#sink = sink;
    this.#ear = ear;
    this.#model = query.get("model") ?? "";
    this.#interim = query.get("interim_results") === "true";
    this.#vadEvents = query.get("vad_events") === "true";
    this.#punctuates = query.get("smart_format") === "true" || query.get("punctuate") === "true";
    const endpointing = query.get("endpointing") ?? "true";
    this.#endpointingMs =
      endpointing === "false" ? Number.POSITIVE_INFINITY : endpointing === "true" ? DEFAULT_ENDPOINTING_MS : Number(endpointing);
    this.#utteranceEndMs = query.has("utterance_end_ms") ? Number(query.get("utterance_end_ms")) : Number.POSITIVE_INFINITY;
  }

  hear(bytes: Uint8Array, audioMs: number): void {
    this.#audioMs = audioMs;
    const words = this.#ear.hear(bytes, audioMs);
    const speakingMs = this.#ear.speakingSince(audioMs);
    this.#noticeVoice(words[0]?.startMs ?? speakingMs);
    if (words.length > 0) {
      this.#words.push(...words);
      this.#lastWord = words.at(-1);
    }
    if (speakingMs === undefined) this.#noticeSilence();
    if (audioMs - this.#segmentMs >= LONGEST_SEGMENT_MS) this.#result({ is_final: true });
    if (this.#interim && (words.length > 0 || audioMs - this.#interimMs >= INTERIM_MS)) this.#result({});
  }

  command(message: Readonly<Record<string, unknown>>): void {
    switch (message["type"]) {
      case "KeepAlive":
        return;
      case "Finalize":
        // With nothing to make final there is no answer.
        if (this.#audioMs > this.#segmentMs) this.#result({ is_final: true, from_finalize: true });
        return;
      case "CloseStream":
        this.#finish();
        return;
      default:
        this.#sink.close(1008, "DATA-0000: The client sent a message that could not be understood.");
    }
  }

  #noticeVoice(startMs: number | undefined): void {
    if (startMs === undefined || this.#isSpeaking || this.#audioMs - startMs < VOICE_MS) return;
    this.#isSpeaking = true;
    if (this.#vadEvents) this.#sink.send({ type: "SpeechStarted", channel: [0, 1], timestamp: startMs / 1000 });
  }

  #noticeSilence(): void {
    const last = this.#lastWord;
    if (last === undefined) return;
    const silentMs = this.#audioMs - last.endMs;
    if (silentMs >= this.#endpointingMs && this.#words.length > 0) this.#result({ is_final: true, speech_final: true });
    if (silentMs >= this.#endpointingMs || silentMs >= LONGEST_SEGMENT_MS) this.#isSpeaking = false;
    if (silentMs < this.#utteranceEndMs) return;
    this.#sink.send({ type: "UtteranceEnd", channel: [0, 1], last_word_end: last.endMs / 1000 });
    this.#lastWord = undefined;
  }

  #result(flags: { readonly is_final?: true; readonly speech_final?: true; readonly from_finalize?: true }): void {
    const words = this.#words.map((word, index) => this.#written(word, index));
    this.#sink.send({
      type: "Results",
      channel_index: [0, 1],
      start: this.#segmentMs / 1000,
      duration: (this.#audioMs - this.#segmentMs) / 1000,
      is_final: flags.is_final ?? false,
      speech_final: flags.speech_final ?? false,
      from_finalize: flags.from_finalize ?? false,
      channel: {
        alternatives: [
          {
            transcript: words.map(({ word, punctuated_word }) => punctuated_word ?? word).join(" "),
            confidence: words.length === 0 ? 0 : Math.min(...words.map(({ confidence }) => confidence)),
            words,
          },
        ],
      },
      metadata: {
        request_id: this.#sink.requestId,
        model_uuid: "00000000-0000-4000-8000-000000000003",
        model_info: { name: this.#model, version: "2026-01-01.0", arch: this.#model },
      },
    });
    this.#interimMs = this.#audioMs;
    if (flags.is_final !== true) return;
    this.#words = [];
    this.#segmentMs = this.#audioMs;
  }

  /** A word as it stands in the transcript: the first of a segment with a capital, the last with a full stop. */
  #written({ word, startMs, endMs, confidence }: HeardWord, index: number): NovaWord {
    const plain = { word: word.toLowerCase().replace(/[.,?!]$/, ""), start: startMs / 1000, end: endMs / 1000, confidence };
    if (!this.#punctuates) return plain;
    const capital = index === 0 ? word.charAt(0).toUpperCase() + word.slice(1) : word;
    const isLast = index === this.#words.length - 1;
    return { ...plain, punctuated_word: isLast && !/[.,?!]$/.test(capital) ? `${capital}.` : capital };
  }

  #finish(): void {
    if (this.#audioMs > this.#segmentMs) this.#result({ is_final: true });
    this.#sink.send({
      type: "Metadata",
      transaction_key: "deprecated",
      request_id: this.#sink.requestId,
      sha256: "0".repeat(64),
      created: this.#sink.createdAt,
      duration: this.#audioMs / 1000,
      channels: 1,
    });
    this.#sink.close(1000, "");
  }
}
