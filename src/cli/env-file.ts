import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";

/**
 * Adds the variables of the folders' `.env` files to `env`. What is set already stays; the first folder wins.
 * Returns the files that were read.
 */
export function loadEnvFiles(folders: readonly string[], env: NodeJS.ProcessEnv): string[] {
  const files: string[] = [];
  for (const folder of new Set(folders)) {
    const path = join(folder, ".env");
    const text = readIfThere(path);
    if (text === undefined) continue;
    files.push(path);
    for (const [name, value] of Object.entries(parseEnv(text))) env[name] ??= value;
  }
  return files;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A folder of that name is no environment file either.
    if (code === "ENOENT" || code === "EISDIR") return undefined;
    throw error;
  }
}
