import { homedir } from "node:os";
import { join } from "node:path";

/** Where this user's own files are kept: `GETPATTER_HOME`, else `getpatter` in the user's data folder. */
export function dataFolder(env: NodeJS.ProcessEnv): string {
  const set = (name: string): string | undefined => (env[name]?.trim() === "" ? undefined : env[name]);
  const home = set("GETPATTER_HOME");
  if (home !== undefined) return home;
  return join(set("XDG_DATA_HOME") ?? set("LOCALAPPDATA") ?? join(homedir(), ".local", "share"), "getpatter");
}

/** Where the demo's restaurant keeps its tables. */
export function restaurantFolder(env: NodeJS.ProcessEnv): string {
  return join(dataFolder(env), "restaurant");
}
