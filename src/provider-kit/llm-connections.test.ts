import { createSecureServer, type Http2ServerResponse } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { CERTIFICATE } from "../testing/anthropic/certificate.js";
import { IDENTITY, ScriptedDecoder, type Step } from "../../test/llm/scripted-fetch.js";
import { collect, startVendor, textOf } from "../../test/llm/vendor.js";
import { VirtualClock } from "../core/clock.js";
import type { LlmChunk, LlmOptions, LlmTiming } from "../core/llm.js";
import { HttpClient } from "./http.js";
import { streamAnswer } from "./http-llm.js";

const ANSWER: readonly Step[] = [{ prompt: 100 }, { text: "Hi" }, { end: "end_turn" }];

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

const wire = (steps: readonly Step[]): string => steps.map((step) => `data: ${JSON.stringify(step)}\n\n`).join("");

function stream(http: HttpClient, url: string, options?: LlmOptions): AsyncGenerator<LlmChunk, void, undefined> {
  const request = { http, identity: IDENTITY, url, headers: {}, body: "{}", decoder: () => new ScriptedDecoder() };
  return streamAnswer(request, options);
}

function timingOf(chunks: readonly LlmChunk[]): LlmTiming {
  const end = chunks.at(-1);
  if (end?.type !== "done" || end.timing === undefined) throw new Error("The answer has no timing.");
  return end.timing;
}

interface Http2Vendor extends AsyncDisposable {
  readonly url: string;
  readonly connections: number;
  /** Streams that the client has cancelled. */
  readonly cancelled: number;
  /** Cuts every connection. */
  cut(): void;
}

/** A vendor on HTTP/2; its certificate is trusted until the test ends. */
async function startHttp2Vendor(answer: (response: Http2ServerResponse, path: string) => void): Promise<Http2Vendor> {
  vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
  const sockets = new Set<Socket>();
  let connections = 0;
  let cancelled = 0;
  const server = createSecureServer(CERTIFICATE, (request, response) => {
    request.resume();
    response.stream.on("aborted", () => cancelled++);
    answer(response, request.url);
  });
  server.on("secureConnection", (socket: Socket) => {
    connections++;
    sockets.add(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    get connections() {
      return connections;
    },
    get cancelled() {
      return cancelled;
    },
    cut,
    [Symbol.asyncDispose]: async () => {
      cut();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

test("the first answer waits for its connection, the next finds it open, and one after it broke waits again", async () => {
  await using vendor = await startHttp2Vendor((response) => void response.end(wire(ANSWER)));
  await using http = new HttpClient(IDENTITY);
  const first = timingOf(await collect(stream(http, vendor.url)));
  const second = timingOf(await collect(stream(http, vendor.url)));
  // A handshake, against the passing of a promise.
  expect(second.connectMs).toBeLessThan(first.connectMs ?? 0);
  expect(second).toEqual({ connectMs: expect.any(Number), headersMs: expect.any(Number), firstContentMs: expect.any(Number) });
  expect(vendor.connections).toBe(1);
  vendor.cut();
  // The client may not have seen it yet: then the one retry opens the new connection.
  const third = await collect(stream(http, vendor.url));
  expect(textOf(third)).toBe("Hi");
  expect(timingOf(third).connectMs).toBeGreaterThan(0);
  expect(vendor.connections).toBe(2);
});

test("over HTTP/2 twenty answers, most of them cut off by the caller, take one connection", async () => {
  await using vendor = await startHttp2Vendor((response) => void response.write(wire([{ prompt: 1 }, { text: "Hello, and" }])));
  await using http = new HttpClient(IDENTITY);
  for (let turn = 0; turn < 20; turn++) {
    const controller = new AbortController();
    const chunks = stream(http, vendor.url, { signal: controller.signal });
    await chunks.next();
    controller.abort();
    expect(await chunks.next()).toEqual({ value: undefined, done: true });
  }
  await vi.waitFor(() => expect(vendor.cancelled).toBe(20));
  expect(vendor.connections).toBe(1);
});

test("over HTTP/2 a request that is cut off before its headers leaves the connection to the next", async () => {
  let seen = 0;
  await using vendor = await startHttp2Vendor((response) => {
    seen++;
    if (seen > 5) response.end(wire(ANSWER));
  });
  await using http = new HttpClient(IDENTITY);
  for (let turn = 1; turn <= 5; turn++) {
    const chunks = stream(http, vendor.url);
    const next = chunks.next();
    await vi.waitFor(() => expect(seen).toBe(turn));
    await chunks.return();
    expect(await next).toEqual({ value: undefined, done: true });
  }
  expect(textOf(await collect(stream(http, vendor.url)))).toBe("Hi");
  expect([vendor.connections, vendor.cancelled]).toEqual([1, 5]);
});

test("over HTTP/2 thirty answers at once take one connection", async () => {
  await using vendor = await startHttp2Vendor((response) => void response.end(wire(ANSWER)));
  await using http = new HttpClient(IDENTITY);
  const answers = await Promise.all(Array.from({ length: 30 }, () => collect(stream(http, vendor.url))));
  expect(answers.map(textOf)).toEqual(Array.from({ length: 30 }, () => "Hi"));
  expect(vendor.connections).toBe(1);
});

test("over HTTP/2 an answer that stays away leaves the connection in use while anything comes over it, and only then", async () => {
  const clock = new VirtualClock();
  let silentRequests = 0;
  let beat = (): void => {};
  await using vendor = await startHttp2Vendor((response, path) => {
    if (path === "/silent") return void silentRequests++;
    if (path === "/") return void response.end(wire(ANSWER));
    beat = () => void response.write(wire([{ text: "." }]));
    beat();
  });
  await using http = new HttpClient(IDENTITY);
  const live = stream(http, `${vendor.url}/live`);
  await live.next();
  const waitInVain = async (meanwhile: () => Promise<unknown>): Promise<void> => {
    const seen = silentRequests;
    const silent = http.request({ method: "GET", url: `${vendor.url}/silent`, headers: {}, clock, headersTimeoutMs: 6000 });
    silent.catch(() => {});
    await vi.waitFor(() => expect(silentRequests).toBe(seen + 1));
    await clock.advance(3000);
    await meanwhile();
    await clock.advance(3000);
    await expect(silent).rejects.toMatchObject({ code: "timeout" });
    await collect(stream(http, vendor.url));
  };
  await waitInVain(() => {
    beat();
    return live.next();
  });
  expect(vendor.connections).toBe(1);
  await waitInVain(async () => {});
  expect(vendor.connections).toBe(2);
});

test.each([
  ["h2", 1],
  ["http/1.1", 2],
])(
  "on undici's own timers, a connection over %s stays open for half a minute in which nobody speaks",
  async (protocol, connections) => {
    const answer = (response: { end(text: string): unknown }): void => void response.end(wire(ANSWER));
    await using vendor =
      protocol === "h2" ? await startHttp2Vendor(answer) : await startVendor(answer, { keepAliveMs: 3_600_000 });
    await using http = new HttpClient(IDENTITY);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    await collect(stream(http, vendor.url));
    await vi.advanceTimersByTimeAsync(30_000);
    await collect(stream(http, vendor.url));
    expect(vendor.connections).toBe(1);
    // It closes an idle one after five minutes, if only over HTTP/1.1: the timers above were its own.
    await vi.advanceTimersByTimeAsync(600_000);
    await collect(stream(http, vendor.url));
    expect(vendor.connections).toBe(connections);
  },
);

test("over HTTP/1.1 the rest behind the end of an answer is read away, so that the next uses the same connection", async () => {
  await using vendor = await startVendor((response) => {
    response.write(wire(ANSWER));
    setImmediate(() => response.end(wire(["ping"])));
  });
  await using http = new HttpClient(IDENTITY);
  for (let turn = 0; turn < 3; turn++) {
    await collect(stream(http, vendor.url));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(vendor.connections).toBe(1);
});

test("a connection that breaks before any content is answered by a new one", async () => {
  await using vendor = await startVendor((response, _request, attempt) => {
    if (attempt === 1) response.destroy();
    else response.end(wire(ANSWER));
  });
  await using http = new HttpClient(IDENTITY);
  const chunks = await collect(stream(http, vendor.url));
  expect(textOf(chunks)).toBe("Hi");
  expect(chunks.at(-1)).toMatchObject({ retries: ["provider"] });
});

test("a connection that breaks behind content hands that on and fails", async () => {
  await using vendor = await startVendor((response) => {
    response.write(wire([{ prompt: 1 }, { text: "Hi, I" }]));
    setTimeout(() => response.destroy(), 20);
  });
  await using http = new HttpClient(IDENTITY);
  const chunks = stream(http, vendor.url);
  expect(await chunks.next()).toMatchObject({ value: { content: "Hi, I" } });
  await expect(chunks.next()).rejects.toMatchObject({ code: "provider", retryable: true });
});

test("a reader that takes its time gets everything in the end", async () => {
  const steps: Step[] = Array.from({ length: 3000 }, (_, index) => ({ text: `${index} ${"x".repeat(1000)}` }));
  await using vendor = await startVendor((response) => void response.end(wire([{ prompt: 1 }, ...steps, { end: "end_turn" }])));
  await using http = new HttpClient(IDENTITY);
  const chunks = stream(http, vendor.url);
  const first = await chunks.next();
  await new Promise((resolve) => setTimeout(resolve, 100));
  const rest = await collect(chunks);
  expect(first).toMatchObject({ value: { content: expect.stringMatching(/^0 /) } });
  expect(rest).toHaveLength(3000);
});

test("a vendor that cannot be reached fails with its address, after one more try", async () => {
  const vendor = await startVendor(() => {});
  await vendor[Symbol.asyncDispose]();
  await using http = new HttpClient(IDENTITY);
  await expect(collect(stream(http, vendor.url))).rejects.toThrow(
    `ExampleLLM lost or could not open its connection to ${vendor.url} (ECONNREFUSED).`,
  );
});
