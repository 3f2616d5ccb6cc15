import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  /** Added to the environment; `undefined` takes a variable out. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string;
}

/** Runs the built command line to its end. */
export async function getpatter(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const running = start(args, options);
  running.child.stdin?.end(options.input ?? "");
  return await running.ended;
}

/** A command that goes on running. */
export interface RunningCommand {
  readonly child: ChildProcess;
  readonly ended: Promise<CommandResult>;
  /** Resolves with what `pattern` matched in the output so far; rejects when the command ends without it. */
  output(pattern: RegExp): Promise<RegExpExecArray>;
}

/** Starts the built command line. */
export function start(args: readonly string[], options: CommandOptions = {}): RunningCommand {
  const env: NodeJS.ProcessEnv = { ...process.env, NO_COLOR: "1", ...options.env };
  const child = spawn(process.execPath, [PROGRAM, ...args], { cwd: options.cwd, env, stdio: "pipe" });
  let stdout = "";
  let stderr = "";
  const onOutput = new Set<() => void>();
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
    for (const look of onOutput) look();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = new Promise<CommandResult>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
  const output = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(stdout);
        if (match !== null) resolve(match);
      };
      onOutput.add(look);
      look();
      void ended.then((result) => reject(new Error(`The command ended with ${result.code}:\n${result.stdout}${result.stderr}`)));
    });
  return { child, ended, output };
}
