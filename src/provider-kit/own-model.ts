import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ConfigError } from "../core/errors.js";
import type { SherpaOfflineConfig, SherpaOnlineConfig, SherpaTtsConfig, SherpaVadConfig } from "./sherpa-onnx.js";
import { workerFile } from "./worker-model.js";

/** A model as it is going to be loaded. */
export type OwnModel =
  | { readonly kind: "vad"; readonly config: SherpaVadConfig }
  | { readonly kind: "online"; readonly config: SherpaOnlineConfig }
  | { readonly kind: "offline"; readonly config: SherpaOfflineConfig }
  | { readonly kind: "tts"; readonly config: SherpaTtsConfig }
  | { readonly kind: "vosk"; readonly library: string; readonly folder: string };

export interface OwnModelOptions {
  /** The class that needs the model. */
  readonly usedBy: string;
  /** The file or folder that the user named. */
  readonly path: string;
  readonly model: OwnModel;
  /** Where verdicts are kept: `modelsFolder()`. */
  readonly folder: string;
}

/**
 * Makes sure that a user's own model can be loaded, by loading it in a child process: native libraries end
 * the whole process over a damaged file, also from a worker thread. The verdict is kept until a file changes.
 * Throws `ConfigError` with the library's last words when it cannot.
 */
export async function requireLoadable(options: OwnModelOptions): Promise<void> {
  const { usedBy, path, model, folder } = options;
  if (!existsSync(path)) throw new ConfigError(`${usedBy} cannot load the model ${path}: it does not exist. Check the path.`);
  const verdict = join(folder, "own-models", await fingerprint(path, model));
  if ((await readFile(verdict, "utf8").catch(() => "")) === "loads") return;
  const problem = await tryToLoad(model);
  if (problem !== undefined) throw new ConfigError(`${usedBy} cannot load the model ${path}: ${problem}`);
  await keep(verdict);
}

async function tryToLoad(model: OwnModel): Promise<string | undefined> {
  const program = fileURLToPath(workerFile("./own-model-trial.js", import.meta.url));
  const child = spawn(process.execPath, [program, JSON.stringify(model)], { stdio: ["ignore", "ignore", "pipe"] });
  let output = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output = (output + text).slice(-2000);
  });
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (...end) => resolve(end));
  });
  // With a wrong configuration sherpa-onnx makes an object of nothing, and says so on every use.
  if (code === 0 && !/is nullptr|Errors in config/.test(output)) return undefined;
  const lastWords = output.trim().split("\n").slice(-3).join(" ");
  return `${lastWords === "" ? `loading it ended with ${signal ?? `code ${code}`}` : lastWords}. Check that its files are whole.`;
}

async function keep(verdict: string): Promise<void> {
  try {
    await mkdir(join(verdict, ".."), { recursive: true });
    await writeFile(verdict, "loads");
  } catch (error) {
    // Where nothing can be written the model is tried at every start, which is only slower.
    if (!["EACCES", "EPERM", "EROFS"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}

/** Changes with the model's files and with how they are loaded. */
async function fingerprint(path: string, model: OwnModel): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify(model));
  const names = (await stat(path)).isDirectory() ? (await readdir(path, { recursive: true })).toSorted() : [""];
  for (const name of names) {
    const { size, mtimeMs, ctimeMs } = await stat(join(path, name));
    hash.update(`${name} ${size} ${mtimeMs} ${ctimeMs}\n`);
  }
  return hash.digest("hex");
}
