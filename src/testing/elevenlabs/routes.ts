import { onAbort } from "../../core/signals.js";
import { httpAlignment } from "./chunks.js";
import { type ElevenLabsRefusal, type FailureQueue, failureBody } from "./failures.js";
import type { IncomingSpeechRequest, SpeechSink } from "./http.js";
import { type ElevenLabsOutcome, type ElevenLabsRequest, speechBody } from "./request.js";
import type { SpeechMaker } from "./speech.js";
import type { ElevenLabsVoice } from "./voices.js";

const SPEECH_PATH = /^\/v1\/text-to-speech\/([^/]+)\/stream(\/with-timestamps)?$/;
const JSON_TYPE = { "content-type": "application/json" };

export interface RouteOptions {
  readonly maker: SpeechMaker;
  readonly failures: FailureQueue;
  readonly voices: readonly ElevenLabsVoice[];
  /** Says whether a request's key is accepted. */
  accepts(headers: Readonly<Record<string, string>>): boolean;
}

/** One request and the response to it. */
export class Exchange implements ElevenLabsRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly atMs: number;
  readonly #url: URL;
  readonly #bodyText: string;
  readonly #sink: SpeechSink;
  readonly #options: RouteOptions;
  body: Readonly<Record<string, unknown>> = {};
  outcome: ElevenLabsOutcome | undefined;
  sentMs = 0;

  constructor(request: IncomingSpeechRequest, sink: SpeechSink, options: RouteOptions) {
    this.method = request.method;
    this.path = `${request.url.pathname}${request.url.search}`;
    this.headers = request.headers;
    this.#url = request.url;
    this.#bodyText = request.bodyText;
    this.#sink = sink;
    this.#options = options;
    this.atMs = options.maker.clock.now();
  }

  /** Answers the request to its end. */
  async answer(): Promise<void> {
    using _left = onAbort(this.#sink.left, () => {
      this.outcome ??= "aborted";
    });
    if (!this.#options.accepts(this.headers)) return this.#refuse({ status: 401, message: "Invalid API key" });
    const { pathname } = this.#url;
    const speech = SPEECH_PATH.exec(pathname);
    if (this.method === "POST" && speech !== null) {
      await this.#speak(decodeURIComponent(speech[1] as string), speech[2] !== undefined);
      return;
    }
    const failure = this.#options.failures.forRequest();
    if (failure !== undefined && "status" in failure) return this.#refuse(failure);
    if (this.method === "GET" && pathname === "/v1/voices") return this.#json({ voices: this.#options.voices });
    this.#refuse({ status: 404, code: "not_found", message: "Not Found" });
  }

  async #speak(voiceId: string, withTimestamps: boolean): Promise<void> {
    const { body, problems } = speechBody(this.#bodyText);
    this.body = body;
    const failure = this.#options.failures.forRequest();
    if (failure !== undefined && "status" in failure) return this.#refuse(failure);
    if (problems.length > 0) {
      this.#respond(422, JSON.stringify({ detail: problems }));
      return;
    }
    if (!this.#options.voices.some((voice) => voice.voice_id === voiceId))
      return this.#refuse({ status: 404, message: `A voice with the voice_id '${voiceId}' was not found.` });
    const formatName = this.#url.searchParams.get("output_format") ?? "mp3_44100_128";
    if (!this.#options.maker.makes(formatName))
      return this.#refuse({ status: 400, code: "output_format_not_made", message: `This test server makes no ${formatName}.` });
    await this.#stream({ text: String(body["text"]), formatName, withTimestamps, failure });
  }

  async #stream(speech: {
    readonly text: string;
    readonly formatName: string;
    readonly withTimestamps: boolean;
    readonly failure: Exclude<ReturnType<FailureQueue["forRequest"]>, ElevenLabsRefusal>;
  }): Promise<void> {
    const { text, formatName, withTimestamps, failure } = speech;
    const sink = this.#sink;
    let isBegun = false;
    const begin = (): void => {
      if (isBegun) return;
      isBegun = true;
      const type = withTimestamps ? "application/json" : "audio/basic";
      sink.head(200, { "content-type": type, "request-id": "req_test", "character-cost": String(text.length) });
    };
    const end = await this.#options.maker.speak(text, formatName, {
      signal: sink.left,
      failure,
      send: (chunk) => {
        begin();
        this.sentMs += chunk.durationMs;
        if (!withTimestamps) {
          sink.write(chunk.bytes);
          return;
        }
        const alignment = httpAlignment(chunk.times);
        const audio = Buffer.from(chunk.bytes).toString("base64");
        sink.write(Buffer.from(`${JSON.stringify({ audio_base64: audio, alignment, normalized_alignment: alignment })}\n`));
      },
    });
    if (end === "silent") return;
    if (end !== "complete") {
      this.outcome = "cut";
      sink.reset();
      return;
    }
    begin();
    this.outcome = "complete";
    sink.end();
  }

  #refuse(refusal: ElevenLabsRefusal): void {
    this.#respond(refusal.status, failureBody(refusal), refusal.headers);
  }

  #json(body: unknown): void {
    this.outcome = "complete";
    this.#sink.head(200, JSON_TYPE);
    this.#sink.write(Buffer.from(JSON.stringify(body)));
    this.#sink.end();
  }

  #respond(status: number, body: string, headers: Readonly<Record<string, string>> = {}): void {
    this.outcome = "refused";
    this.#sink.head(status, { ...JSON_TYPE, ...headers });
    this.#sink.write(Buffer.from(body));
    this.#sink.end();
  }
}
