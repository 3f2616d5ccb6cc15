#!/usr/bin/env node
import { runIfStillAlive } from "../core/clock.js";
import { errorMessage } from "../core/errors.js";
import type { Command, CommandContext } from "./command.js";
import { errorDetails, isForTheUser, UsageError } from "./failure.js";
import { Output, table } from "./output.js";

interface Entry {
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** Loaded one at a time: help must not wait for what it does not need. */
const COMMANDS: Readonly<Record<string, Entry>> = {
  init: { summary: "write a first agent into a folder", load: async () => (await import("./commands/init.js")).initCommand },
  demo: {
    summary: "talk to a restaurant in your browser; needs no key",
    load: async () => (await import("./commands/demo.js")).demoCommand,
  },
  serve: {
    summary: "answer calls with the agent of a file",
    load: async () => (await import("./commands/serve.js")).serveCommand,
  },
  chat: { summary: "type with the agent of a file", load: async () => (await import("./commands/chat.js")).chatCommand },
  talk: {
    summary: "let a recording call the agent of a file",
    load: async () => (await import("./commands/talk.js")).talkCommand,
  },
  models: {
    summary: "list, fetch, verify or remove the local speech files",
    load: async () => (await import("./commands/models.js")).modelsCommand,
  },
  doctor: {
    summary: "check whether this machine has what it takes",
    load: async () => (await import("./commands/doctor.js")).doctorCommand,
  },
};

/** How long a finished command may take to end by itself, in ms; connections of a user's file may never. */
const EXIT_GRACE_MS = 2000;

const OK = 0;
const FAILED = 1;
const MISUSED = 2;

await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", endQuietly);
  const context = { out: new Output(process.stdout), err: new Output(process.stderr), env: process.env, cwd: process.cwd() };
  const isDebug = args.includes("--debug");
  const code = await run(
    args.filter((arg) => arg !== "--debug"),
    context,
  ).catch((error: unknown) => report(error, context, isDebug));
  if (code === undefined) return;
  process.exitCode = code;
  // Not at once: a speech library that is still loading in a thread would end the process with a crash.
  runIfStillAlive(EXIT_GRACE_MS, () => process.exit());
}

async function run(args: readonly string[], context: CommandContext): Promise<number | undefined> {
  const [name, ...rest] = args;
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    const entry = name === "help" && rest[0] !== undefined ? known(rest[0]) : undefined;
    context.out.line(entry === undefined ? overview(context.out) : (await entry.load()).help);
    return name === undefined ? MISUSED : OK;
  }
  if (name === "--version" || name === "-v") {
    context.out.line((await import("./package-info.js")).packageInfo().version);
    return OK;
  }
  const loaded = await known(name).load();
  if (rest.includes("--help") || rest.includes("-h")) {
    context.out.line(loaded.help);
    return OK;
  }
  try {
    return await loaded.run(rest, context);
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`${error.message} Run npx getpatter ${name} --help.`, { cause: error });
    throw error;
  }
}

function known(name: string): Entry {
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (entry !== undefined) return entry;
  if (name.startsWith("-")) throw new UsageError(`There is no option ${name} without a command. Run npx getpatter --help.`);
  throw new UsageError(
    `There is no command "${name}". The commands are ${Object.keys(COMMANDS).join(", ")}. Run npx getpatter --help.`,
  );
}

function overview(out: Output): string {
  const rows = Object.entries(COMMANDS).map(([name, { summary }]) => [`  ${out.style("bold", name)}`, summary]);
  return [
    "Gives an AI agent a phone number.",
    "",
    "Usage: getpatter COMMAND [options]",
    "",
    ...table(rows),
    "",
    "getpatter COMMAND --help tells more about one of them.",
    "  --version   print the version",
    "  --debug     show where an error comes from",
  ].join("\n");
}

function report(error: unknown, { err }: CommandContext, isDebug: boolean): number {
  const label = err.style("red", "error:");
  if (isDebug) err.line(`${label} ${errorDetails(error)}`);
  else if (isForTheUser(error)) err.line(`${label} ${errorMessage(error)}`);
  else err.line(`${label} ${errorMessage(error)} (unexpected; --debug shows where it comes from)`);
  return error instanceof UsageError ? MISUSED : FAILED;
}

/** A reader such as `head` has seen enough. */
function endQuietly(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
  process.exit();
}
