import type { Ear, HeardWord } from "./ear.js";
import type { Recogniser, Sink } from "./session.js";
import type { FluxMessage, FluxThresholds, FluxTurnInfo } from "./wire.js";

/** Without another event an `Update` comes that often, in ms of audio. */
const UPDATE_MS = 240;
/** Silence after which the model is as sure as it gets that a turn is over, in ms; its certainty grows with the silence. */
const CERTAIN_MS = 600;
const CERTAIN = 0.95;
/** How sure it gets behind words that end no turn. */
const DOUBTFUL = 0.2;

/** `/v2/listen`: turns, each with a transcript that grows until it is over. */
export class FluxRecogniser implements Recogniser {
  readonly #sink: Sink<FluxMessage>;
  readonly #ear: Ear;
  #eager: number | undefined;
  #endOfTurn = 0.7;
  #timeoutMs = 5000;
  #keyterms: string[];
  #audioMs = 0;
  #turnMs = 0;
  #updateMs = 0;
  #turn = 0;
  #words: HeardWord[] = [];
  #isEager = false;

  constructor(sink: Sink<FluxMessage>, ear: Ear, query: URLSearchParams) {
    this.#sink = sink;
    this.#ear = ear;
    this.#keyterms = query.getAll("keyterm");
    const number = (name: string): object => (query.has(name) ? { [name]: Number(query.get(name)) } : {});
    this.#configure({ ...number("eager_eot_threshold"), ...number("eot_threshold"), ...number("eot_timeout_ms") });
    sink.send({ type: "Connected", request_id: sink.requestId });
  }

  hear(bytes: Uint8Array, audioMs: number): void {
    this.#audioMs = audioMs;
    const words = this.#ear.hear(bytes, audioMs);
    const isNew = words.length > 0;
    const starts = isNew && this.#words.length === 0;
    this.#words.push(...words);
    if (starts) this.#info("StartOfTurn");
    else if (isNew && this.#isEager) this.#resume();
    const last = this.#words.at(-1);
    if (last !== undefined && this.#ear.speakingSince(audioMs) === undefined) this.#listenForEnd(last);
    if (audioMs - this.#updateMs >= UPDATE_MS) this.#info("Update");
  }

  command(message: Readonly<Record<string, unknown>>): void {
    switch (message["type"]) {
      case "Configure": {
        const { thresholds = {}, keyterms } = message as { readonly thresholds?: FluxThresholds; readonly keyterms?: string[] };
        this.#configure(thresholds);
        this.#keyterms = keyterms ?? this.#keyterms;
        this.#sink.send({
          type: "ConfigureSuccess",
          request_id: this.#sink.requestId,
          thresholds: {
            ...(this.#eager === undefined ? {} : { eager_eot_threshold: this.#eager }),
            eot_threshold: this.#endOfTurn,
            eot_timeout_ms: this.#timeoutMs,
          },
          keyterms: this.#keyterms,
        });
        return;
      }
      case "CloseStream":
        this.#sink.close(1000, "");
        return;
      default:
        this.#sink.fail("UNPARSABLE_CLIENT_MESSAGE", `There is no message of the type "${String(message["type"])}".`);
    }
  }

  #configure({ eager_eot_threshold: eager, eot_threshold: endOfTurn, eot_timeout_ms: timeoutMs }: FluxThresholds): void {
    this.#eager = eager ?? this.#eager;
    this.#endOfTurn = endOfTurn ?? this.#endOfTurn;
    this.#timeoutMs = timeoutMs ?? this.#timeoutMs;
  }

  #listenForEnd(last: HeardWord): void {
    if (this.#audioMs - last.endMs >= this.#timeoutMs) return this.#end("timeout");
    if (this.#confidence >= this.#endOfTurn) return this.#end("model");
    if (this.#isEager || this.#eager === undefined || this.#confidence < this.#eager) return;
    this.#isEager = true;
    this.#info("EagerEndOfTurn");
  }

  /** How sure the model is that the turn is over. */
  get #confidence(): number {
    const last = this.#words.at(-1);
    if (last === undefined) return 0;
    return Math.min(last.endsTurn ? CERTAIN : DOUBTFUL, (this.#audioMs - last.endMs) / CERTAIN_MS);
  }

  #resume(): void {
    this.#isEager = false;
    this.#info("TurnResumed");
  }

  #end(trigger: "model" | "timeout"): void {
    // Where eager ends are asked for, none comes without one.
    if (this.#eager !== undefined && !this.#isEager) this.#info("EagerEndOfTurn");
    this.#info("EndOfTurn", trigger);
    this.#turn++;
    this.#turnMs = this.#audioMs;
    this.#words = [];
    this.#isEager = false;
  }

  #info(event: FluxTurnInfo["event"], trigger?: "model" | "timeout"): void {
    this.#updateMs = this.#audioMs;
    this.#sink.send({
      type: "TurnInfo",
      request_id: this.#sink.requestId,
      event,
      turn_index: this.#turn,
      audio_window_start: this.#turnMs / 1000,
      audio_window_end: this.#audioMs / 1000,
      transcript: this.#words.map(({ word }) => word).join(" "),
      words: this.#words.map(({ word, startMs, endMs, confidence }) => ({
        word,
        confidence,
        start: startMs / 1000,
        end: endMs / 1000,
      })),
      end_of_turn_confidence: this.#confidence,
      ...(trigger === undefined ? {} : { trigger }),
    });
  }
}
