import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CommandContext } from "./command.js";
import { Failure } from "./failure.js";
import { dataFolder } from "./folders.js";
import { packageFolder, packageInfo } from "./package-info.js";

/** Set in the copy's environment, so that it does not look for another copy. */
const IS_COPY = "GETPATTER_DEMO_COPY";

/** The optional packages of local speech that cannot be loaded from here, as `npm install` wants them named. */
export function missingPackages(): string[] {
  return Object.entries(packageInfo().peerDependencies)
    .filter(([name]) => !isInstalled(name))
    .map(([name, version]) => `${name}@${version}`);
}

/**
 * Installs this very version of the package, together with the optional ones, into a folder of its own with the
 * user's npm; does nothing where that was done before. Returns the program to run there.
 */
export async function installWithSpeech({ out, env }: CommandContext): Promise<string> {
  const { name, version, peerDependencies } = packageInfo();
  const folder = join(dataFolder(env), `demo-${version}`);
  const program = join(folder, "node_modules", name, "dist", "cli", "main.js");
  const wanted = Object.entries(peerDependencies).map(([peer, range]) => `${peer}@${range}`);
  if (existsSync(join(folder, "node_modules", ".package-lock.json")) && existsSync(program)) return program;
  out.line(`Local speech needs ${Object.keys(peerDependencies).join(", ")}: installing them with npm into`);
  out.line(`${folder}, where they are found again next time …`);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), `${JSON.stringify({ private: true }, null, 2)}\n`);
  await npmInstall([...wanted, packageFolder()], folder);
  return program;
}

/** Runs an installed copy in place of this program: the same terminal, signals and exit code. */
export async function runInstead(program: string, args: readonly string[], { env }: CommandContext): Promise<number> {
  if (env[IS_COPY] !== undefined)
    throw new Failure(`Local speech lacks packages. Install them: npm install ${missingPackages().join(" ")}`);
  const child = spawn(process.execPath, [program, ...args], { stdio: "inherit", env: { ...env, [IS_COPY]: "1" } });
  process.on("SIGTERM", (signal) => child.kill(signal));
  // A terminal sends Ctrl-C to both; the copy decides when it has ended.
  process.on("SIGINT", () => {});
  return await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
}

function isInstalled(name: string): boolean {
  try {
    import.meta.resolve(name);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND") return false;
    throw error;
  }
}

async function npmInstall(packages: readonly string[], folder: string): Promise<void> {
  const args = ["install", "--install-links", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error", ...packages];
  // On Windows npm is a .cmd file, which only a shell can start.
  const child = spawn("npm", args, { cwd: folder, stdio: "inherit", shell: process.platform === "win32" });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  }).catch((error: unknown) => {
    throw new Failure("npm could not be started: install Node.js with npm.", { cause: error });
  });
  if (code === 0) return;
  throw new Failure(
    `The packages could not be installed: npm says why above. By hand: npm install getpatter ${packages.slice(0, -1).join(" ")}`,
  );
}
