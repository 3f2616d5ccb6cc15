import { afterEach, describe, expect, it } from "vitest";
import { ConfigError, ProviderError } from "../core/errors.js";
import { WorkerModel, workerFile } from "./worker-model.js";

/** A model that repeats what it is sent, and does harm when told to. */
const ECHO = `
import { ConfigError } from "${errorsFile()}";
import { serveModel } from "${workerFile("./worker-model-thread.js", import.meta.url).href}";
let open = 0;
let loaded = 0;
serveModel(async ({ prefix, broken }) => {
  if (broken) throw new ConfigError("The model is broken.");
  loaded++;
  return {
    open({ name }, emitter) {
      if (name === "refused") throw new ConfigError("No such voice.");
      open++;
      return {
        receive(message) {
          if (message === "throw") throw new Error("out of memory");
          if (message === "end") emitter.end();
          if (message === "die") process.exit(7);
          if (message === "crash") setImmediate(() => { throw new Error("segmentation fault"); });
          if (message === "count") emitter.emit("open " + open + ", loaded " + loaded);
          else emitter.emit(prefix + name + ":" + message);
        },
        close() { open--; },
      };
    },
  };
});
`;

type Echo = WorkerModel<{ readonly name: string }, string, string>;
const models: Echo[] = [];
const signal = new AbortController().signal;

afterEach(async () => {
  await Promise.all(models.splice(0).map((model) => model[Symbol.asyncDispose]()));
});

function echo(data: { readonly prefix?: string; readonly broken?: boolean } = {}): Echo {
  const file = new URL(`data:text/javascript,${encodeURIComponent(ECHO)}`);
  const model: Echo = new WorkerModel({ provider: "echo", file, data: { prefix: "", ...data } });
  models.push(model);
  return model;
}

describe("WorkerModel", () => {
  it("keeps the streams of one worker apart", async () => {
    const model = echo({ prefix: ">" });
    using a = model.open({ name: "a" });
    using b = model.open({ name: "b" });
    a.send("1");
    b.send("1");
    a.send("2");
    a.send("count");
    a.send("end");
    b.send("end");
    expect(await received(a)).toEqual([">a:1", ">a:2", "open 2, loaded 1"]);
    expect(await received(b)).toEqual([">b:1"]);
  });

  it("ends only the stream whose work throws", async () => {
    const model = echo();
    using bad = model.open({ name: "bad" });
    using refused = model.open({ name: "refused" });
    using good = model.open({ name: "good" });
    bad.send("throw");
    await expect(received(bad)).rejects.toThrow(new ProviderError("out of memory", { provider: "echo" }));
    await expect(received(refused)).rejects.toThrow(new ConfigError("No such voice."));
    good.send("1");
    good.send("end");
    expect(await received(good)).toEqual(["good:1"]);
  });

  it("frees a stream that is disposed, at once and once", async () => {
    const model = echo();
    const dropped = model.open({ name: "a" });
    dropped.send("1");
    dropped[Symbol.dispose]();
    dropped[Symbol.dispose]();
    dropped.send("2");
    expect(await received(dropped)).toEqual([]);
    using next = model.open({ name: "b" });
    next.send("count");
    next.send("end");
    expect(await received(next)).toEqual(["open 1, loaded 1"]);
  });

  it.each(["die", "crash"])("fails the open streams when the worker is made to %s, and starts another", async (harm) => {
    const model = echo();
    using a = model.open({ name: "a" });
    using b = model.open({ name: "b" });
    a.send(harm);
    for (const stream of [a, b]) {
      const failure = await received(stream).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(ProviderError);
      expect(failure).toMatchObject({ retryable: true, message: expect.stringMatching(/^The echo model's worker stopped: /) });
    }
    using c = model.open({ name: "c" });
    c.send("count");
    c.send("end");
    expect(await received(c)).toEqual(["open 1, loaded 1"]);
  });

  it("reports a model that cannot be loaded to those that load it and to the streams, and tries again", async () => {
    const model = echo({ broken: true });
    using stream = model.open({ name: "a" });
    await expect(model.load(signal)).rejects.toThrow(new ConfigError("The model is broken."));
    await expect(received(stream)).rejects.toThrow("The model is broken.");
    await expect(model.load(signal)).rejects.toThrow("The model is broken.");
  });

  it("stops waiting for a model when the signal aborts", async () => {
    const controller = new AbortController();
    const loading = echo().load(controller.signal);
    controller.abort(new Error("enough"));
    await expect(loading).rejects.toThrow("enough");
  });

  it("ends its streams when it is disposed", async () => {
    const model = echo();
    using stream = model.open({ name: "a" });
    await model[Symbol.asyncDispose]();
    expect(await received(stream)).toEqual([]);
  });
});

describe("workerFile", () => {
  it("names the compiled file, and the command that compiles it", () => {
    expect(workerFile("./b/worker.js", "file:///app/node_modules/getpatter/dist/stt/a.js").href).toBe(
      "file:///app/node_modules/getpatter/dist/stt/b/worker.js",
    );
    expect(() => workerFile("./b/worker.js", "file:///app/src/stt/a.ts")).toThrow(
      "/app/dist/stt/b/worker.js is missing: worker threads run compiled code, so run npm run build first.",
    );
  });
});

async function received(stream: AsyncIterable<string>): Promise<string[]> {
  const events: string[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

function errorsFile(): string {
  return workerFile("../core/errors.js", import.meta.url).href;
}
