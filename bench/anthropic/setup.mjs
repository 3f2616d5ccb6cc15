// Installs what the bench compares with, as its lockfile says; does nothing when it is there.
import { isMain, main, readJson, require, runNpm } from "../../scripts/project.mjs";

const FOLDER = "bench/anthropic";

async function setUp() {
  if (isInstalled()) return;
  console.log(`Installing the SDKs to compare with (npm ci in ${FOLDER}) …`);
  const installing = runNpm(["ci", "--prefix", FOLDER, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
  await require(installing, "npm ci failed. Its message is above; run the command again when it is solved.");
}

function isInstalled() {
  const installed = readJson(FOLDER, "node_modules", ".package-lock.json")?.packages ?? {};
  const wanted = Object.entries(readJson(FOLDER, "package-lock.json").packages);
  return wanted.every(([path, { version }]) => path === "" || installed[path]?.version === version);
}

if (isMain(import.meta.url)) await main(setUp);
