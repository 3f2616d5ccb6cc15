import type {
  AgentInfo,
  Carrier,
  CarrierHost,
  CarrierLine,
  CarrierSetup,
  Dialling,
  DialRequest,
  IncomingCall,
  SocketDecision,
} from "../core/carrier.js";
import type { Clock } from "../core/clock.js";
import { ConfigError } from "../core/errors.js";
import type { Logger } from "../core/logger.js";

/** Answers a request, or leaves it to the next with `undefined`. */
export type RequestHandler = (request: Request) => Promise<Response | undefined>;

export interface AppOptions extends Pick<Partial<CarrierSetup>, "phoneNumber" | "managesWebhook"> {
  readonly carriers: readonly Carrier[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where others reach the app, such as `https://example.com`; no trailing slash. Asked anew on each use. */
  readonly publicUrl: () => string;
  /** Takes a connected call and the carrier that it came from. */
  readonly onCall: (call: IncomingCall, carrier: Carrier) => void;
  readonly agent?: AgentInfo;
  /** Whether new calls are to be turned away. Default: they are not. */
  readonly isDraining?: () => boolean;
  /** Asked before the carriers. */
  readonly handlers?: readonly RequestHandler[];
}

/** The routes of a server, without a socket: every request and every WebSocket upgrade is decided here. */
export interface App {
  fetch(request: Request): Promise<Response>;
  /** `undefined`: no carrier knows this path. */
  upgrade(request: Request): SocketDecision | undefined;
  /** Has every carrier made ready for calls, once requests reach the app. Disposing what it returns lets them go. */
  open(signal: AbortSignal): Promise<Required<CarrierLine>>;
  /** Places a call with the first carrier that can. @throws ConfigError when none can. */
  dial(request: DialRequest): Promise<Dialling>;
}

/** Largest request body, in bytes; a carrier's webhook has a few thousand. */
const MAX_BODY_BYTES = 1024 * 1024;

/** Builds the app: `GET /health`, the handlers, each carrier's own routes, and 404 for the rest. */
export async function createApp(options: AppOptions): Promise<App> {
  const [{ Hono }, { bodyLimit }] = await Promise.all([import("hono"), import("hono/body-limit")]);
  const hosts = options.carriers.map((carrier) => ({ carrier, host: carrierHost(carrier, options) }));

  const hono = new Hono();
  hono.use(
    bodyLimit({
      maxSize: MAX_BODY_BYTES,
      // The rest of the body is never read, so the connection cannot be used again.
      onError: (context) =>
        context.json({ error: "body_too_large", message: `A body has at most ${MAX_BODY_BYTES} bytes.` }, 413, {
          connection: "close",
        }),
    }),
  );
  hono.get("/health", (context) => context.json({ status: "ok" }));
  hono.all("*", async (context) => {
    for (const handler of options.handlers ?? []) {
      const response = await handler(context.req.raw);
      if (response !== undefined) return response;
    }
    for (const { carrier, host } of hosts) {
      const response = await carrier.handle(context.req.raw, host);
      if (response !== undefined) return response;
    }
    return context.json({ error: "not_found", message: `Nothing is served at ${context.req.path}.` }, 404);
  });
  hono.onError((error, context) => {
    options.logger.error({ err: error, path: context.req.path }, "request failed");
    return context.json({ error: "internal", message: "The server failed to answer; its log says why." }, 500);
  });

  return {
    fetch: async (request) => hono.fetch(request),
    upgrade: (request) => {
      for (const { carrier, host } of hosts) {
        const decision = carrier.upgrade(request, host);
        if (decision !== undefined) return decision;
      }
      return undefined;
    },
    open: async (signal) => {
      const opened: CarrierLine[] = [];
      const close = async (): Promise<void> => {
        for (const line of opened.splice(0)) await line[Symbol.asyncDispose]();
      };
      try {
        for (const { carrier, host } of hosts) if (carrier.open !== undefined) opened.push(await carrier.open(host, signal));
      } catch (error) {
        await close();
        throw error;
      }
      const settled = async (): Promise<void> => void (await Promise.all(opened.map(async (line) => line.settled?.())));
      return { settled, [Symbol.asyncDispose]: close };
    },
    dial: async (request) => {
      for (const { carrier, host } of hosts) if (carrier.dial !== undefined) return carrier.dial(request, host);
      throw new ConfigError("This carrier places no calls: use a telephone carrier, such as new Twilio().");
    },
  };
}

function carrierHost(carrier: Carrier, options: AppOptions): CarrierHost {
  return {
    clock: options.clock,
    logger: options.logger.child({ carrier: carrier.name }),
    get publicUrl() {
      return options.publicUrl();
    },
    get isDraining() {
      return options.isDraining?.() ?? false;
    },
    ...(options.agent === undefined ? {} : { agent: options.agent }),
    ...(options.phoneNumber === undefined ? {} : { phoneNumber: options.phoneNumber }),
    ...(options.managesWebhook === undefined ? {} : { managesWebhook: options.managesWebhook }),
    incoming: (call) => options.onCall(call, carrier),
  };
}
