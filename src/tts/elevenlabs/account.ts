import { credential } from "../../provider-kit/credentials.js";
import { HttpClient, parseUrl } from "../../provider-kit/http.js";
import type { ProviderIdentity } from "../../provider-kit/http-errors.js";
import { DEFAULT_BASE_URL, type ElevenLabsTTSOptions } from "./options.js";
import { Voice } from "./voices.js";

/** What every request needs: where to send it, for whom, and with which voice. */
export interface Account {
  readonly identity: ProviderIdentity;
  /** Without a slash at its end. */
  readonly baseUrl: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly http: HttpClient;
  readonly voice: Voice;
}

/** @throws ConfigError without a credential, and for a `baseUrl` that is no URL. */
export function openAccount(identity: ProviderIdentity, options: ElevenLabsTTSOptions): Account {
  const { className } = identity;
  const { apiKey: value, voiceId } = options;
  const key = credential({ provider: className, option: "apiKey", env: "ELEVENLABS_API_KEY", value });
  const url = parseUrl(className, "baseUrl", options.baseUrl ?? DEFAULT_BASE_URL);
  const baseUrl = `${url.origin}${url.pathname.replace(/\/+$/, "").replace(/\/v1$/, "")}`;
  const headers = { "xi-api-key": key };
  const http = new HttpClient(identity, { fetch: options.fetch });
  const voice = new Voice({ identity, http, url: `${baseUrl}/v1/voices`, headers, voiceId });
  return { identity, baseUrl, headers, http, voice };
}
