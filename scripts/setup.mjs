// Brings a clone to where it can run: packages as the lockfile says, and an up-to-date dist.
//   node scripts/setup.mjs
import { build, isBuilt } from "./build.mjs";
import { Failure, isMain, main, readJson, require, runNpm } from "./project.mjs";

const OLDEST_NODE = [20, 19];

/** Installs and builds what is missing or out of date; does nothing when nothing is. */
export async function setUp() {
  requireNode();
  await install();
  if (isBuilt()) return;
  console.log("Building …");
  await build();
}

/** Installs what a project inside this one asks for, such as `conformance`: as its lockfile says, without its install scripts. */
export function installInner(folder) {
  return install(folder, ["--prefix", folder, "--ignore-scripts", "--loglevel=error"]);
}

async function install(folder = "", options = []) {
  if (isInstalled(folder)) return;
  console.log(`Installing packages (npm ci${folder === "" ? "" : ` in ${folder}`}) …`);
  const installing = runNpm(["ci", "--no-audit", "--no-fund", ...options]);
  await require(installing, "npm ci failed. Its message is above; run the command again when it is solved.");
}

function requireNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  throw new Failure(
    `getpatter needs Node.js ${OLDEST_NODE.join(".")} or newer, and this is ${process.versions.node}: install a newer one from https://nodejs.org.`,
  );
}

/** Says whether a folder's node_modules holds what its lockfile asks for. Optional packages of other platforms may be absent. */
function isInstalled(folder) {
  const wanted = readJson(folder, "package-lock.json").packages;
  const installed = readJson(folder, "node_modules", ".package-lock.json")?.packages;
  if (installed === undefined) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === "") return true;
    const found = installed[path];
    return found === undefined ? entry.optional === true : found.version === entry.version;
  });
}

if (isMain(import.meta.url)) await main(setUp);
