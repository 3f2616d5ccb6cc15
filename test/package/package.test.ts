import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { missingEntries } from "../../scripts/complete-lockfile.mjs";
import { entryPoints, innerFolders } from "../../scripts/entry-points.mjs";

const ROOT = join(import.meta.dirname, "../..");

interface PackageJson {
  readonly exports: Readonly<Record<string, unknown>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly bin: Readonly<Record<string, string>>;
}
const packageJson = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as PackageJson;
const entries: readonly { readonly specifier: string; readonly subpath: string }[] = entryPoints();

let folder = "";
let tarball = "";
let files: readonly string[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "getpatter-package-"));
  const npm = process.env["npm_execpath"];
  const [command, ...start] = npm?.endsWith("npm-cli.js") === true ? [process.execPath, npm] : ["npm"];
  const options = ["pack", "--ignore-scripts", "--json", "--pack-destination", folder];
  const output = execFileSync(command, [...start, ...options], {
    cwd: ROOT,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [packed] = Object.values(JSON.parse(output) as Record<string, { filename: string; files: readonly { path: string }[] }>);
  if (packed === undefined) throw new Error(`npm pack reported no package: ${output}`);
  tarball = join(folder, packed.filename);
  files = packed.files.map(({ path }) => path);
  install();
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the package", () => {
  it("holds dist, the readme, the licence and the notices, and nothing else", () => {
    const outside = files.filter((path) => !path.startsWith("dist/"));
    expect(outside).toEqual(["LICENSE", "README.md", "THIRD-PARTY-NOTICES.md", "package.json"]);
  });

  it("holds every built source, no test, no TypeScript and no source map", () => {
    const sources = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts"))
      .map((path) => `dist/${path.replaceAll("\\", "/").replace(/\.ts$/, "")}`);
    const expected = sources.flatMap((path) => [`${path}.js`, `${path}.d.ts`]);
    const code = files.filter((path) => /^dist\/(?!page\/).*\.([cm]?[jt]s|map)$/.test(path));
    expect(code.sort()).toEqual(expected.sort());
  });

  it("pleases publint", async () => {
    const { messages, pkg } = await publint({
      strict: true,
      pack: { tarball: arrayBuffer(readFileSync(tarball)) },
    });
    expect(messages.map((message) => formatMessage(message, pkg ?? {}, { color: false }))).toEqual([]);
  });

  it("gives every entry point types that TypeScript resolves", () => {
    const attw = join(ROOT, "node_modules/@arethetypeswrong/cli/dist/index.js");
    const options = ["--profile", "esm-only", "--no-emoji", "--no-color", "--format", "ascii", "--entrypoints"];
    const run = spawnSync(process.execPath, [attw, tarball, ...options, ...entries.map(({ subpath }) => subpath)], {
      encoding: "utf8",
    });
    expect(run.status, run.stdout + run.stderr).toBe(0);
  });

  it("loads every entry point with no other package than those it depends on", () => {
    const program = entries.map(({ specifier }) => `await import(${JSON.stringify(specifier)});`).join("\n");
    const run = spawnSync(process.execPath, ["--input-type=module", "--eval", program], { cwd: folder, encoding: "utf8" });
    expect(run.stderr).toBe("");
    expect(run.status).toBe(0);
  });

  it("passes a strict type check of its readme's agent and of every entry point, where nothing else is installed", () => {
    const agent = /```ts\n(?<code>[\s\S]*?)```/.exec(readFileSync(join(ROOT, "README.md"), "utf8"))?.groups?.["code"] ?? "";
    const programs = [agent, ...entries.map(({ specifier }) => `export * from ${JSON.stringify(specifier)};\n`)];
    // Each alone: a file that one entry point brings must not help the next.
    for (const [index, program] of programs.entries()) {
      const file = `program-${index}.ts`;
      writeFileSync(join(folder, file), program);
      const options = ["--strict", "--noEmit", "--pretty", "false", "--module", "nodenext", "--target", "es2022"];
      const run = spawnSync(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), ...options, file], {
        cwd: folder,
        encoding: "utf8",
      });
      expect(run.stdout, program).toBe("");
    }
  });

  it("has entry points for every kind of provider, and no way into their inner folders", () => {
    expect(entries.map(({ specifier }) => specifier)).toContain("getpatter/llm/anthropic");
    const open = (innerFolders() as readonly string[]).filter((inner) => packageJson.exports[`${inner}/*`] !== null);
    // Each needs a line in package.json's exports: "./llm/anthropic/*": null.
    expect(open).toEqual([]);
  });

  it("has a command that Node.js can start", () => {
    for (const path of Object.values(packageJson.bin)) {
      const file = relative(ROOT, join(ROOT, path)).replaceAll("\\", "/");
      expect(files).toContain(file);
      expect(readFileSync(join(ROOT, file), "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/);
    }
  });
});

describe("the lockfile", () => {
  it("names the optional packages of every platform", () => {
    // Otherwise npm ci fails there. After npm install: npm run lock:complete.
    expect(Object.keys(missingEntries(JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8"))))).toEqual([]);
  });

  it("is completed with what a package's name says of its platform", () => {
    const lock = {
      packages: {
        "": { name: "app" },
        "node_modules/linter": {
          version: "1.2.3",
          dev: true,
          license: "MIT",
          optionalDependencies: {
            "@linter/linux-x64-musl": "1.2.3",
            "@linter/darwin-arm64": "1.2.3",
            "@linter/linux-x64-gnu": "1.2.3",
          },
        },
        "node_modules/linter/node_modules/@linter/darwin-arm64": { version: "1.2.3" },
        "node_modules/@linter/linux-x64-gnu": { version: "1.2.3" },
      },
    };
    expect(missingEntries(lock)).toEqual({
      "node_modules/@linter/linux-x64-musl": {
        version: "1.2.3",
        cpu: ["x64"],
        dev: true,
        libc: ["musl"],
        license: "MIT",
        optional: true,
        os: ["linux"],
        engines: undefined,
      },
    });
  });
});

/** Puts the tarball and the packages that it depends on, and no other, into a module's folder. */
function install(): void {
  const modules = join(folder, "node_modules");
  mkdirSync(join(modules, "getpatter"), { recursive: true });
  execFileSync("tar", ["-xzf", tarball, "--strip-components=1", "-C", join(modules, "getpatter")]);
  for (const name of Object.keys(packageJson.dependencies)) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(ROOT, "node_modules", name), join(modules, name), "junction");
  }
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
}

function arrayBuffer(buffer: Buffer): ArrayBuffer {
  return buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.byteLength) as ArrayBuffer;
}
