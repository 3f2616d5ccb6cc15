import { isIP } from "node:net";
import type { Clock } from "../../core/clock.js";

/** How long a page has between fetching a token and opening its socket, in ms. */
const TOKEN_LIFE_MS = 60_000;
/** Unused tokens kept; the oldest go first. */
const MAX_TOKENS = 1000;

/** Tokens that each open one call. A page of another website cannot read one, so it cannot open a call. */
export class CallTokens {
  readonly #expiresAtMs = new Map<string, number>();

  issue(clock: Clock): string {
    const oldest = this.#expiresAtMs.keys().next();
    if (this.#expiresAtMs.size >= MAX_TOKENS && oldest.done !== true) this.#expiresAtMs.delete(oldest.value);
    const token = crypto.randomUUID();
    this.#expiresAtMs.set(token, clock.now() + TOKEN_LIFE_MS);
    return token;
  }

  /** Says whether the token opens a call now; it does so once. */
  redeem(token: string, clock: Clock): boolean {
    const expiresAtMs = this.#expiresAtMs.get(token);
    this.#expiresAtMs.delete(token);
    return expiresAtMs !== undefined && clock.now() < expiresAtMs;
  }
}

/**
 * Says whether a request was addressed to this server by a name that is its own: `localhost`, an IP address, the
 * public URL's name, or one of `allowedHosts`. Another name may be an attacker's that was pointed here (DNS
 * rebinding), whose pages the browser then takes for ours; an IP address cannot be rebound.
 */
export function isOwnHost(request: Request, publicUrl: string, allowedHosts: readonly string[]): boolean {
  const { hostname } = new URL(request.url);
  if (hostname === "localhost" || hostname.endsWith(".localhost")) return true;
  if (isIP(hostname.replace(/^\[|\]$/g, "")) !== 0) return true;
  return hostname === new URL(publicUrl).hostname || allowedHosts.includes(hostname);
}

/** Says whether a request comes from one of this server's own pages, as the browser vouches with `Origin`. */
export function isOwnOrigin(request: Request, publicUrl: string): boolean {
  const origin = request.headers.get("origin");
  if (origin === null || !URL.canParse(origin)) return false;
  return new URL(origin).host === new URL(request.url).host || new URL(origin).origin === new URL(publicUrl).origin;
}
