import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError } from "../core/errors.js";
import { MODEL_SOURCES, type ModelFile, type ModelName, type ModelSource } from "./model-manifest.js";

/** `broken`: a file is missing or not what it must be. `unsupported`: there is none for this platform. */
export type ModelState = "ready" | "missing" | "broken" | "unsupported";

export interface ModelStatus {
  readonly name: ModelName;
  readonly description: string;
  readonly licence: string;
  /** The npm package it comes from, with its version. */
  readonly package: string;
  /** What there is to download. */
  readonly packageBytes: number;
  /** What it takes on disk. */
  readonly bytes: number;
  readonly folder: string;
  readonly state: ModelState;
  /** What is wrong, when it is `broken` or `unsupported`. */
  readonly problem?: string;
}

export interface ModelOptions {
  /** Where the files are kept: `modelsFolder()`. */
  readonly folder: string;
  /** Which models; all by default. */
  readonly models?: readonly ModelName[];
  /** Such as `linux-x64`; this machine by default. */
  readonly platform?: string;
  /** What there is to have: this version's own manifest by default. */
  readonly sources?: readonly ModelSource[];
}

/** Lists the models and whether they are here, trusting checksums taken before of files that have not changed since. */
export async function listModels(options: ModelOptions): Promise<ModelStatus[]> {
  return await Promise.all(selectedModels(options).map((source) => modelStatus(source, options, true)));
}

/** Computes the checksum of every file again. */
export async function verifyModels(options: ModelOptions): Promise<ModelStatus[]> {
  return await Promise.all(selectedModels(options).map((source) => modelStatus(source, options, false)));
}

/** Removes models from the folder; what is not there is no error. */
export async function removeModels(options: ModelOptions): Promise<void> {
  for (const source of selectedModels(options)) {
    await rm(modelFolder(source, options.folder), { recursive: true, force: true });
  }
}

/**
 * The folder of a model whose files are all here and are what they must be.
 * `usedBy` is the class that needs it. Throws `ConfigError` with the command that fetches it.
 */
export async function requireModel(name: ModelName, options: ModelOptions & { readonly usedBy: string }): Promise<string> {
  const [source] = selectedModels({ ...options, models: [name] }) as [ModelSource];
  const status = await modelStatus(source, options, true);
  const subject = `${options.usedBy} needs the ${source.description}`;
  switch (status.state) {
    case "ready":
      return status.folder;
    case "missing":
      throw new ConfigError(`${subject}, which is not in ${options.folder}: run npx getpatter models fetch.`);
    case "broken":
      throw new ConfigError(`${subject}, which is damaged: ${status.problem} Run npx getpatter models fetch.`);
    case "unsupported":
      throw new ConfigError(`${subject}: ${status.problem}`);
  }
}

/** The manifest's entries with these names. Throws `ConfigError` for a name it does not have. */
export function selectedModels(options: Pick<ModelOptions, "models" | "sources">): readonly ModelSource[] {
  const sources = options.sources ?? MODEL_SOURCES;
  return (options.models ?? sources.map((source) => source.name)).map((name) => {
    const source = sources.find((candidate) => candidate.name === name);
    if (source !== undefined) return source;
    throw new ConfigError(
      `There is no model ${JSON.stringify(name)}: choose among ${sources.map((each) => each.name).join(", ")}.`,
    );
  });
}

/** Where a model's files lie. Another version is another folder. */
export function modelFolder(source: ModelSource, folder: string): string {
  const version = source.package.slice(source.package.lastIndexOf("@") + 1);
  return join(folder, `${source.name}-${version}`);
}

/** The files for a platform, this machine's by default, or `undefined` where there are none. */
export function modelFiles(
  source: ModelSource,
  platform = `${process.platform}-${process.arch}`,
): readonly ModelFile[] | undefined {
  const { files } = source;
  return isForAll(files) ? files : files[platform];
}

/** Says what is wrong with the first file that is not what it must be, or nothing. */
export async function findProblem(files: readonly ModelFile[], folder: string): Promise<string | undefined> {
  for (const file of files) {
    const path = join(folder, file.path);
    const { size } = (await stat(path).catch(undefinedIfMissing)) ?? { size: undefined };
    if (size === undefined) return `${path} is missing.`;
    if (size !== file.bytes) return `${path} has ${size} bytes and must have ${file.bytes}.`;
    const sha256 = await fileSha256(path);
    if (sha256 !== file.sha256) return `${path} has the SHA-256 ${sha256} and must have ${file.sha256}.`;
  }
  return undefined;
}

/** Keeps the verdict on a folder whose files have just been found right. */
export async function keepVerdict(files: readonly ModelFile[], folder: string): Promise<void> {
  try {
    await writeFile(join(folder, VERDICT), await fingerprint(files, folder));
  } catch (error) {
    // In a folder that cannot be written the checksums are taken at every start, which is only slower.
    if (!["EACCES", "EPERM", "EROFS"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}

const VERDICT = ".verified";

async function modelStatus(source: ModelSource, options: ModelOptions, trustVerdict: boolean): Promise<ModelStatus> {
  const folder = modelFolder(source, options.folder);
  const files = modelFiles(source, options.platform);
  const { name, description, licence, package: packageName, packageBytes } = source;
  const bytes = (files ?? []).reduce((sum, file) => sum + file.bytes, 0);
  const status = { name, description, licence, package: packageName, packageBytes, bytes, folder };
  if (files === undefined) return { ...status, state: "unsupported", problem: unsupported(source, options.platform) };
  if ((await stat(folder).catch(undefinedIfMissing)) === undefined) return { ...status, state: "missing" };
  if (trustVerdict && (await isUnchanged(files, folder))) return { ...status, state: "ready" };
  const problem = await findProblem(files, folder);
  if (problem !== undefined) return { ...status, state: "broken", problem };
  await keepVerdict(files, folder);
  return { ...status, state: "ready" };
}

function unsupported(source: ModelSource, platform = `${process.platform}-${process.arch}`): string {
  const platforms = Object.keys(source.files).join(", ");
  return `there is none for ${platform}, only for ${platforms}. Use one of these, or another provider; the typed chat, npx getpatter chat, works everywhere.`;
}

/** Whether size and times of every file are those of the kept verdict. */
async function isUnchanged(files: readonly ModelFile[], folder: string): Promise<boolean> {
  const verdict = await readFile(join(folder, VERDICT), "utf8").catch(undefinedIfMissing);
  return verdict !== undefined && verdict === (await fingerprint(files, folder));
}

async function fingerprint(files: readonly ModelFile[], folder: string): Promise<string> {
  const lines: string[] = [];
  for (const file of files) {
    const found = await stat(join(folder, file.path)).catch(undefinedIfMissing);
    lines.push(`${file.sha256} ${found?.size} ${found?.mtimeMs} ${found?.ctimeMs} ${found?.ino} ${file.path}\n`);
  }
  return lines.join("");
}

async function fileSha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Uint8Array);
  return hash.digest("hex");
}

function isForAll(files: ModelSource["files"]): files is readonly ModelFile[] {
  return Array.isArray(files);
}

function undefinedIfMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
  throw error;
}
