// Compiles src to dist, copies the data files beside the code, and builds the page.
//   node scripts/build.mjs
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { Failure, isMain, main, projectPath, require, runNode } from "./project.mjs";

/** What dist was built from; rewritten by every build, left out of the package. */
const STAMP = projectPath("dist", ".build");
const PAGE_CONFIG = projectPath("dashboard", "vite.config.ts");

/** Says whether dist holds a build of the sources as they are. */
export function isBuilt() {
  return existsSync(STAMP) && readFileSync(STAMP, "utf8") === fingerprint();
}

/** Builds dist and removes what an earlier build left in it. @throws Failure with the compiler's messages above it. */
export async function build() {
  const builtFrom = fingerprint();
  rmSync(STAMP, { force: true });
  const [compiled] = await Promise.all([compile(), buildPage()]);
  const written = new Set([...compiled, ...copyDataFiles()]);
  for (const path of filesIn(projectPath("dist"))) {
    if (!written.has(path) && !path.startsWith(projectPath("dist", "page") + sep)) rmSync(path);
  }
  writeFileSync(STAMP, builtFrom);
}

async function compile() {
  const { code, output } = await runNode("node_modules/typescript/bin/tsc", ["-p", "tsconfig.build.json", "--listEmittedFiles"], {
    capture: true,
  });
  const lines = output.split(/\r?\n/);
  const emitted = lines.filter((line) => line.startsWith("TSFILE: "));
  if (code !== 0) {
    console.error(lines.filter((line) => !line.startsWith("TSFILE: ")).join("\n"));
    throw new Failure("The build failed: tsc found the errors above.");
  }
  return emitted.map((line) => join(line.slice("TSFILE: ".length)));
}

async function buildPage() {
  if (!existsSync(PAGE_CONFIG)) return;
  const options = ["build", "--logLevel", "warn", "--config", PAGE_CONFIG, projectPath("dashboard")];
  await require(runNode("node_modules/vite/bin/vite.js", options), "The build failed: Vite could not build the page.");
}

/** Copies what tsc does not compile, such as weights read with `new URL("./x.json", import.meta.url)`. */
function copyDataFiles() {
  const copied = [];
  for (const source of filesIn(projectPath("src"))) {
    if (/\.(ts|md)$/.test(source)) continue;
    const target = projectPath("dist", relative(projectPath("src"), source));
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(source, target);
    copied.push(target);
  }
  return copied;
}

function fingerprint() {
  const hash = createHash("sha256");
  const sources = [...filesIn(projectPath("src")), ...filesIn(projectPath("dashboard"))].filter(
    (path) => !path.endsWith(".test.ts"),
  );
  for (const path of [...sources, projectPath("tsconfig.json"), projectPath("tsconfig.build.json")].sort()) {
    const { size, mtimeMs } = statSync(path);
    hash.update(`${relative(projectPath(), path)} ${size} ${mtimeMs}\n`);
  }
  return hash.digest("hex");
}

function filesIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

if (isMain(import.meta.url)) await main(build);
