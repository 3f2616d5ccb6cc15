import type { IncomingHttpHeaders } from "node:http";
import type { RawData, WebSocket } from "ws";
import { type AudioEncoding, audioDurationMs } from "../../core/audio-frame.js";
import type { Clock } from "../../core/clock.js";
import type { DeepgramFailure } from "./failures.js";

/** Audio, `KeepAlive` or another message is due within this time, in ms. */
const IDLE_MS = 10_000;
const ENCODINGS: Readonly<Record<string, AudioEncoding>> = { linear16: "pcm16", mulaw: "mulaw", alaw: "alaw" };

/** A socket as the server saw it. */
export interface DeepgramSocket {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Its id in messages and in the `dg-request-id` header. */
  readonly requestId: string;
  /** All audio received. */
  readonly audio: Uint8Array;
  readonly audioMs: number;
  /** Binary messages received. */
  readonly frames: number;
  /** Text messages received, parsed. */
  readonly messages: readonly Readonly<Record<string, unknown>>[];
  /** Messages sent. */
  readonly sent: readonly Readonly<Record<string, unknown>>[];
  /** How it was closed, by either side; 1006: its connection broke. */
  readonly closed: { readonly code: number; readonly reason: string } | undefined;
}

/** Where a recogniser's messages go. */
export interface Sink<Message> {
  readonly requestId: string;
  /** When the socket was opened, in ISO 8601. */
  readonly createdAt: string;
  send(message: Message): void;
  close(code: number, reason: string): void;
  /** Flux: reports an error and closes. */
  fail(code: string, description: string): void;
}

/** One of the two APIs, for one socket. */
export interface Recogniser {
  /** `audioMs`: length of all audio, this included. */
  hear(bytes: Uint8Array, audioMs: number): void;
  command(message: Readonly<Record<string, unknown>>): void;
}

export interface SessionOptions {
  readonly webSocket: WebSocket;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly requestId: string;
  readonly clock: Clock;
  /** How much later every message comes, in ms. */
  readonly latencyMs: number;
  readonly failure: Extract<DeepgramFailure, { readonly with: unknown }> | undefined;
  readonly recogniser: (sink: Sink<object>) => Recogniser;
}

/** Runs one accepted socket. */
export class Session implements DeepgramSocket, Sink<object> {
  readonly #options: SessionOptions;
  readonly #recogniser: Recogniser;
  readonly #audio: Uint8Array[] = [];
  readonly #timers = new Set<Disposable>();
  readonly createdAt: string;
  readonly messages: Readonly<Record<string, unknown>>[] = [];
  readonly sent: Readonly<Record<string, unknown>>[] = [];
  closed: { readonly code: number; readonly reason: string } | undefined;
  #audioBytes = 0;
  #sequence = 0;
  #isSilent = false;
  #idle: Disposable;

  constructor(options: SessionOptions) {
    const { webSocket, clock } = options;
    this.#options = options;
    this.createdAt = new Date(clock.epochMs()).toISOString();
    this.#idle = this.#idleTimer();
    this.#recogniser = options.recogniser(this);
    webSocket.on("message", (data: RawData, isBinary) => this.#receive(data as Buffer, isBinary));
    webSocket.on("ping", (data) => {
      if (!this.#isSilent) webSocket.pong(data);
    });
    // What a client breaks is no fault of the server's.
    webSocket.on("error", () => {});
    webSocket.on("close", (code, reason) => this.#end(code, reason.toString()));
    this.#failWhenDue();
  }

  get path(): string {
    return this.#options.path;
  }

  get query(): URLSearchParams {
    return this.#options.query;
  }

  get headers(): IncomingHttpHeaders {
    return this.#options.headers;
  }

  get requestId(): string {
    return this.#options.requestId;
  }

  get audio(): Uint8Array {
    return Buffer.concat(this.#audio);
  }

  get frames(): number {
    return this.#audio.length;
  }

  get audioMs(): number {
    const encoding = ENCODINGS[this.query.get("encoding") ?? ""] ?? "pcm16";
    return audioDurationMs({ encoding, sampleRate: Number(this.query.get("sample_rate")) }, this.#audioBytes);
  }

  send(message: object): void {
    this.#later(() => {
      const numbered = this.path === "/v2/listen" ? { ...message, sequence_id: this.#sequence++ } : { ...message };
      this.sent.push(numbered);
      this.#options.webSocket.send(JSON.stringify(numbered));
    });
  }

  close(code: number, reason: string): void {
    this.#later(() => this.#options.webSocket.close(code, reason));
  }

  fail(code: string, description: string): void {
    this.send({ type: "Error", code, description });
    this.close(1011, code);
  }

  /** Stays open and says nothing any more. */
  fallSilent(): void {
    this.#isSilent = true;
    this.#idle[Symbol.dispose]();
    this.#options.webSocket.pause();
  }

  #receive(data: Buffer, isBinary: boolean): void {
    if (this.closed !== undefined || this.#isSilent) return;
    this.#idle[Symbol.dispose]();
    this.#idle = this.#idleTimer();
    // An empty binary message ends the stream.
    if (isBinary && data.length > 0) this.#hear(new Uint8Array(data));
    else this.#command(isBinary ? '{"type":"CloseStream"}' : data.toString("utf8"));
  }

  #hear(bytes: Uint8Array): void {
    this.#audio.push(bytes);
    this.#audioBytes += bytes.length;
    this.#recogniser.hear(bytes, this.audioMs);
    this.#failWhenDue();
  }

  #command(text: string): void {
    let message: Readonly<Record<string, unknown>>;
    try {
      message = JSON.parse(text) as Readonly<Record<string, unknown>>;
    } catch {
      // The recogniser refuses it, as it does any message without a type that it knows.
      message = {};
    }
    this.messages.push(message);
    this.#recogniser.command(message);
  }

  #failWhenDue(): void {
    const { failure, webSocket } = this.#options;
    if (failure === undefined || this.#isSilent || this.audioMs < (failure.afterMs ?? 0)) return;
    if (failure.with === "reset") webSocket.terminate();
    else if (failure.with === "silence") this.fallSilent();
    else if ("code" in failure.with) this.close(failure.with.code, failure.with.reason ?? "");
    else this.fail(failure.with.error, failure.with.description ?? "");
  }

  #idleTimer(): Disposable {
    const reason = "NET-0001: Deepgram did not receive audio data or a text message within the timeout window.";
    return this.#options.clock.setTimer(IDLE_MS, () => this.close(1011, reason));
  }

  /** In order: all wait equally long. */
  #later(run: () => void): void {
    const { clock, latencyMs, webSocket } = this.#options;
    const runIfOpen = (): void => {
      if (!this.#isSilent && webSocket.readyState === webSocket.OPEN) run();
    };
    if (latencyMs === 0) return runIfOpen();
    const timer = clock.setTimer(latencyMs, () => {
      this.#timers.delete(timer);
      runIfOpen();
    });
    this.#timers.add(timer);
  }

  #end(code: number, reason: string): void {
    this.closed = { code, reason };
    this.#idle[Symbol.dispose]();
    for (const timer of this.#timers) timer[Symbol.dispose]();
  }
}
