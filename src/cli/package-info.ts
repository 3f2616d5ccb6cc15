import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** What this package says of itself. */
export interface PackageInfo {
  readonly name: string;
  readonly version: string;
  readonly engines: { readonly node: string };
  /** Optional packages and the versions that fit. */
  readonly peerDependencies: Readonly<Record<string, string>>;
}

/** The folder that this package is installed in. */
export function packageFolder(): string {
  return fileURLToPath(new URL("../../", import.meta.url));
}

export function packageInfo(): PackageInfo {
  return JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as PackageInfo;
}
