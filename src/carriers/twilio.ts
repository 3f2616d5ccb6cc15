import type { Carrier, CarrierHost, CarrierLine, CarrierSetup, Dialling, DialRequest, SocketDecision } from "../core/carrier.js";
import { ConfigError } from "../core/errors.js";
import { checkOptionNames } from "../core/option-names.js";
import { credential } from "../provider-kit/credentials.js";
import { parseUrl } from "../provider-kit/http.js";
import { checkDialRules } from "./telephone/dial-rules.js";
import { TwilioLine } from "./twilio/line.js";
import { TwilioRest } from "./twilio/rest.js";

export interface TwilioOptions {
  /** Begins with `AC`. Default: `TWILIO_ACCOUNT_SID`. */
  readonly accountSid?: string;
  /** Also what Twilio signs its requests with. Default: `TWILIO_AUTH_TOKEN`. */
  readonly authToken?: string;
  /** Calls at once; further ones are turned away. Default: no limit. */
  readonly maxConcurrentCalls?: number;
  /** Spoken to a caller who is turned away. Default: nothing is, and they hear a busy tone. */
  readonly busyMessage?: string;
  /**
   * Where calls may be transferred: calling codes (`+44`), longer beginnings of up to 7 digits (`+1415`) or whole numbers,
   * E.164. Premium ranges are refused unless the whole number is given. Default: the calling code of the call's own number.
   */
  readonly transferNumbers?: readonly string[];
  /** Where calls may be placed to, written likewise. Default: anywhere but to premium ranges. */
  readonly callNumbers?: readonly string[];
  /** Where the REST API is, such as a region's `https://api.dublin.ie1.twilio.com`. Default `https://api.twilio.com`. */
  readonly baseUrl?: string;
  /** Carries the REST requests. Default: connections of its own. */
  readonly fetch?: typeof fetch;
}

const NAMES: readonly (keyof TwilioOptions)[] = [
  "accountSid",
  "authToken",
  "maxConcurrentCalls",
  "busyMessage",
  "transferNumbers",
  "callNumbers",
  "baseUrl",
  "fetch",
];
/** What every E.164 number begins with. */
const ANY_NUMBER = ["+"];
const DEFAULT_BASE_URL = "https://api.twilio.com";

/** Calls on the telephone by Twilio, over its Media Streams. */
export class Twilio implements Carrier {
  readonly name = "twilio";
  readonly #options: TwilioOptions;
  readonly #accountSid: string;
  readonly #authToken: string;
  readonly #lines = new WeakMap<CarrierHost, TwilioLine>();

  /** @throws ConfigError when an option or a credential is missing, unknown or wrong. */
  constructor(options: TwilioOptions = {}) {
    checkOptionNames(options, { where: "Twilio", known: NAMES });
    const { accountSid, authToken, maxConcurrentCalls, transferNumbers, callNumbers, baseUrl } = options;
    this.#accountSid = credential({ provider: "Twilio", option: "accountSid", env: "TWILIO_ACCOUNT_SID", value: accountSid });
    this.#authToken = credential({ provider: "Twilio", option: "authToken", env: "TWILIO_AUTH_TOKEN", value: authToken });
    if (!this.#accountSid.startsWith("AC"))
      throw new ConfigError(
        `Twilio cannot use the accountSid "${this.#accountSid}": pass the one of the account, which begins with AC.`,
      );
    if (maxConcurrentCalls !== undefined && !(Number.isInteger(maxConcurrentCalls) && maxConcurrentCalls > 0))
      throw new ConfigError(`Twilio cannot use { maxConcurrentCalls: ${maxConcurrentCalls} }: pass a whole number above 0.`);
    if (transferNumbers !== undefined) checkDialRules("transferNumbers of Twilio", transferNumbers);
    if (callNumbers !== undefined) checkDialRules("callNumbers of Twilio", callNumbers);
    if (baseUrl !== undefined) parseUrl("Twilio", "baseUrl", baseUrl);
    this.#options = options;
  }

  /** Twilio calls the server: it needs a public https address, and a number to point at it. */
  check({ publicUrl, phoneNumber, managesWebhook }: CarrierSetup): void {
    if (publicUrl === undefined)
      throw new ConfigError(
        'Twilio must be able to reach this server: pass serve({ webhookUrl: "https://agent.example.com" }), its public address.',
      );
    const { protocol, hostname } = new URL(publicUrl);
    if (protocol !== "https:" && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname))
      throw new ConfigError(`Twilio opens streams over TLS only: give webhookUrl ${publicUrl} as an https address.`);
    if (managesWebhook && phoneNumber === undefined)
      throw new ConfigError(
        "Twilio needs the number to point at this server: pass phoneNumber to Patter, or manageWebhook: false to serve() and point it yourself.",
      );
  }

  /** Points the number at the server, unless it is not to be managed. @throws CarrierError when Twilio refuses. */
  async open(host: CarrierHost, signal: AbortSignal): Promise<CarrierLine> {
    const line = this.#line(host);
    try {
      if (host.managesWebhook === true && host.phoneNumber !== undefined) await line.pointNumber(host.phoneNumber, signal);
    } catch (error) {
      await line[Symbol.asyncDispose]();
      throw error;
    }
    return line;
  }

  /** Answers Twilio's webhooks, those that it signed. */
  handle(request: Request, host: CarrierHost): Promise<Response | undefined> {
    return this.#line(host).handle(request);
  }

  /** Accepts the media streams that this server asked for. */
  upgrade(request: Request, host: CarrierHost): SocketDecision | undefined {
    return this.#line(host).upgrade(request);
  }

  /** Places a call. A number that is not called is an outcome. @throws CarrierError when Twilio takes no call. */
  dial(request: DialRequest, host: CarrierHost): Promise<Dialling> {
    return this.#line(host).dial(request);
  }

  #line(host: CarrierHost): TwilioLine {
    const known = this.#lines.get(host);
    if (known !== undefined) return known;
    const {
      baseUrl = DEFAULT_BASE_URL,
      maxConcurrentCalls,
      busyMessage,
      transferNumbers,
      callNumbers = ANY_NUMBER,
    } = this.#options;
    const line = new TwilioLine({
      host,
      rest: new TwilioRest({
        accountSid: this.#accountSid,
        authToken: this.#authToken,
        baseUrl: baseUrl.replace(/\/+$/, ""),
        clock: host.clock,
        fetch: this.#options.fetch,
      }),
      authToken: this.#authToken,
      maxConcurrentCalls: maxConcurrentCalls ?? Number.POSITIVE_INFINITY,
      busyMessage,
      transferRules: transferNumbers === undefined ? undefined : { allow: transferNumbers },
      callRules: { allow: callNumbers },
    });
    this.#lines.set(host, line);
    return line;
  }
}

export { Twilio as Carrier };
