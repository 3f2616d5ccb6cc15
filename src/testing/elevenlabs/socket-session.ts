import type { WebSocket } from "ws";
import { isRecord, parseJson } from "../../core/json.js";
import { onAbort } from "../../core/signals.js";
import { type SpokenChunk, socketAlignment } from "./chunks.js";
import type { FailureQueue } from "./failures.js";
import { voiceSettingsProblems } from "./request.js";
import { SpeechContext } from "./speech-context.js";
import type { SpeechMaker } from "./speech.js";

/** More contexts at once than this close the whole socket. */
const MAX_CONTEXTS = 5;

export interface SessionOptions {
  readonly socket: WebSocket;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly maker: SpeechMaker;
  readonly failures: FailureQueue;
  accepts(headers: Readonly<Record<string, string>>): boolean;
}

type Message = Readonly<Record<string, unknown>>;

/** One socket that the server accepted. */
export interface ElevenLabsSocket {
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Every message that the client sent, in order. */
  readonly messages: readonly Message[];
  /** Contexts that are open now, those that only finish speaking included. */
  readonly liveContexts: number;
  /** The most contexts that were open at once. */
  readonly mostContexts: number;
  /** How it was closed; `undefined` while it is open. */
  readonly closed: { readonly code: number; readonly reason: string } | undefined;
}

/** The server's side of one socket: `multi-stream-input`, or `stream-input`, which has one context and no names for it. */
export class SocketSession implements ElevenLabsSocket {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly messages: Message[] = [];
  mostContexts = 0;
  closed: { readonly code: number; readonly reason: string } | undefined;
  readonly #options: SessionOptions;
  readonly #isMulti: boolean;
  readonly #inactivityMs: number;
  readonly #contexts = new Map<string, SpeechContext>();
  readonly #left = new AbortController();
  #inactivity: Disposable | undefined;
  #isSilent = false;
  #isClosing = false;

  constructor(options: SessionOptions) {
    const { socket, url } = options;
    this.#options = options;
    this.path = `${url.pathname}${url.search}`;
    this.headers = options.headers;
    this.#isMulti = url.pathname.endsWith("/multi-stream-input");
    this.#inactivityMs = Math.min(180, Number(url.searchParams.get("inactivity_timeout") ?? 20)) * 1000;
    socket.on("message", (data) => this.#receive((data as Buffer).toString("utf8")));
    socket.on("close", (code, reason) => this.#end(code, String(reason)));
    socket.on("ping", (data) => {
      if (!this.#isSilent) socket.pong(data);
    });
    // What follows an error is the close.
    socket.on("error", () => {});
    this.#watch();
  }

  get liveContexts(): number {
    return this.#contexts.size;
  }

  /** The connection stays open and nothing comes of it any more, also no answer to a ping. */
  fallSilent(): void {
    this.#isSilent = true;
  }

  closeContexts(): void {
    for (const context of this.#contexts.values()) context.close();
  }

  /** Closes the socket, after a message that names the reason if there is one to name. */
  close(code: number, error?: { readonly name: string; readonly message: string }): void {
    if (error !== undefined) this.#send({ message: error.message, error: error.name, code });
    this.#options.socket.close(code, error?.message.slice(0, 120));
  }

  #receive(text: string): void {
    if (this.#isSilent || this.closed !== undefined) return;
    const message = parseJson(text);
    if (!isRecord(message)) return this.close(1008, { name: "invalid_message", message: "Message is no JSON object." });
    this.messages.push(message);
    this.#watch();
    if (message["close_socket"] === true) return this.#finish();
    const problem = this.#problemOf(message);
    if (problem !== undefined) return this.close(1008, problem);
    this.#deliver(message);
  }

  #problemOf(message: Message): { readonly name: string; readonly message: string } | undefined {
    const key = message["xi_api_key"];
    const headers = typeof key === "string" ? { "xi-api-key": key } : this.headers;
    if (!this.#options.accepts(headers)) return { name: "invalid_api_key", message: "Invalid API key." };
    const isKnown = ["text", "flush", "close_context"].some((name) => message[name] !== undefined);
    const { text } = message;
    if (!isKnown || (text !== undefined && typeof text !== "string"))
      return { name: "invalid_message", message: "Message has no text, flush or close_context." };
    const [bad] = voiceSettingsProblems(message["voice_settings"]);
    return bad === undefined ? undefined : { name: "invalid_voice_settings", message: `${bad.loc.join(".")}: ${bad.msg}` };
  }

  #deliver(message: Message): void {
    const name = message["context_id"];
    const id = this.#isMulti ? (typeof name === "string" ? name : "default") : "";
    const known = this.#contexts.get(id);
    // Whatever names a context opens it: a flush or a keepalive for one that is gone as well.
    const context = known ?? (message["close_context"] === true ? undefined : this.#open(id, message));
    if (context === undefined) return;
    const { text } = message;
    const isEndOfStream = !this.#isMulti && text === "" && message["flush"] !== true && known !== undefined;
    if (isEndOfStream) context.flush();
    else if (typeof text === "string") context.write(text, message["try_trigger_generation"] === true);
    if (message["flush"] === true) context.flush();
    if (isEndOfStream || message["close_context"] === true) context.close();
  }

  #open(id: string, message: Message): SpeechContext | undefined {
    if (this.#contexts.size >= MAX_CONTEXTS) {
      const text = `Maximum simultaneous contexts per WebSocket connection exceeded (${MAX_CONTEXTS}). Please close an existing context before opening a new one.`;
      this.close(1008, { name: "max_active_conversations", message: text });
      return undefined;
    }
    const { maker, url } = this.#options;
    const config = message["generation_config"];
    const schedule =
      isRecord(config) && Array.isArray(config["chunk_length_schedule"]) ? config["chunk_length_schedule"] : undefined;
    const context = new SpeechContext({
      clock: maker.clock,
      autoMode: url.searchParams.get("auto_mode") === "true",
      schedule: schedule?.map(Number),
      inactivityMs: this.#inactivityMs,
      speak: (text) => this.#speak(id, text),
      onClosed: () => {
        this.#contexts.delete(id);
        this.#send({ isFinal: true, ...this.#name(id) });
        if (!this.#isMulti) this.#options.socket.close(1000);
        else if (this.#isClosing && this.#contexts.size === 0) this.#options.socket.close(1000);
      },
    });
    this.#contexts.set(id, context);
    this.mostContexts = Math.max(this.mostContexts, this.#contexts.size);
    return context;
  }

  async #speak(id: string, text: string): Promise<void> {
    const { maker, url, failures } = this.#options;
    const failure = failures.forSpeech();
    const formatName = url.searchParams.get("output_format") ?? "mp3_44100_128";
    const end = await maker.speak(text, formatName, {
      signal: this.#left.signal,
      failure,
      send: (chunk) => this.#send(this.#audioMessage(id, chunk)),
    });
    if (end === "silent") this.fallSilent();
    if (end === "cut") this.#options.socket.terminate();
    if (end === "closed" && failure !== undefined && "closeCode" in failure) {
      const name = failure.code;
      this.close(failure.closeCode, name === undefined ? undefined : { name, message: failure.message ?? name });
    }
  }

  #audioMessage(id: string, chunk: SpokenChunk): unknown {
    const alignment = socketAlignment(chunk.times, chunk.startMs);
    // The normalised text of each generation begins with a space of its own.
    const normalised = chunk.startMs === 0 && alignment !== null ? withLeadingSpace(alignment) : alignment;
    return {
      audio: Buffer.from(chunk.bytes).toString("base64"),
      isFinal: null,
      normalizedAlignment: normalised,
      alignment,
      ...this.#name(id),
    };
  }

  #name(id: string): { readonly contextId?: string } {
    return this.#isMulti ? { contextId: id } : {};
  }

  #send(message: unknown): void {
    const { socket } = this.#options;
    if (!this.#isSilent && socket.readyState === socket.OPEN) socket.send(JSON.stringify(message));
  }

  #finish(): void {
    this.#isClosing = true;
    if (this.#contexts.size === 0) this.#options.socket.close(1000);
    for (const context of this.#contexts.values()) context.close();
  }

  /** A socket that says nothing for so long is closed. */
  #watch(): void {
    this.#inactivity?.[Symbol.dispose]();
    this.#inactivity = this.#options.maker.clock.setTimer(this.#inactivityMs, () => {
      const seconds = this.#inactivityMs / 1000;
      const message = `Have not received a new text input within the timeout of ${seconds} seconds.`;
      this.close(1008, { name: "input_timeout_exceeded", message });
    });
  }

  #end(code: number, reason: string): void {
    this.closed = { code, reason };
    this.#inactivity?.[Symbol.dispose]();
    for (const context of this.#contexts.values()) context[Symbol.dispose]();
    this.#contexts.clear();
    this.#left.abort();
  }

  /** Ends with the server. */
  until(closing: AbortSignal): void {
    onAbort(closing, () => this.#options.socket.terminate());
  }
}

function withLeadingSpace(alignment: {
  readonly chars: readonly string[];
  readonly charStartTimesMs: readonly number[];
  readonly charDurationsMs: readonly number[];
}): unknown {
  return {
    chars: [" ", ...alignment.chars],
    charStartTimesMs: [0, ...alignment.charStartTimesMs],
    charDurationsMs: [0, ...alignment.charDurationsMs],
  };
}
