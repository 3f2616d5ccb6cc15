import { ProtocolError, ProviderError, ProviderTimeoutError } from "../../core/errors.js";
import { isRecord, parseJson } from "../../core/json.js";
import type { ProviderIdentity, VendorFailure } from "../../provider-kit/http-errors.js";
import type { Refusal, SocketClose } from "../../provider-kit/websocket.js";

/** Reads Deepgram's refusal of a handshake: `{ err_code, err_msg, request_id }`, or only headers. */
export function readRefusal({ status, body, header }: Refusal): Omit<VendorFailure, "status"> {
  const parsed = parseJson(body);
  const fields = isRecord(parsed) ? parsed : {};
  const text = (...names: readonly string[]): string | undefined =>
    names.map((name) => fields[name]).find((value): value is string => typeof value === "string");
  return {
    type: text("err_code", "category"),
    message: text("err_msg", "message", "details") ?? header("dg-error") ?? body,
    requestId: text("request_id") ?? header("dg-request-id"),
    // So many sockets at once are too many only for a while.
    ...(status === 429 ? { retryable: true } : {}),
  };
}

/** Says what to do about an empty account, which the status alone does not. */
export function explained(error: unknown): unknown {
  if (!(error instanceof ProviderError) || error.status !== 402) return error;
  const { provider, status, vendorCode, requestId } = error;
  const message = `Deepgram refuses to work on credit (402 ${vendorCode ?? ""}). Add credits at console.deepgram.com, or check which project the key is of.`;
  return new ProviderError(message, { provider, status, vendorCode, requestId, cause: error });
}

/** The error for a socket that Deepgram closed while the call went on. */
export function closedError({ className, provider }: ProviderIdentity, { code, reason }: SocketClose): ProviderError {
  const [vendorCode] = /^[A-Z]+-\d{4}/.exec(reason) ?? [];
  const said = `${className} had its socket closed with ${code}${reason === "" ? "" : ` (${reason})`}.`;
  if (code === 1008)
    return new ProtocolError(`${said} Check that { encoding, sampleRate } are those of the audio.`, { provider, vendorCode });
  const options = { provider, vendorCode, retryable: true };
  if (code === 1011 && vendorCode !== undefined) return new ProviderTimeoutError(`${said} Check the network.`, options);
  return new ProviderError(`${said} Try again.`, options);
}
