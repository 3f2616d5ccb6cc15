import { type AudioFormat, describeFormat, MULAW_8K, PCM16_16K, sameFormat } from "../core/audio-frame.js";
import type { Carrier, CarrierHost, MediaSocket, SocketDecision } from "../core/carrier.js";
import { ConfigError } from "../core/errors.js";
import { CallTokens, isOwnHost, isOwnOrigin } from "./browser/access.js";
import { BrowserCall } from "./browser/browser-call.js";
import { type PageFile, type PageFiles, readPageFiles } from "./browser/page-files.js";
import type { PageInfo } from "./browser/protocol.js";

export interface BrowserOptions {
  /** Audio in both directions: pcm16 at 16000 Hz (default), or mulaw at 8000 Hz, as on the telephone. */
  readonly format?: AudioFormat;
  /** What the page calls the agent. Default: the agent's name, or `Voice agent`. */
  readonly title?: string;
  /** What the page suggests to say. */
  readonly hint?: string;
  /** Host names, besides `localhost`, IP addresses and the public URL's, under which the page may be opened. */
  readonly allowedHosts?: readonly string[];
}

/** Calls from a web page with a phone on it; needs no account and no key. */
export class Browser implements Carrier {
  readonly name = "browser";
  readonly #options: BrowserOptions;
  readonly #format: AudioFormat;
  readonly #tokens = new CallTokens();
  #files: Promise<PageFiles | undefined> | undefined;

  /** Throws `ConfigError` for a format that the page does not speak. */
  constructor(options: BrowserOptions = {}) {
    const format = options.format ?? PCM16_16K;
    if (!sameFormat(format, PCM16_16K) && !sameFormat(format, MULAW_8K)) {
      throw new ConfigError(
        `Browser cannot carry ${describeFormat(format)}: use { encoding: "pcm16", sampleRate: 16000 } or { encoding: "mulaw", sampleRate: 8000 }.`,
      );
    }
    this.#options = options;
    this.#format = format;
  }

  /** Answers the page and its files, `GET /info` and `POST /call/token`. */
  async handle(request: Request, host: CarrierHost): Promise<Response | undefined> {
    const { pathname } = new URL(request.url);
    const isRead = request.method === "GET" || request.method === "HEAD";
    const file = isRead ? (await this.#page())?.get(pathname === "/" ? "/index.html" : pathname) : undefined;
    const isMine = file !== undefined || pathname === "/" || pathname === "/info" || pathname === "/call/token";
    if (!isMine) return undefined;
    if (!isOwnHost(request, host.publicUrl, this.#options.allowedHosts ?? [])) return refusedHost(request, host);
    if (pathname === "/call/token" && request.method === "POST") {
      if (!isOwnOrigin(request, host.publicUrl)) return problem(403, "A call can only be opened from this server's own page.");
      return json({ token: this.#tokens.issue(host.clock) });
    }
    if (!isRead || pathname === "/call/token") return problem(405, `${request.method} is not answered at ${pathname}.`);
    if (pathname === "/info") return json(this.#info(host));
    return file === undefined ? problem(503, "The page has not been built: run `npm run build`.") : fileResponse(file, request);
  }

  /** Opens a call for a socket at `/call` with an unused token, from this server's own page. */
  upgrade(request: Request, host: CarrierHost): SocketDecision | undefined {
    const url = new URL(request.url);
    if (url.pathname !== "/call") return undefined;
    if (!isOwnHost(request, host.publicUrl, this.#options.allowedHosts ?? []))
      return refused(`the host ${url.host} is not allowed`);
    if (!isOwnOrigin(request, host.publicUrl)) return refused("the page is another website's");
    if (!this.#tokens.redeem(url.searchParams.get("token") ?? "", host.clock))
      return refused("the token is missing, used or expired");
    return { accepted: true, run: (socket) => void this.#serve(socket, host) };
  }

  async #serve(socket: MediaSocket, host: CarrierHost): Promise<void> {
    const callId = crypto.randomUUID();
    const call = new BrowserCall({
      callId,
      socket,
      format: this.#format,
      clock: host.clock,
      onReady: (customParameters) =>
        host.incoming({
          callId,
          from: "browser",
          to: host.agent?.name ?? "agent",
          direction: "inbound",
          customParameters,
          transport: call,
          control: call,
        }),
    });
    try {
      await call.run();
    } catch (error) {
      host.logger.error({ callId, err: error }, "browser call failed");
      socket.close(1011, "the server failed");
    }
    if (call.badFrames > 0) host.logger.warn({ callId, badFrames: call.badFrames }, "page sent frames that are no messages");
  }

  #info(host: CarrierHost): PageInfo {
    const { title, hint } = this.#options;
    const { name, ...models } = host.agent ?? {};
    return { title: title ?? name ?? "Voice agent", ...(hint === undefined ? {} : { hint }), models };
  }

  async #page(): Promise<PageFiles | undefined> {
    this.#files ??= readPageFiles();
    const files = await this.#files;
    // Not kept, so that a build while the server runs is found.
    if (files === undefined) this.#files = undefined;
    return files;
  }
}

export { Browser as Carrier };

const SECURITY_HEADERS = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

function fileResponse(file: PageFile, request: Request): Response {
  const { host } = new URL(request.url);
  const headers = {
    ...SECURITY_HEADERS,
    // Some browsers do not count a WebSocket to the same host as 'self'.
    "content-security-policy": `default-src 'self'; connect-src 'self' ws://${host} wss://${host}; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    "permissions-policy": "microphone=(self), camera=(), geolocation=()",
    "content-type": file.contentType,
    "cache-control": file.cacheControl,
    etag: file.etag,
  };
  if (request.headers.get("if-none-match") === file.etag) return new Response(null, { status: 304, headers });
  return new Response(request.method === "HEAD" ? null : file.bytes, { headers });
}

function json(body: object): Response {
  return Response.json(body, { headers: { ...SECURITY_HEADERS, "cache-control": "no-store" } });
}

function problem(status: number, message: string): Response {
  return Response.json({ error: "refused", message }, { status, headers: SECURITY_HEADERS });
}

function refusedHost(request: Request, host: CarrierHost): Response {
  const name = new URL(request.url).hostname;
  return problem(
    403,
    `This page is not served under the name ${name}: open ${host.publicUrl}, or pass { allowedHosts: ["${name}"] } to Browser.`,
  );
}

function refused(reason: string): SocketDecision {
  return { accepted: false, status: 403, reason };
}
