import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { basename, join, relative, resolve } from "node:path";
import { command, type CommandContext } from "../command.js";
import { Failure } from "../failure.js";

/** `getpatter init [FOLDER]` */
export const initCommand = command({
  help: `Write a first agent into a folder: agent.ts, .env.example and, where there is none,
package.json and tsconfig.json.

Usage: getpatter init [FOLDER]

FOLDER is made where it is missing; the current one by default. No file is overwritten.

Example:
  getpatter init my-agent`,
  options: {},
  operands: ["FOLDER?"],
  run: async ({ positionals: [name = "."] }, context) => {
    const [{ AGENT_FILE, ENV_EXAMPLE_FILE, packageFile, TYPESCRIPT_FILE }, { packageInfo }] = await Promise.all([
      import("../first-agent.js"),
      import("../package-info.js"),
    ]);
    const folder = resolve(context.cwd, name);
    const files: Record<string, string> = { "agent.ts": AGENT_FILE, ".env.example": ENV_EXAMPLE_FILE };
    const hasPackage = existsSync(join(folder, "package.json"));
    const { version, peerDependencies } = packageInfo();
    const speechPackages = Object.entries(peerDependencies).map(([peer, range]) => `${peer}@${range}`);
    if (!hasPackage) files["package.json"] = packageFile(packageName(folder), { getpatter: `^${version}`, ...peerDependencies });
    if (!existsSync(join(folder, "tsconfig.json"))) files["tsconfig.json"] = TYPESCRIPT_FILE;
    const taken = Object.keys(files).filter((file) => existsSync(join(folder, file)));
    if (taken.length > 0)
      throw new Failure(
        `${join(folder, taken[0] as string)} is there already and stays as it is: choose another folder, such as npx getpatter init my-agent.`,
      );
    await write(folder, files);
    const install = hasPackage ? ["npm install getpatter", ...speechPackages].join(" ") : "npm install";
    printNextSteps(folder, Object.keys(files), install, context);
    return 0;
  },
});

async function write(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    // `wx`: a file that appeared meanwhile is not overwritten either.
    for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text, { flag: "wx" });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new Failure(`${folder} cannot be written to (${code}): choose another folder.`, { cause: error });
  }
}

function printNextSteps(folder: string, files: readonly string[], install: string, { out, cwd }: CommandContext): void {
  const here = relative(cwd, folder);
  out.line(`Wrote ${files.join(", ")} into ${folder}.`);
  out.line();
  out.line("Next:");
  if (here !== "") out.line(`  cd ${here}`);
  out.line(`  ${install}`);
  out.line("  npx getpatter chat agent.ts     type with the agent");
  out.line("  npx getpatter models fetch      once: the local speech files");
  out.line("  npx getpatter serve agent.ts    talk to it in your browser");
}

/** A folder's name as npm allows it. */
function packageName(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, "-")
    .replaceAll(/^-+|-+$/g, "");
  return name === "" ? "my-agent" : name;
}
