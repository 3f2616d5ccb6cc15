/** The answer that connects a call to a media stream, and asks what is next should the stream end. */
export function connectTwiml(addresses: { readonly streamUrl: string; readonly continueUrl: string }): string {
  const { streamUrl, continueUrl } = addresses;
  // While the stream is open the verbs after it wait.
  return response(
    `<Connect><Stream url="${escapeXml(streamUrl)}"/></Connect><Redirect method="POST">${escapeXml(continueUrl)}</Redirect>`,
  );
}

/** The answer to a call that cannot be taken: spoken where there is a message, else a busy tone, which costs nothing. */
export function busyTwiml(message: string | undefined): string {
  return response(message === undefined ? '<Reject reason="busy"/>' : `<Say>${escapeXml(message)}</Say><Hangup/>`);
}

export function hangUpTwiml(): string {
  return response("<Hangup/>");
}

export interface DialTwiml {
  readonly number: string;
  /** How long it may ring, in seconds. */
  readonly timeoutS: number;
  /** Asked when the dialling or the connected call is over. */
  readonly actionUrl: string;
  /** Told when the number answers. */
  readonly answeredUrl: string;
}

/** Connects the call with another number. */
export function dialTwiml({ number, timeoutS, actionUrl, answeredUrl }: DialTwiml): string {
  const report = `statusCallbackEvent="answered" statusCallback="${escapeXml(answeredUrl)}" statusCallbackMethod="POST"`;
  return response(
    `<Dial timeout="${timeoutS}" action="${escapeXml(actionUrl)}" method="POST"><Number ${report}>${escapeXml(number)}</Number></Dial>`,
  );
}

function response(verbs: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><Response>${verbs}</Response>`;
}

const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" };

function escapeXml(text: string): string {
  // Control characters are not allowed in XML 1.0, escaped or not.
  return text.replace(/[^\P{Cc}\t\n\r]/gu, "").replace(/[&<>"']/g, (character) => ESCAPES[character] as string);
}
