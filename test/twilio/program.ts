import type { Carrier, CarrierHost, MediaSocket } from "../../src/core/carrier.js";
import type { Clock } from "../../src/core/clock.js";
import { VirtualClock } from "../../src/core/clock.js";
import { carrierNetwork, TwilioEmulator, type TwilioEmulatorOptions } from "../../src/testing/index.js";

/** Where programs under test are, for Twilio. */
export const PUBLIC_URL = "https://agent.example";

/** TwiML that connects the call with the program's media socket. */
export const CONNECT = `<Response><Connect><Stream url="wss://agent.example/media"/></Connect></Response>`;

type Message = Readonly<Record<string, unknown>> & { readonly event: string };

/** A media socket from the program's side: what came, read; what goes, by name. */
export class ProgramSocket {
  readonly received: Message[] = [];
  readonly #socket: MediaSocket;
  readonly #waiting: { readonly holds: () => boolean; readonly resolve: () => void }[] = [];
  isClosed = false;

  constructor(socket: MediaSocket) {
    this.#socket = socket;
    void this.#read();
  }

  /** What came of one kind. */
  of(event: string): Message[] {
    return this.received.filter((message) => message.event === event);
  }

  /** What the `start` message says. */
  get start(): { readonly callSid: string; readonly streamSid: string } {
    const [message] = this.of("start");
    if (message === undefined) throw new Error("No start has come.");
    return message["start"] as { callSid: string; streamSid: string };
  }

  get streamSid(): string {
    return this.start.streamSid;
  }

  /** Everything that was said, in one piece. */
  get audio(): Buffer {
    return Buffer.concat(this.of("media").map(({ media }) => Buffer.from((media as { payload: string }).payload, "base64")));
  }

  play(audio: Uint8Array): void {
    this.send({ event: "media", streamSid: this.streamSid, media: { payload: Buffer.from(audio).toString("base64") } });
  }

  mark(name: string): void {
    this.send({ event: "mark", streamSid: this.streamSid, mark: { name } });
  }

  clear(): void {
    this.send({ event: "clear", streamSid: this.streamSid });
  }

  send(message: object): void {
    this.#socket.send(JSON.stringify(message));
  }

  sendRaw(message: string | Uint8Array): void {
    this.#socket.send(message);
  }

  close(): void {
    this.#socket.close(1000);
  }

  /** Resolves when something holds, which is asked again after each message. */
  until(holds: () => boolean): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push({ holds, resolve });
    });
  }

  async #read(): Promise<void> {
    for await (const message of this.#socket.messages) {
      this.received.push(JSON.parse(String(message)) as Message);
      for (const { holds, resolve } of this.#waiting) if (holds()) resolve();
    }
    this.isClosed = true;
  }
}

/** A request as the program got it. */
export interface ProgramRequest {
  readonly url: string;
  readonly headers: Headers;
  readonly form: URLSearchParams;
  readonly atMs: number;
}

/** A program that answers webhooks with scripted TwiML, and keeps what comes. */
export class Program implements Carrier {
  readonly name = "program";
  readonly requests: ProgramRequest[] = [];
  readonly upgrades: Request[] = [];
  readonly sockets: ProgramSocket[] = [];
  readonly #clock: Clock;
  /** Answers by path; `/voice` connects unless it is said otherwise. */
  readonly answers = new Map<string, string | (() => Promise<Response> | Response)>([["/voice", CONNECT]]);
  /** Refuses media sockets with a status. */
  refuses: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get socket(): ProgramSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error("No media socket was opened.");
    return socket;
  }

  /** The forms that came to a path, in order. */
  forms(path: string): Record<string, string>[] {
    return this.requests
      .filter(({ url }) => new URL(url).pathname === path)
      .map(({ form }) => Object.fromEntries(form) as Record<string, string>);
  }

  async handle(request: Request): Promise<Response> {
    const form = new URLSearchParams(await request.text());
    this.requests.push({ url: request.url, headers: request.headers, form, atMs: this.#clock.now() });
    const answer = this.answers.get(new URL(request.url).pathname);
    if (typeof answer === "function") return answer();
    return new Response(answer ?? "", { headers: { "content-type": "text/xml" } });
  }

  upgrade(request: Request): ReturnType<Carrier["upgrade"]> {
    this.upgrades.push(request);
    if (this.refuses !== undefined) return { accepted: false, status: this.refuses, reason: "not now" };
    return { accepted: true, run: (socket) => void this.sockets.push(new ProgramSocket(socket)) };
  }
}

/** An emulator and a program in memory, on virtual time. */
export async function inMemory(
  options: TwilioEmulatorOptions = {},
): Promise<{ readonly clock: VirtualClock; readonly program: Program; readonly twilio: TwilioEmulator }> {
  const clock = new VirtualClock();
  const program = new Program(clock);
  const twilio = await TwilioEmulator.start({
    clock,
    network: carrierNetwork(program, {} as CarrierHost),
    numbers: [{ phoneNumber: "+15550100", voiceUrl: `${PUBLIC_URL}/voice`, statusCallback: `${PUBLIC_URL}/status` }],
    ...options,
  });
  return { clock, program, twilio };
}

/** A request to the REST API, with the account's credentials. */
export async function rest(
  twilio: TwilioEmulator,
  path: string,
  form?: Readonly<Record<string, string>> | readonly (readonly [string, string])[],
): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> {
  const credentials = Buffer.from(`${twilio.accountSid}:${twilio.authToken}`).toString("base64");
  const body = form === undefined ? {} : { method: "POST", body: new URLSearchParams(form as Record<string, string>) };
  const response = await twilio.fetch(`https://api.twilio.com/2010-04-01/Accounts/${twilio.accountSid}${path}`, {
    ...body,
    headers: { authorization: `Basic ${credentials}` },
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** Mu-law of one amplitude. */
export function tone(durationMs: number, code = 0x20): Uint8Array {
  return new Uint8Array(durationMs * 8).fill(code);
}
