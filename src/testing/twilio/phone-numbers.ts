import { newSid } from "./sids.js";
import { twilioDate } from "./status-reports.js";
import type { Callback } from "./twiml.js";

/** A number of the account, and where its calls are answered. */
export interface TwilioPhoneNumber {
  /** In E.164 form: `+15550100`. */
  readonly phoneNumber: string;
  readonly voiceUrl?: string;
  /** Default `POST`. */
  readonly voiceMethod?: "GET" | "POST";
  readonly voiceFallbackUrl?: string;
  /** Told when a call to this number has ended. */
  readonly statusCallback?: string;
}

/** The settings of a number that a request may change, by their names in requests. */
const SETTINGS = {
  VoiceUrl: "voice_url",
  VoiceMethod: "voice_method",
  VoiceFallbackUrl: "voice_fallback_url",
  VoiceFallbackMethod: "voice_fallback_method",
  StatusCallback: "status_callback",
  StatusCallbackMethod: "status_callback_method",
  FriendlyName: "friendly_name",
} as const;
type Setting = (typeof SETTINGS)[keyof typeof SETTINGS];

/** One entry of the account's IncomingPhoneNumbers. */
export class PhoneNumber {
  readonly sid = newSid("PN");
  readonly phoneNumber: string;
  readonly #settings: Record<Setting, string>;

  constructor({
    phoneNumber,
    voiceUrl = "",
    voiceMethod = "POST",
    voiceFallbackUrl = "",
    statusCallback = "",
  }: TwilioPhoneNumber) {
    this.phoneNumber = phoneNumber;
    this.#settings = {
      voice_url: voiceUrl,
      voice_method: voiceMethod,
      voice_fallback_url: voiceFallbackUrl,
      voice_fallback_method: "POST",
      status_callback: statusCallback,
      status_callback_method: "POST",
      friendly_name: phoneNumber,
    };
  }

  get voice(): Callback | undefined {
    return this.#callback("voice_url", "voice_method");
  }

  get fallback(): Callback | undefined {
    return this.#callback("voice_fallback_url", "voice_fallback_method");
  }

  get statusCallback(): Callback | undefined {
    return this.#callback("status_callback", "status_callback_method");
  }

  update(form: URLSearchParams): void {
    for (const [name, setting] of Object.entries(SETTINGS)) {
      const value = form.get(name);
      if (value !== null) this.#settings[setting] = value;
    }
  }

  resource(accountSid: string, epochMs: number): object {
    return {
      sid: this.sid,
      account_sid: accountSid,
      phone_number: this.phoneNumber,
      api_version: "2010-04-01",
      beta: false,
      capabilities: { voice: true, sms: false, mms: false, fax: false },
      ...this.#settings,
      voice_application_sid: "",
      trunk_sid: null,
      origin: "twilio",
      status: "in-use",
      date_created: twilioDate(epochMs),
      date_updated: twilioDate(epochMs),
      uri: `/2010-04-01/Accounts/${accountSid}/IncomingPhoneNumbers/${this.sid}.json`,
    };
  }

  #callback(url: Setting, method: Setting): Callback | undefined {
    const address = this.#settings[url];
    return address === "" ? undefined : { url: address, method: this.#settings[method] === "GET" ? "GET" : "POST" };
  }
}
