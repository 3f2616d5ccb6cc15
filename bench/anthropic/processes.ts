import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { ClientKind } from "./kinds.js";

/** What the lean server answers: pieces of text, and the ms between two. */
export interface Load {
  readonly deltas: number;
  readonly gapMs: number;
}

interface Answer {
  readonly result?: unknown;
  readonly failure?: string;
}

const TSX = ["--import", import.meta.resolve("tsx")];

/** A process that answers each message with one. */
export class Worker implements AsyncDisposable {
  readonly #process: ChildProcess;
  #answered: (answer: Answer) => void = () => {};
  #ended: (reason: Error) => void = () => {};

  constructor(file: string, args: readonly string[], execArgv: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const options = { execArgv: [...execArgv], env: { ...process.env, ...env } };
    this.#process = fork(fileURLToPath(new URL(file, import.meta.url)), args, options);
    this.#process.on("message", (answer: Answer) => this.#answered(answer));
    this.#process.on("exit", (code) => this.#ended(new Error(`${file} ${args.join(" ")} ended with code ${code}.`)));
  }

  /** Sends a message, if there is one, and waits for the next answer. @throws what the process failed with. */
  async ask<T>(message?: object): Promise<T> {
    const answer = await new Promise<Answer>((resolve, reject) => {
      this.#answered = resolve;
      this.#ended = reject;
      if (message !== undefined) this.#process.send(message);
    });
    if (answer.failure !== undefined) throw new Error(answer.failure);
    return answer.result as T;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#process.connected) return;
    const ended = new Promise((resolve) => {
      this.#process.once("exit", resolve);
    });
    this.#process.disconnect();
    await ended;
  }
}

/** The lean server in a process of its own, and its URL. */
export async function startServer(): Promise<{ server: Worker; url: string }> {
  const server = new Worker("lean-server.ts", [], TSX);
  return { server, url: await server.ask<string>() };
}

/** A client in a process of its own. It trusts the certificates of `certificateFile`. */
export async function startClient(
  { module, settings }: Pick<ClientKind, "module" | "settings">,
  { url, certificateFile, flags = [] }: { url: string; certificateFile: string; flags?: readonly string[] },
): Promise<Worker> {
  const args = [module, JSON.stringify({ ...settings, url })];
  const client = new Worker("client.mjs", args, ["--expose-gc", ...flags], { NODE_EXTRA_CA_CERTS: certificateFile });
  await client.ask();
  return client;
}
