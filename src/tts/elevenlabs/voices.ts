import type { Clock } from "../../core/clock.js";
import { ConfigError } from "../../core/errors.js";
import { isRecord } from "../../core/json.js";
import { abortable } from "../../core/signals.js";
import type { HttpClient } from "../../provider-kit/http.js";
import { type ProviderIdentity, parseMessage, readText, vendorError } from "../../provider-kit/http-errors.js";
import { explained, readFailure } from "./wire.js";

/**
 * The default voices of November 2026 and their ids, as the vendor's list has them, and Rachel, whom many programs name.
 * Rachel was retired for new accounts in February 2026, and the vendor has announced to retire more of them.
 */
const DEFAULT_VOICES: Readonly<Record<string, string>> = {
  adam: "pNInz6obpgDQGcFmaJgB",
  alice: "Xb7hH8MSUJpSbSDYk0k2",
  bella: "hpp4J3VqNfWAUOO0d1Us",
  bill: "pqHfZKP75CvOlQylNhV4",
  brian: "nPczCjzI2devNBz1zQrb",
  callum: "N2lVS1w4EtoT3dr4eOWO",
  charlie: "IKne3meq5aSn9XLyUdCD",
  chris: "iP95p4xoKVk53GoZ742B",
  daniel: "onwK4e9ZLuTAKqWW03F9",
  eric: "cjVigY5qzO86Huf0OWal",
  george: "JBFqnCBsd6RMkjVDRZzb",
  harry: "SOYHLrjzK2X1ezoPC6cr",
  jessica: "cgSgspJ2msm6clMCkdW9",
  laura: "FGY2WhTYpPnrIDTdsKH5",
  liam: "TX3LPaxmHKxFdv7VOQHJ",
  lily: "pFZP5JQG7iQjIQuC4Bku",
  matilda: "XrExE9yKIg1WjnnlVkGX",
  rachel: "21m00Tcm4TlvDq8ikWAM",
  river: "SAz9YHcvj6GT2YYXdXww",
  roger: "CwhRBWXzGAHq8TQ4Fs17",
  sarah: "EXAVITQu4vr4xnSDxMaL",
  will: "bIHbv24MWmeRgasZH58o",
};
const DEFAULT_VOICE = "sarah";
const ID = /^[A-Za-z0-9]{20}$/;
const HEADERS_TIMEOUT_MS = 4000;
const MAX_LIST_BYTES = 4_194_304;
/** So many names fit into an error's message. */
const NAMES_SHOWN = 20;

export interface VoiceOptions {
  readonly identity: ProviderIdentity;
  readonly http: HttpClient;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly voiceId: string | undefined;
}

/** The voice that the user named, as an id. The account's list is asked only for a name that is no default voice's. */
export class Voice {
  readonly #options: VoiceOptions;
  readonly #known: string | undefined;
  #found: Promise<string> | undefined;

  constructor(options: VoiceOptions) {
    this.#options = options;
    const name = (options.voiceId ?? DEFAULT_VOICE).trim();
    this.#known = DEFAULT_VOICES[name.toLowerCase()] ?? (ID.test(name) ? name : undefined);
  }

  /** @throws ConfigError for a name that is none of the account's voices; ProviderError when the list cannot be had. */
  async id(signal: AbortSignal, clock?: Clock): Promise<string> {
    if (this.#known !== undefined) return this.#known;
    // Asked once for all calls; one that ends does not end it for the others.
    this.#found ??= this.#find(clock).catch((error: unknown) => {
      this.#found = undefined;
      throw error;
    });
    return await abortable(this.#found, signal);
  }

  async #find(clock: Clock | undefined): Promise<string> {
    const { identity, http, url, headers, voiceId = "" } = this.#options;
    const response = await http.request({ method: "GET", url, headers, clock, headersTimeoutMs: HEADERS_TIMEOUT_MS });
    const body = await readText(response, MAX_LIST_BYTES);
    if (response.status !== 200) throw explained(vendorError(identity, { status: response.status, ...readFailure(body) }));
    const list = parseMessage(identity, body)["voices"];
    const voices = (Array.isArray(list) ? list : [])
      .filter(isRecord)
      .map(({ name, voice_id: id }) => ({ name: String(name), id }));
    const wanted = voiceId.trim().toLowerCase();
    // The vendor's own names go on: "Sarah - Mature, Reassuring, Confident".
    const found =
      voices.find(({ name }) => name.toLowerCase() === wanted) ??
      voices.find(({ name }) => name.toLowerCase().split(/ [-–] /)[0] === wanted);
    if (typeof found?.id === "string") return found.id;
    const names = voices.map(({ name }) => name).slice(0, NAMES_SHOWN);
    throw new ConfigError(
      `${identity.className} found no voice ${JSON.stringify(voiceId)} in the account, which has ${names.join("; ")}. Pass one of these names, or a voice's id.`,
    );
  }
}
