import { existsSync, statSync } from "node:fs";
import { register } from "node:module";
import { dirname, extname, isAbsolute, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Agent } from "../agent/agent.js";
import { errorMessage } from "../core/errors.js";
import type { ServeOptions } from "../options.js";
import type { Patter } from "../patter.js";
import type { CommandContext } from "./command.js";
import { loadEnvFiles } from "./env-file.js";
import { Failure, isForTheUser } from "./failure.js";

/** What a user's file exports by default, checked. */
export interface AgentFile extends Omit<ServeOptions, "agent" | "port" | "host" | "webhookUrl"> {
  readonly agent: Agent;
  readonly phone?: Patter;
}

const EXTENSIONS = [".ts", ".mts", ".tsx", ".js", ".mjs", ".cjs"];

/**
 * Loads a user's file, TypeScript or JavaScript, after the `.env` files of its folder and of the working folder.
 * Returns its default export, unchecked.
 *
 * @throws Failure that says what is wrong with the file, and where.
 */
export async function importFile(file: string, { cwd, env }: CommandContext): Promise<unknown> {
  const path = resolve(cwd, file);
  if (!existsSync(path)) throw new Failure(`There is no file ${path}. Write a first one: npx getpatter init.`);
  if (!statSync(path).isFile())
    throw new Failure(`${path} is a folder: name the file in it, such as ${file.replace(/\/$/, "")}/agent.ts.`);
  if (!EXTENSIONS.includes(extname(path)))
    throw new Failure(`${file} is no program: an agent's file is TypeScript or JavaScript, such as agent.ts.`);
  loadEnvFiles([dirname(path), cwd], env);
  const { register: registerTypeScript } = await import("tsx/esm/api");
  registerTypeScript();
  register("./agent-file-hooks.js", import.meta.url);
  try {
    const module = (await import(pathToFileURL(path).href)) as { readonly default?: unknown };
    return module.default;
  } catch (error) {
    throw isForTheUser(error) ? error : new Failure(loadProblem(error, path, cwd), { cause: error });
  }
}

/** The agent of a file that must export one. */
export async function loadAgentFile(file: string, context: CommandContext): Promise<AgentFile> {
  return checkedExport(await importFile(file, context), file);
}

/** @throws Failure that says what to export. */
export function checkedExport(exported: unknown, file: string): AgentFile {
  if (exported === undefined) throw new Failure(`${file} exports no agent: end it with "export default { phone, agent };".`);
  if (isAgent(exported)) return { agent: exported };
  if (typeof exported === "object" && exported !== null && "agent" in exported) {
    const { agent, phone } = exported as { readonly agent: unknown; readonly phone?: unknown };
    if (!isAgent(agent)) throw new Failure(`The agent that ${file} exports is none: make it with phone.agent({ … }).`);
    if (phone !== undefined && !isPatter(phone))
      throw new Failure(`The phone that ${file} exports is none: make it with new Patter({ … }).`);
    return exported as AgentFile;
  }
  throw new Failure(`${file} exports ${describe(exported)}, and no agent: end it with "export default { phone, agent };".`);
}

/** Closes the connections of an agent's model, where it can be asked to: they would keep the process alive. */
export async function closeModel({ llm }: Pick<Agent, "llm">): Promise<void> {
  if (llm !== undefined && Symbol.asyncDispose in llm) await (llm as AsyncDisposable)[Symbol.asyncDispose]();
}

function isAgent(value: unknown): value is Agent {
  return (
    typeof value === "object" &&
    value !== null &&
    "endpointing" in value &&
    "textTransforms" in value &&
    "longTurnMessageAfterMs" in value
  );
}

function isPatter(value: unknown): value is Patter {
  return typeof value === "object" && value !== null && "serve" in value && "test" in value && "disconnect" in value;
}

function describe(value: unknown): string {
  if (value === null || typeof value !== "object") return typeof value === "function" ? "a function" : String(value);
  const { name } = value.constructor;
  return name === "Object" ? `an object with ${Object.keys(value).join(", ") || "nothing in it"}` : `a ${name}`;
}

/** One line about a file that could not be loaded: where, and what. */
function loadProblem(error: unknown, path: string, cwd: string): string {
  const message = errorMessage(error);
  // The TypeScript compiler: "Transform failed with 1 error:\n/a/agent.ts:3:8: ERROR: Expected …"
  const syntax = /^(.+?:\d+:\d+): ERROR: (.+)$/m.exec(message);
  if (syntax !== null) return `${shown(syntax[1] as string, cwd)}: ${syntax[2]}`;
  const missing = /^Cannot find package '([^']+)'/.exec(message);
  if (missing !== null)
    return `${shown(path, cwd)} imports the package "${missing[1]}", which is not installed: run npm install ${missing[1]}.`;
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  const place = stack.split("\n").find((line) => line.includes(path) || line.includes(pathToFileURL(path).href));
  const at = place === undefined ? undefined : /(\/[^():]+|[A-Z]:\\[^():]+):(\d+(?::\d+)?)/.exec(place.replace("file://", ""));
  const where = at === undefined || at === null ? shown(path, cwd) : `${shown(at[1] as string, cwd)}:${at[2]}`;
  return `${where}: ${error instanceof Error ? error.name : "thrown"}: ${message}`;
}

function shown(path: string, cwd: string): string {
  const near = relative(cwd, path);
  return near.startsWith("..") || isAbsolute(near) ? path : near;
}
