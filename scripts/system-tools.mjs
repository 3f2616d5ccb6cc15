// What the tests need that npm does not bring, and how to get it.
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { Failure, require, run } from "./project.mjs";

const TOOLS = [
  { name: "Chromium", package: "chromium", isPresent: () => findChromium() !== undefined },
  {
    name: "recorded prompts at 8 kHz",
    package: "asterisk-core-sounds-en-wav",
    isPresent: () => existsSync("/usr/share/asterisk/sounds/en_US_f_Allison/activated.wav"),
  },
  {
    name: "recorded prompts at 16 kHz",
    package: "asterisk-core-sounds-en-g722",
    isPresent: () => existsSync("/usr/share/asterisk/sounds/en_US_f_Allison/activated.g722"),
  },
  {
    name: "the prompts' transcripts",
    package: "asterisk-core-sounds-en",
    isPresent: () => existsSync("/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz"),
  },
  {
    name: "recorded sentences",
    package: "pocketsphinx-testdata",
    isPresent: () => existsSync("/usr/share/pocketsphinx/test/data/goforward.raw"),
  },
];

const CHROMIUM_NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** The path of an installed Chromium, or `undefined`. */
export function findChromium() {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const onPath = folders.flatMap((folder) => CHROMIUM_NAMES.map((name) => join(folder, name)));
  return [...onPath, "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"].find(isExecutable);
}

/** Makes sure that every tool is there. CI on Debian installs them as root; elsewhere a person is told how. */
export async function requireSystemTools() {
  const missing = missingTools();
  if (missing.length === 0) return;
  const packages = missing.map((tool) => tool.package);
  const isRoot = process.getuid?.() === 0;
  const sudo = isRoot ? "" : "sudo ";
  const command = `${sudo}apt-get update && ${sudo}apt-get install -y --no-install-recommends ${packages.join(" ")}`;
  if (process.env.CI !== "true" || !isRoot || !existsSync("/etc/debian_version")) {
    const names = missing.map((tool) => tool.name).join(", ");
    throw new Failure(`The tests need what this machine lacks: ${names}. On Debian, run:\n  ${command}`);
  }
  console.log(`Installing ${packages.join(", ")} …`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const patience = ["-q", "-o", "Acquire::Retries=3", "-o", "DPkg::Lock::Timeout=300"];
  await run("apt-get", [...patience, "update"], { env });
  const installing = run("apt-get", [...patience, "install", "-y", "--no-install-recommends", ...packages], { env });
  await require(installing, `apt-get failed. Run it by hand to see why:\n  ${command}`);
  const still = missingTools().map((tool) => tool.package);
  if (still.length > 0) throw new Failure(`apt-get installed ${still.join(", ")}, and its files are not where they belong.`);
}

function missingTools() {
  return TOOLS.filter((tool) => !tool.isPresent());
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Absent or not ours to run: either way it is not a browser we can start.
    return false;
  }
}
