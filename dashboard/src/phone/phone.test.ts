import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { parsePageMessage } from "../../../src/carriers/browser/protocol.js";
import { PCM16_16K } from "../../../src/core/audio-frame.js";
import { Phone } from "./phone.js";

/** A part of the browser's audio: it can be built, connected and written to. */
class AudioPart {
  readonly gain = { linearRampToValueAtTime: () => {} };
  readonly port = { postMessage: () => {} };
  connect(): void {}
}

class Context {
  static open = 0;
  readonly audioWorklet = { addModule: () => Promise.resolve() };
  readonly destination = {};
  readonly currentTime = 0;
  constructor() {
    Context.open++;
  }
  resume(): Promise<void> {
    return Promise.resolve();
  }
  close(): Promise<void> {
    Context.open--;
    return Promise.resolve();
  }
}

class Microphone {
  isOn = true;
  readonly getTracks = (): readonly { stop(): void }[] => [{ stop: () => (this.isOn = false) }];
  readonly getAudioTracks = (): readonly { addEventListener(): void }[] => [{ addEventListener: () => {} }];
}

class Socket {
  static readonly OPEN = 1;
  static all: Socket[] = [];
  readyState = 1;
  readonly bufferedAmount = 0;
  readonly sent: string[] = [];
  onmessage: ((event: { readonly data: string }) => void) | undefined;
  constructor() {
    Socket.all.push(this);
  }
  send(data: string): void {
    this.sent.push(data);
  }
  close(): void {
    this.readyState = 3;
  }
  receive(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
}

/** The microphones that were asked for, and how to grant them. */
let asked: { readonly microphone: Microphone; grant(): void }[];
/** The tokens that were asked for. */
let tokens: (() => void)[];

beforeEach(() => {
  asked = [];
  tokens = [];
  Context.open = 0;
  Socket.all = [];
  const getUserMedia = (): Promise<Microphone> =>
    new Promise((resolve) => {
      const microphone = new Microphone();
      asked.push({ microphone, grant: () => resolve(microphone) });
    });
  const fetchToken = (): Promise<object> =>
    new Promise((resolve) => tokens.push(() => resolve({ ok: true, json: async () => ({ token: "t" }) })));
  vi.stubGlobal("isSecureContext", true);
  vi.stubGlobal("navigator", { mediaDevices: { getUserMedia } });
  vi.stubGlobal("document", { baseURI: "http://localhost/", addEventListener: () => {}, removeEventListener: () => {} });
  vi.stubGlobal("location", { search: "" });
  vi.stubGlobal("fetch", fetchToken);
  vi.stubGlobal("WebSocket", Socket);
  vi.stubGlobal("AudioContext", Context);
  for (const name of ["AudioWorkletNode", "GainNode", "MediaStreamAudioSourceNode"]) vi.stubGlobal(name, AudioPart);
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** Lets everything that is under way come to rest. */
async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(1000);
}

const live = (): number => Socket.all.filter(({ readyState }) => readyState === Socket.OPEN).length;
const recording = (): number => asked.filter(({ microphone }) => microphone.isOn).length;

describe("a call that is given up while it connects", () => {
  it("leaves nothing open when another follows before the microphone is granted", async () => {
    const phone = new Phone();
    void phone.call();
    phone.hangUp();
    void phone.call();
    for (const { grant } of asked) grant();
    await settle();
    for (const give of tokens) give();
    await settle();
    expect([live(), recording(), Context.open]).toEqual([1, 1, 1]);
    phone.hangUp();
    await settle();
    expect([live(), recording(), Context.open]).toEqual([0, 0, 0]);
    expect(phone.state.value).toEqual({ name: "idle" });
  });

  it("leaves nothing open when another follows while its token is on the way", async () => {
    const phone = new Phone();
    void phone.call();
    asked[0]?.grant();
    await settle();
    phone.hangUp();
    void phone.call();
    asked[1]?.grant();
    await settle();
    tokens[1]?.();
    await settle();
    Socket.all[0]?.receive({ type: "start", callId: "c", format: PCM16_16K });
    tokens[0]?.();
    await settle();
    expect(phone.state.value.name).toBe("in_call");
    expect([live(), recording(), Context.open]).toEqual([1, 1, 1]);
    phone.hangUp();
    await settle();
    expect([live(), recording(), Context.open]).toEqual([0, 0, 0]);
  });
});

describe("the parameters of the page's address", () => {
  it("reach the server as far as they fit", async () => {
    const many = Array.from({ length: 25 }, (_, index) => `p${index}=x`).join("&");
    vi.stubGlobal("location", { search: `?long=${"x".repeat(501)}&table=4&${many}` });
    const phone = new Phone();
    void phone.call();
    asked[0]?.grant();
    await settle();
    tokens[0]?.();
    await settle();
    Socket.all[0]?.receive({ type: "start", callId: "c", format: PCM16_16K });
    const sent = JSON.parse(Socket.all[0]?.sent[0] ?? "") as { readonly parameters: object };
    expect(Object.keys(sent.parameters)).toHaveLength(20);
    expect(sent.parameters).toMatchObject({ table: "4", p18: "x" });
    expect(parsePageMessage(JSON.stringify(sent))).toEqual(sent);
  });
});
