import { parseXml, type XmlElement } from "./xml.js";

/** Where instructions come from. */
export type TwimlSource =
  | { readonly type: "twiml"; readonly twiml: string }
  | {
      readonly type: "url";
      readonly url: string;
      readonly method: "GET" | "POST";
      readonly form?: Readonly<Record<string, string>>;
    };

/** Where something is reported to. */
export interface Callback {
  readonly url: string;
  readonly method: "GET" | "POST";
}

/** A media socket that the call is connected with. */
export interface TwimlStream {
  readonly url: string;
  readonly name?: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly statusCallback?: Callback;
}

/** One number or SIP address to dial. */
export interface TwimlDialled {
  readonly to: string;
  readonly statusCallback?: Callback;
  readonly statusCallbackEvents: readonly string[];
}

/** The verbs that the emulator acts on. Times in seconds, as in TwiML. */
export type TwimlVerb =
  | { readonly verb: "Connect"; readonly stream: TwimlStream; readonly action?: Callback }
  | {
      readonly verb: "Dial";
      readonly to: readonly TwimlDialled[];
      readonly callerId?: string;
      readonly timeout: number;
      readonly timeLimit: number;
      readonly action?: Callback;
    }
  | { readonly verb: "Play"; readonly url?: string; readonly digits?: string }
  | { readonly verb: "Say"; readonly text: string }
  | { readonly verb: "Pause"; readonly length: number }
  | { readonly verb: "Redirect"; readonly to: Callback }
  | { readonly verb: "Reject"; readonly reason: "rejected" | "busy" }
  | { readonly verb: "Hangup" };

/** A document or an instruction that Twilio would refuse, with its code of Twilio's list of errors. */
export class TwimlError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.name = "TwimlError";
    this.code = code;
  }
}

/** `<Dial>`. */
export type DialVerb = Extract<TwimlVerb, { readonly verb: "Dial" }>;

/**
 * Reads TwiML; relative addresses are resolved against `base`.
 * @throws TwimlError for what Twilio, or this emulator, does not act on.
 */
export function parseTwiml(twiml: string, base?: string): TwimlVerb[] {
  let root: XmlElement;
  try {
    root = parseXml(twiml.trim());
  } catch (error) {
    throw new TwimlError(12100, `Document parse failure: ${(error as Error).message}`);
  }
  if (root.name !== "Response") throw new TwimlError(12102, `The root element is <${root.name}> instead of <Response>.`);
  return root.children.map((element) => parseVerb(element, base));
}

function parseVerb(element: XmlElement, base: string | undefined): TwimlVerb {
  const { name, attributes, text } = element;
  switch (name) {
    case "Connect":
      return { verb: name, stream: parseStream(onlyChild(element, "Stream"), base), ...callback(attributes, "action", base) };
    case "Dial":
      return parseDial(element, base);
    case "Play":
      return {
        verb: name,
        ...(text === "" ? {} : { url: absolute(text, base) }),
        ...(attributes["digits"] === undefined ? {} : { digits: attributes["digits"] }),
      };
    case "Say":
      return { verb: name, text };
    case "Pause":
      return { verb: name, length: seconds(element, "length", 1) };
    case "Redirect":
      return { verb: name, to: { url: absolute(text, base), method: method(attributes["method"]) } };
    case "Reject":
      return { verb: name, reason: attributes["reason"] === "busy" ? "busy" : "rejected" };
    case "Hangup":
      return { verb: name };
    default:
      throw new TwimlError(12200, `TwilioEmulator does not act on <${name}>.`);
  }
}

function parseStream(element: XmlElement, base: string | undefined): TwimlStream {
  const { url = "", name } = element.attributes;
  const parameters = element.children.map((child) => {
    const { name: key = "", value = "" } = child.attributes;
    if (child.name !== "Parameter" || key === "") throw new TwimlError(12200, `<Stream> contains <${child.name}>.`);
    if (key.length + value.length > 500) throw new TwimlError(12200, `The parameter ${key} is over 500 characters long.`);
    return [key, value];
  });
  return {
    url,
    ...(name === undefined ? {} : { name }),
    parameters: Object.fromEntries(parameters) as Record<string, string>,
    ...callback(element.attributes, "statusCallback", base),
  };
}

function parseDial(element: XmlElement, base: string | undefined): TwimlVerb {
  const { attributes, text, children } = element;
  const nouns = children.map((child) => {
    if (child.name !== "Number" && child.name !== "Sip")
      throw new TwimlError(12200, `TwilioEmulator does not act on <Dial><${child.name}>.`);
    return {
      to: child.text,
      statusCallbackEvents: (child.attributes["statusCallbackEvent"] ?? "completed").split(/\s+/),
      ...callback(child.attributes, "statusCallback", base),
    };
  });
  const to = text === "" ? nouns : [{ to: text, statusCallbackEvents: [] }, ...nouns];
  if (to.length === 0) throw new TwimlError(13221, "<Dial> names nobody to call.");
  return {
    verb: "Dial",
    to,
    ...(attributes["callerId"] === undefined ? {} : { callerId: attributes["callerId"] }),
    timeout: seconds(element, "timeout", 30),
    timeLimit: seconds(element, "timeLimit", 14_400),
    ...callback(attributes, "action", base),
  };
}

function onlyChild(element: XmlElement, name: string): XmlElement {
  const [child, ...others] = element.children;
  if (child?.name === name && others.length === 0) return child;
  const found = element.children.map((each) => `<${each.name}>`).join("");
  throw new TwimlError(12200, `TwilioEmulator acts on <${element.name}><${name}>, not on <${element.name}>${found}.`);
}

function callback<K extends string>(
  attributes: Readonly<Record<string, string>>,
  name: K,
  base: string | undefined,
): Partial<Record<K, Callback>> {
  const url = attributes[name];
  const chosen = attributes[name === "action" ? "method" : `${name}Method`];
  return url === undefined ? {} : ({ [name]: { url: absolute(url, base), method: method(chosen) } } as Record<K, Callback>);
}

function absolute(url: string, base: string | undefined): string {
  if (!URL.canParse(url, base)) throw new TwimlError(11100, `"${url}" is no URL.`);
  return new URL(url, base).href;
}

function method(value = "POST"): "GET" | "POST" {
  const upper = value.toUpperCase();
  if (upper !== "GET" && upper !== "POST") throw new TwimlError(12200, `The method ${value} is neither GET nor POST.`);
  return upper;
}

function seconds(element: XmlElement, name: string, fallback: number): number {
  const value = element.attributes[name];
  if (value === undefined) return fallback;
  if (!/^\d+$/.test(value)) throw new TwimlError(12200, `${name}="${value}" of <${element.name}> is no number of seconds.`);
  return Number(value);
}
