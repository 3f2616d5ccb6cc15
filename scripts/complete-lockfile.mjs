// Adds the optional packages of other platforms to package-lock.json.
//
// npm leaves an optional package out of the lockfile when it cannot read it while resolving, and `npm ci` then
// fails wherever it can be read, or says that the lockfile is incomplete. Run it after `npm install`:
//   node scripts/complete-lockfile.mjs            writes what is missing
//   node scripts/complete-lockfile.mjs --check    only reports it, exit code 1
import { writeFileSync } from "node:fs";
import { isMain, projectPath, readJson } from "./project.mjs";

const OPERATING_SYSTEMS = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32"];
const PROCESSORS = ["arm", "arm64", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "x64"];
const LIBC = { gnu: "glibc", gnueabihf: "glibc", musl: "musl", musleabihf: "musl" };

/** Where a package runs, read from its name: `@biomejs/cli-linux-x64-musl` on linux, x64, musl. */
export function platformOf(name) {
  const words = name.split("/").at(-1).split("-");
  const os = words.find((word) => OPERATING_SYSTEMS.includes(word));
  const cpu = words.find((word) => PROCESSORS.includes(word));
  if (os === undefined || cpu === undefined)
    throw new Error(`${name} does not say its platform: add it to package-lock.json by hand.`);
  const libc = words.map((word) => LIBC[word]).find((value) => value !== undefined);
  return { cpu: [cpu], libc: libc === undefined ? undefined : [libc], os: [os] };
}

/** Every lockfile entry that a dependency's `optionalDependencies` ask for and that is missing, by its path. */
export function missingEntries(lock) {
  const missing = {};
  for (const [path, entry] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (candidatePaths(path, name).some((candidate) => candidate in lock.packages)) continue;
      if (!/^\d+\.\d+\.\d+[\w.+-]*$/.test(version))
        throw new Error(`${name}@${version} of ${path} is no exact version: add it by hand.`);
      const { dev, license, engines } = entry;
      const { cpu, libc, os } = platformOf(name);
      missing[`node_modules/${name}`] = { version, cpu, dev, libc, license, optional: true, os, engines };
    }
  }
  return missing;
}

/** Where Node would look for `name` from the package at `path`, nearest first. */
function candidatePaths(path, name) {
  const parts = path.split(/(?:^|\/)node_modules\//).filter((part) => part !== "");
  const paths = [];
  for (let depth = parts.length; depth >= 0; depth--) {
    paths.push([...parts.slice(0, depth), name].map((part) => `node_modules/${part}`).join("/"));
  }
  return paths;
}

function main() {
  const lock = readJson("package-lock.json");
  const missing = missingEntries(lock);
  const names = Object.keys(missing);
  if (names.length === 0) return;
  if (process.argv.includes("--check")) {
    console.error(
      `package-lock.json lacks ${names.length} optional packages; run: npm run lock:complete\n  ${names.join("\n  ")}`,
    );
    process.exitCode = 1;
    return;
  }
  const packages = Object.entries({ ...lock.packages, ...missing }).sort(([a], [b]) => a.localeCompare(b, "en"));
  writeFileSync(
    projectPath("package-lock.json"),
    `${JSON.stringify({ ...lock, packages: Object.fromEntries(packages) }, null, 2)}\n`,
  );
  console.log(`package-lock.json: added ${names.length} optional packages`);
}

if (isMain(import.meta.url)) main();
