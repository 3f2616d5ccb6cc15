/** A client of the bench: a module of `clients/` and what it is opened with. */
export interface ClientKind {
  readonly name: string;
  readonly module: "getpatter" | "official-sdk" | "ai-sdk" | "bare-loop";
  readonly settings: { readonly http2?: boolean; readonly caching?: boolean };
  readonly protocol: "HTTP/2" | "HTTP/1.1";
}

const OFFICIAL = "@anthropic-ai/sdk 1.12, messages.stream";
const AI_SDK = "@ai-sdk/anthropic 3 with ai 6, streamText";

export const OURS: ClientKind = { name: "AnthropicLLM", module: "getpatter", settings: {}, protocol: "HTTP/2" };

export const RIVALS: readonly ClientKind[] = [
  { name: OFFICIAL, module: "official-sdk", settings: {}, protocol: "HTTP/1.1" },
  { name: `${OFFICIAL}, undici's fetch`, module: "official-sdk", settings: { http2: true }, protocol: "HTTP/2" },
  { name: AI_SDK, module: "ai-sdk", settings: {}, protocol: "HTTP/1.1" },
  { name: `${AI_SDK}, undici's fetch`, module: "ai-sdk", settings: { http2: true }, protocol: "HTTP/2" },
];

/** The least that each protocol takes: every client is compared with the one on its own. */
export const BARE_LOOPS: readonly ClientKind[] = [
  { name: "bare loop", module: "bare-loop", settings: { http2: true }, protocol: "HTTP/2" },
  { name: "bare loop", module: "bare-loop", settings: {}, protocol: "HTTP/1.1" },
];

/** A second process of the bare loop: what it seems to add is the noise of the measurement. */
export const CONTROL: ClientKind = {
  name: "bare loop again (the noise)",
  module: "bare-loop",
  settings: { http2: true },
  protocol: "HTTP/2",
};

/** A way to pay for the prompt. */
export type CachingKind = Omit<ClientKind, "protocol">;

export const UNCACHED: CachingKind = {
  name: "AnthropicLLM, promptCaching: false",
  module: "getpatter",
  settings: { caching: false },
};

export const CACHING: readonly CachingKind[] = [
  UNCACHED,
  OURS,
  { name: `${OFFICIAL}, as it comes`, module: "official-sdk", settings: {} },
  { name: `${OFFICIAL}, markers on system and tools`, module: "official-sdk", settings: { caching: true } },
  { name: `${AI_SDK}, as it comes`, module: "ai-sdk", settings: {} },
  { name: `${AI_SDK}, markers on system and tools`, module: "ai-sdk", settings: { caching: true } },
];
