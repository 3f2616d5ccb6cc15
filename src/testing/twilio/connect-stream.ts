import { errorMessage } from "../../core/errors.js";
import { onAbort } from "../../core/signals.js";
import type { CallServices } from "./call-services.js";
import type { CallRun } from "./call-run.js";
import { MediaStream } from "./media-stream.js";
import { type TwilioSocket, TwilioUpgradeError } from "./network.js";
import { twilioDate } from "./status-reports.js";
import { TwimlError, type TwimlStream } from "./twiml.js";

/** Opens the media socket of a `<Stream>`, signed by its `wss://` address, and streams until either side ends it. */
export async function connectStream(
  stream: TwimlStream,
  run: CallRun,
  services: CallServices,
  signal: AbortSignal,
): Promise<void> {
  const { log, handset } = run;
  const tell = (event: string, form: Readonly<Record<string, string>>): void =>
    report(stream, run, services, { StreamEvent: event, ...form });
  const socket = await openSocket(stream, services, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    log.add({ type: "error", code: errorCode(error), message: errorMessage(error) });
    tell("stream-error", { StreamError: errorMessage(error) });
  });
  if (socket === undefined) return;
  const media = new MediaStream({
    clock: services.clock,
    socket,
    accountSid: services.accountSid,
    callSid: run.sid,
    customParameters: stream.parameters,
    handset,
    log,
    markFault: (name) => services.markFault(name, run),
  });
  run.stream = media;
  tell("stream-started", { StreamSid: media.streamSid });
  using _stop = onAbort(signal, () => media.stop());
  await media.run();
  run.stream = undefined;
  tell("stream-stopped", { StreamSid: media.streamSid });
  signal.throwIfAborted();
}

async function openSocket(stream: TwimlStream, services: CallServices, signal: AbortSignal): Promise<TwilioSocket> {
  if (!URL.canParse(stream.url)) throw new TwimlError(31923, `"${stream.url}" is no address of a media socket.`);
  const { protocol, search } = new URL(stream.url);
  if (protocol !== "wss:") throw new TwimlError(31922, `A media socket's address begins with wss://, unlike ${stream.url}.`);
  if (search !== "") throw new TwimlError(31920, `A media socket's address has no query string, unlike ${stream.url}.`);
  const headers = { "user-agent": "TwilioMediaStreams", "x-twilio-signature": services.webhooks.sign(stream.url) };
  const socket = await services.network.connect(stream.url, headers, signal);
  if (signal.aborted) socket.drop();
  signal.throwIfAborted();
  return socket;
}

/** Of Twilio's: a handshake that was answered with another status than 101 is not a host that could not be reached. */
function errorCode(error: unknown): number {
  if (error instanceof TwimlError) return error.code;
  return error instanceof TwilioUpgradeError ? 31920 : 31902;
}

function report(stream: TwimlStream, run: CallRun, services: CallServices, form: Readonly<Record<string, string>>): void {
  if (stream.statusCallback === undefined) return;
  run.tell("stream", stream.statusCallback, {
    AccountSid: services.accountSid,
    CallSid: run.sid,
    StreamName: stream.name ?? "",
    Timestamp: twilioDate(services.clock.epochMs()),
    ...form,
  });
}
