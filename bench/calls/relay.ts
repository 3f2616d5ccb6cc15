/**
 * The least that a Node process can do for the same job: it passes audio on, asks the model, passes its sentences on and
 * the voice's audio back. No checks, no history of what was heard, no pacing, no retries, no marks, no metrics.
 */
import { createServer } from "node:http";
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";
import { CLAUDE_MODEL, FLUX_MODEL, PUBLIC_URL, SYSTEM_PROMPT } from "./conversation.js";
import { type OwnTimes, serveSubject, settings } from "./subject.js";

/** The voice that the agent has by default. */
const VOICE_ID = "EXAVITQu4vr4xnSDxMaL";
const PAYLOAD = '"payload":"';

const { vendors } = settings();
const times: OwnTimes = { overheadMs: [], modelMs: [], voiceMs: [], clearMs: [] };
const model: ClientHttp2Session = connect(vendors.anthropic);

const server = createServer((_request, response) => {
  response.writeHead(200, { "content-type": "text/xml" });
  response.end(`<Response><Connect><Stream url="${PUBLIC_URL.replace("https", "wss")}/media"/></Connect></Response>`);
});
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
sockets.on("connection", (socket) => new RelayedCall(socket));
server.listen(0, "127.0.0.1", () => serveSubject(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, times));

/** Where the time of a turn goes, in ms on the process's clock. */
interface Turn {
  readonly context: string;
  readonly endedMs: number;
  readonly requestedMs: number;
  tokenMs: number;
  sentenceMs: number;
}

class RelayedCall {
  readonly #carrier: WebSocket;
  readonly #recognition: WebSocket;
  readonly #voice: WebSocket;
  readonly #messages: { readonly role: string; readonly content: string }[] = [];
  #streamSid = "";
  #request: ClientHttp2Stream | undefined;
  #turn: Turn | undefined;
  #hasSpoken = false;
  #turns = 0;

  constructor(carrier: WebSocket) {
    const query = `model=${FLUX_MODEL}&encoding=mulaw&sample_rate=8000`;
    this.#carrier = carrier;
    this.#recognition = new WebSocket(`${vendors.deepgram.replace("http", "ws")}/v2/listen?${query}`, {
      headers: { authorization: "Token bench" },
      perMessageDeflate: false,
    });
    const path = `/v1/text-to-speech/${VOICE_ID}/multi-stream-input?model_id=eleven_flash_v2_5&output_format=ulaw_8000&auto_mode=true&inactivity_timeout=180`;
    this.#voice = new WebSocket(vendors.elevenLabs.replace("http", "ws") + path, {
      headers: { "xi-api-key": "bench" },
      perMessageDeflate: false,
    });
    this.#relay();
  }

  #relay(): void {
    const early: Buffer[] = [];
    this.#recognition.on("open", () => {
      for (const audio of early.splice(0)) this.#recognition.send(audio);
    });
    this.#carrier.on("message", (data: Buffer) => {
      const text = data.toString("latin1");
      if (!text.startsWith('{"event":"media"')) return this.#control(text);
      const start = text.indexOf(PAYLOAD) + PAYLOAD.length;
      const audio = Buffer.from(text.slice(start, text.indexOf('"', start)), "base64");
      if (this.#recognition.readyState === WebSocket.OPEN) this.#recognition.send(audio);
      else early.push(audio);
    });
    this.#carrier.on("close", () => {
      this.#request?.close();
      this.#recognition.terminate();
      this.#voice.terminate();
    });
    this.#recognition.on("message", (data: Buffer) => this.#hear(data.toString("utf8")));
    this.#voice.on("message", (data: Buffer) => this.#speak(data.toString("utf8")));
  }

  #control(text: string): void {
    const message = JSON.parse(text) as { readonly event: string; readonly streamSid?: string };
    if (message.event === "start") this.#streamSid = message.streamSid ?? "";
  }

  #hear(text: string): void {
    const receivedMs = performance.now();
    const { event, transcript } = JSON.parse(text) as { readonly event?: string; readonly transcript?: string };
    if (event === "StartOfTurn" && this.#turn !== undefined) this.#interrupt(this.#turn, receivedMs);
    if (event === "EndOfTurn") this.#ask(transcript ?? "", receivedMs);
  }

  #interrupt({ context }: Turn, receivedMs: number): void {
    this.#carrier.send(`{"event":"clear","streamSid":"${this.#streamSid}"}`);
    if (this.#hasSpoken) times.clearMs.push(performance.now() - receivedMs);
    this.#request?.close();
    this.#voice.send(JSON.stringify({ context_id: context, close_context: true }));
    this.#turn = undefined;
  }

  #ask(transcript: string, endedMs: number): void {
    this.#messages.push({ role: "user", content: transcript });
    const body = JSON.stringify({
      model: CLAUDE_MODEL,
      max_tokens: 1024,
      stream: true,
      system: SYSTEM_PROMPT,
      messages: this.#messages,
    });
    const request = model.request({
      ":method": "POST",
      ":path": "/v1/messages",
      "content-type": "application/json",
      "x-api-key": "bench",
      "anthropic-version": "2023-06-01",
    });
    const turn: Turn = { context: `reply-${this.#turns++}`, endedMs, requestedMs: performance.now(), tokenMs: 0, sentenceMs: 0 };
    this.#request = request;
    this.#turn = turn;
    this.#hasSpoken = false;
    this.#voice.send(JSON.stringify({ text: " ", context_id: turn.context }));
    this.#readAnswer(request, turn);
    request.end(body);
  }

  #readAnswer(request: ClientHttp2Stream, turn: Turn): void {
    let rest = "";
    let sentence = "";
    let reply = "";
    const say = (text: string): void => {
      turn.sentenceMs ||= performance.now();
      this.#voice.send(JSON.stringify({ text: `${text.trim()} `, context_id: turn.context, flush: true }));
    };
    request.setEncoding("utf8");
    request.on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const piece = line.startsWith("data:") ? textOf(line.slice(5)) : "";
        if (piece === "") continue;
        turn.tokenMs ||= performance.now();
        reply += piece;
        sentence += piece;
        if (!/[.!?]\s*$/.test(sentence)) continue;
        say(sentence);
        sentence = "";
      }
    });
    request.on("error", () => {});
    request.on("end", () => {
      this.#messages.push({ role: "assistant", content: reply });
      if (turn !== this.#turn) return;
      if (sentence !== "") say(sentence);
      this.#voice.send(JSON.stringify({ context_id: turn.context, close_context: true }));
    });
  }

  #speak(text: string): void {
    const receivedMs = performance.now();
    const { audio, contextId } = JSON.parse(text) as { readonly audio?: string; readonly contextId?: string };
    const turn = this.#turn;
    if (audio === undefined || turn === undefined || contextId !== turn.context) return;
    // The voice's base64 is the carrier's.
    this.#carrier.send(`{"event":"media","streamSid":"${this.#streamSid}","media":{"payload":"${audio}"}}`);
    if (this.#hasSpoken) return;
    this.#hasSpoken = true;
    const [modelMs, voiceMs] = [turn.tokenMs - turn.requestedMs, receivedMs - turn.sentenceMs];
    times.modelMs.push(modelMs);
    times.voiceMs.push(voiceMs);
    times.overheadMs.push(performance.now() - turn.endedMs - modelMs - voiceMs);
  }
}

function textOf(data: string): string {
  const event = JSON.parse(data) as { readonly type: string; readonly delta?: { readonly text?: string } };
  return event.type === "content_block_delta" ? (event.delta?.text ?? "") : "";
}
