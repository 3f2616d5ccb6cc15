import { existsSync, readdirSync } from "node:fs";
import { basename, dirname } from "node:path";
import { projectPath, readJson } from "./project.mjs";

/**
 * Every specifier a user can import, with the built files behind it; patterns are filled in from dist.
 * `{ specifier: "getpatter/llm/anthropic", subpath: "./llm/anthropic", code: "dist/llm/anthropic.js", types: "dist/llm/anthropic.d.ts" }`
 */
export function entryPoints() {
  const { name, exports } = readJson("package.json");
  return Object.entries(exports)
    .filter(([, target]) => target !== null && typeof target === "object")
    .flatMap(([subpath, target]) => (subpath.includes("*") ? filled(subpath, target) : [{ subpath, target }]))
    .map(({ subpath, target }) => ({
      specifier: name + subpath.slice(1),
      subpath,
      code: target.default.slice("./".length),
      types: target.types.slice("./".length),
    }))
    .sort((a, b) => (a.subpath < b.subpath ? -1 : 1));
}

/** The folders of dist in which a pattern's `*` would also reach files that are no entry point, as `./llm/anthropic`. */
export function innerFolders() {
  const { exports } = readJson("package.json");
  return Object.keys(exports)
    .filter((subpath) => subpath.endsWith("/*") && exports[subpath] !== null)
    .flatMap((subpath) =>
      list(projectPath("dist", dirname(subpath)), (entry) => entry.isDirectory()).map((name) => `${dirname(subpath)}/${name}`),
    );
}

function filled(subpath, target) {
  const names = list(projectPath(dirname(target.default)), (entry) => entry.isFile() && entry.name.endsWith(".js"));
  return names.map((file) => {
    const fill = (pattern) => pattern.replace("*", basename(file, ".js"));
    return { subpath: fill(subpath), target: { types: fill(target.types), default: fill(target.default) } };
  });
}

function list(folder, wanted) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter(wanted)
    .map((entry) => entry.name);
}
