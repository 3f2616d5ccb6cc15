import { type AddressInfo, createServer, type Socket } from "node:net";
import { expect, test, vi } from "vitest";
import { startVendor } from "../../test/llm/vendor.js";
import { VirtualClock } from "../core/clock.js";
import { ConfigError, ProviderTimeoutError } from "../core/errors.js";
import { deferred } from "../core/signals.js";
import { HttpClient, type HttpRequest, parseUrl } from "./http.js";
import { readText } from "./http-errors.js";

const IDENTITY = { provider: "example", className: "ExampleLLM" };

function get(url: string, extra: Partial<HttpRequest> = {}): HttpRequest {
  return { method: "GET", url, headers: {}, headersTimeoutMs: 6000, ...extra };
}

test("headers that do not come in time fail the request by the clock that was passed in", async () => {
  const arrived = deferred();
  await using vendor = await startVendor(() => arrived.resolve());
  await using http = new HttpClient(IDENTITY);
  const clock = new VirtualClock();
  const response = http.request(get(vendor.url, { clock }));
  response.catch(() => {});
  await arrived.promise;
  await clock.advance(6000);
  await expect(response).rejects.toBeInstanceOf(ProviderTimeoutError);
  await expect(response).rejects.toThrow(`ExampleLLM heard nothing from ${vendor.url} within 6000 ms.`);
  expect(clock.pendingTimers).toBe(0);
});

test("a fetch that ignores its signal is left behind when the time is up", async () => {
  const clock = new VirtualClock();
  const http = new HttpClient(IDENTITY, { fetch: () => new Promise(() => {}) });
  const response = http.request(get("https://example.com", { clock }));
  response.catch(() => {});
  await clock.advance(6000);
  await expect(response).rejects.toBeInstanceOf(ProviderTimeoutError);
});

test("an abort rejects the request and the body with the signal's own reason", async () => {
  await using vendor = await startVendor((response, request) => {
    if (request.path === "/slow") response.write("begin");
  });
  await using http = new HttpClient(IDENTITY);
  const controller = new AbortController();
  const waiting = http.request(get(vendor.url, { signal: controller.signal }));
  await expect(http.request(get(vendor.url, { signal: AbortSignal.abort("before") }))).rejects.toBe("before");
  const response = await http.request(get(`${vendor.url}/slow`, { signal: controller.signal }));
  const text = readText(response, 100);
  const reason = new Error("barge-in");
  controller.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  await expect(text).rejects.toBe(reason);
});

test("requests that are aborted while they begin take no connection from later ones", async () => {
  await using vendor = await startVendor((response) => void response.end("ok"));
  await using http = new HttpClient(IDENTITY);
  for (let count = 0; count < 5; count++) {
    const controller = new AbortController();
    const request = http.request(get(vendor.url, { signal: controller.signal }));
    controller.abort(new Error("barge-in"));
    await expect(request).rejects.toThrow("barge-in");
  }
  for (let count = 0; count < 3; count++) await readText(await http.request(get(vendor.url)), 100);
  expect(vendor.connections).toBe(1);
});

test("a discarded body that ends leaves its connection for the next request; one that does not is dropped", async () => {
  await using vendor = await startVendor(
    (response, { path }) => void (path === "/endless" ? response.write("begin") : response.end("all of it")),
  );
  const http = new HttpClient(IDENTITY);
  const clock = new VirtualClock();
  const first = await http.request(get(vendor.url, { clock }));
  await readText(first, 100);
  first.discard();
  const endless = await http.request(get(`${vendor.url}/endless`, { clock }));
  expect(vendor.connections).toBe(1);
  endless.discard();
  await clock.advance(500);
  await vendor.aborted;
  await http[Symbol.asyncDispose]();
  expect(clock.pendingTimers).toBe(0);
});

test("a body that is discarded twice leaves no timer when it has ended", async () => {
  const clock = new VirtualClock();
  let end = (): void => {};
  const body = new ReadableStream({ start: (controller) => void (end = () => controller.close()) });
  const http = new HttpClient(IDENTITY, { fetch: async () => new Response(body) });
  const response = await http.request(get("https://example.com", { clock }));
  response.discard();
  response.discard();
  expect(clock.pendingTimers).toBe(1);
  end();
  await clock.advance(0);
  expect(clock.pendingTimers).toBe(0);
});

test("after it is closed, requests fail at once and open nothing", async () => {
  await using vendor = await startVendor(() => {});
  for (const fetch of [undefined, globalThis.fetch]) {
    const http = new HttpClient(IDENTITY, { fetch });
    const connections = vendor.connections;
    const inFlight = http.request(get(vendor.url));
    inFlight.catch(() => {});
    await vi.waitFor(() => expect(vendor.connections).toBe(connections + 1));
    await http[Symbol.asyncDispose]();
    for (const request of [inFlight, http.request(get(vendor.url))]) {
      await expect(request).rejects.toMatchObject({ code: "provider", retryable: false });
      await expect(request).rejects.toThrow("ExampleLLM was closed.");
    }
    await http[Symbol.asyncDispose]();
    expect(vendor.connections).toBe(connections + 1);
  }
});

test("a request that waits for another's handshake when it is closed opens nothing either", async () => {
  const sockets = new Set<Socket>();
  // Accepts, and says nothing.
  const server = createServer((socket) => void sockets.add(socket.on("error", () => {}).resume()));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const http = new HttpClient(IDENTITY);
  const requests = [http.request(get(url)), http.request(get(url))];
  for (const request of requests) request.catch(() => {});
  await vi.waitFor(() => expect(sockets.size).toBe(1));
  await http[Symbol.asyncDispose]();
  for (const request of requests) await expect(request).rejects.toMatchObject({ retryable: false });
  // The handshake under way ends now, and the second request would have begun its own.
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(sockets.size).toBe(1);
  await new Promise((resolve) => server.close(resolve));
});

test("an option that is no web address is refused with its value", () => {
  expect(parseUrl("ExampleLLM", "baseUrl", "http://localhost:8080").port).toBe("8080");
  for (const value of ["localhost:8080", "ftp://example.com", ""]) {
    expect(() => parseUrl("ExampleLLM", "baseUrl", value)).toThrow(ConfigError);
  }
});
