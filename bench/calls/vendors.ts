/**
 * The vendors' test servers in one process, with fixed delays. `AnthropicServer` has TLS of its own; in front of the
 * other two stands a plain TLS end, so that the program under test encrypts what it would.
 */
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { createServer } from "node:tls";
import { AnthropicServer, DeepgramServer, ElevenLabsServer } from "../../src/testing/index.js";
import { CERTIFICATE } from "../../src/testing/anthropic/certificate.js";
import { EffortMeter, serveParent } from "./child.js";
import { CHARACTER_MS, type Conversation, MODEL_MS, REPLY, VOICE_MS } from "./conversation.js";

/** Where the vendors are. */
export interface VendorUrls {
  readonly deepgram: string;
  readonly anthropic: string;
  readonly elevenLabs: string;
}

export type VendorTask =
  | { readonly do: "script"; readonly calls: number; readonly conversation: Conversation }
  | { readonly do: "begin" | "read" };

const deepgram = await DeepgramServer.start();
const anthropic = await AnthropicServer.start({ http2: true, defaultReply: REPLY, latency: { firstTokenMs: MODEL_MS } });
const elevenLabs = await ElevenLabsServer.start({ firstByteMs: VOICE_MS, characterMs: CHARACTER_MS });
const meter = new EffortMeter();
const urls: VendorUrls = {
  deepgram: await encrypted(deepgram.url),
  anthropic: anthropic.url,
  elevenLabs: await encrypted(elevenLabs.url),
};

serveParent(urls, (task: VendorTask) => {
  switch (task.do) {
    case "script":
      for (let call = 0; call < task.calls; call++) deepgram.script(task.conversation.utterances);
      return undefined;
    case "begin":
      return meter.begin();
    case "read":
      return meter.read();
  }
});

/** Ends TLS in front of a plain server. */
function encrypted(url: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const server = createServer({ ...CERTIFICATE, noDelay: true }, (outer) => {
    const inner = connect({ host: hostname, port: Number(port), noDelay: true });
    outer.pipe(inner).pipe(outer);
    // What one side breaks, the other learns.
    outer.on("error", () => inner.destroy());
    inner.on("error", () => outer.destroy());
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve(`https://127.0.0.1:${(server.address() as AddressInfo).port}`));
  });
}
