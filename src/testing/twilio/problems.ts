import type { RestResponse } from "./rest-response.js";

/** A refusal in the words of Twilio's REST API. */
export function problem(status: number, code: number, message: string): RestResponse {
  const headers: Record<string, string> = {};
  if (status === 401) headers["www-authenticate"] = 'Basic realm="Twilio API"';
  const body = { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status };
  return { status, headers, body };
}

/** The refusal of a path that leads nowhere. */
export function notFound(path: string): RestResponse {
  return problem(404, 20404, `The requested resource ${path} was not found`);
}
