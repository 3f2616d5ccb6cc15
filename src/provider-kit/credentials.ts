import { homedir } from "node:os";
import { join } from "node:path";
import { ConfigError } from "../core/errors.js";

/** Where a provider's credential may come from. */
export interface CredentialSource {
  /** The class as the user wrote it, such as `AnthropicLLM`. */
  readonly provider: string;
  /** The option that carries it, such as `apiKey`. */
  readonly option: string;
  /** Another option that carries one of another kind, for the error's words. */
  readonly alternative?: string;
  /** The environment variable read when the option is absent. */
  readonly env: string;
  /** What the user passed. */
  readonly value: string | undefined;
}

/** The credential that was passed, else the one in the environment. @throws ConfigError when there is neither, or a blank one. */
export function credential(source: CredentialSource): string {
  const value = (source.value ?? process.env[source.env] ?? "").trim();
  if (value !== "") return value;
  const passed = source.alternative === undefined ? "" : ` or { ${source.alternative} },`;
  throw new ConfigError(`${source.provider} needs a credential: pass { ${source.option} }${passed} or set ${source.env}.`);
}

/** Where local speech files are kept: `GETPATTER_HOME`/models, else `getpatter/models` in the user's cache folder. */
export function modelsFolder(env: NodeJS.ProcessEnv = process.env): string {
  const set = (name: string): string | undefined => (env[name]?.trim() === "" ? undefined : env[name]);
  const home = set("GETPATTER_HOME");
  if (home !== undefined) return join(home, "models");
  const cache = set("XDG_CACHE_HOME") ?? set("LOCALAPPDATA") ?? join(homedir(), ".cache");
  return join(cache, "getpatter", "models");
}
