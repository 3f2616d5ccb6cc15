// What the other scripts share: where the project is and how it runs programs. No dependencies.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** The project's folder. */
export const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** A path inside the project. */
export function projectPath(...parts) {
  return join(ROOT, ...parts);
}

/** A JSON file of the project, or `undefined` when there is none. */
export function readJson(...parts) {
  const path = projectPath(...parts);
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;
}

/**
 * Runs a program in the project's folder, and resolves with its exit code (1 when a signal ended it) and output.
 * With `capture` the output is collected and not shown.
 */
export function run(command, args, { env = process.env, capture = false } = {}) {
  return new Promise((resolve, reject) => {
    const stdio = capture ? ["ignore", "pipe", "pipe"] : "inherit";
    const child = spawn(command, args, { cwd: ROOT, env, stdio });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text) => {
        output += text;
      });
    }
    child.once("error", reject);
    child.once("close", (code) => resolve({ code: code ?? 1, output }));
  });
}

/** Runs a JavaScript file with this Node.js. */
export function runNode(file, args, options) {
  return run(process.execPath, [projectPath(file), ...args], options);
}

/** Runs npm: the one that started this script, else the one on the path. */
export function runNpm(args, options) {
  const npm = process.env.npm_execpath;
  if (npm?.endsWith("npm-cli.js")) return run(process.execPath, [npm, ...args], options);
  return process.platform === "win32" ? run("cmd.exe", ["/c", "npm", ...args], options) : run("npm", args, options);
}

/** Throws a `Failure` that says what to do, unless the program ended well. */
export async function require(running, failure) {
  const { code } = await running;
  if (code !== 0) throw new Failure(failure);
}

/** A failure whose message is all a person needs: no stack trace. */
export class Failure extends Error {}

/** Says whether the module at `url` is the script that Node.js was started with. */
export function isMain(url) {
  return process.argv[1] !== undefined && url === pathToFileURL(process.argv[1]).href;
}

/** Runs a script's main function; a `Failure` is printed and ends the process with code 1. */
export async function main(body) {
  try {
    await body();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    console.error(`\n${error.message}`);
    process.exitCode = 1;
  }
}
