import type { CarrierSetup } from "./core/carrier.js";
import { ConfigError } from "./core/errors.js";
import type { ServeOptions } from "./options.js";
import type { Endpoint, EndpointOptions } from "./server/endpoint.js";

/** What carriers are reached through. */
export interface Reached {
  readonly endpoint: Endpoint;
  /** Where it is reached from this machine; from outside, where nothing listens here. */
  readonly url: string;
  readonly close: () => Promise<void>;
}

type Listen = (options: Omit<EndpointOptions, "publicUrl"> & CarrierSetup) => Promise<Reached>;

/** What makes carriers reachable: a server of this phone's own, or the program's, which then passes requests on. */
export async function listener({ listen = true, port, host }: ServeOptions): Promise<Listen> {
  const [{ startServer }, { Endpoint }] = await Promise.all([import("./server/server.js"), import("./server/endpoint.js")]);
  if (listen)
    return (options) => startServer({ ...options, ...(port !== undefined && { port }), ...(host !== undefined && { host }) });
  return async ({ publicUrl: url, ...options }) => {
    if (url === undefined)
      throw new ConfigError(
        'serve({ listen: false }) needs its public address: pass webhookUrl, such as "https://agent.example.com".',
      );
    const endpoint = await Endpoint.create({ ...options, publicUrl: () => url });
    const close = (): Promise<void> => endpoint.close();
    try {
      await endpoint.open();
    } catch (error) {
      await close();
      throw error;
    }
    return { endpoint, url, close };
  };
}
