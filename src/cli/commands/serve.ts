import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { deferred } from "../../core/signals.js";
import { checkedExport, importFile } from "../agent-file.js";
import { command, type CommandContext, portOption } from "../command.js";
import { Failure } from "../failure.js";

const DRAIN_MS = 30_000;

/** `getpatter serve FILE` */
export const serveCommand = command({
  help: `Answer calls with the agent of a file, until Ctrl-C.

Usage: getpatter serve FILE [--port 8000]

FILE is TypeScript or JavaScript. It exports by default { phone, agent }, or an agent
alone, which is then reached from a page in the browser. A file that calls serve()
itself is run as it is. A .env file in its folder or in the current one is read first.

  --port N   the port to listen on; 0 takes any free one. Default 8000

Ctrl-C lets running calls finish, for 30 s at most; a second one ends them.

Example:
  getpatter serve agent.ts`,
  options: { port: { type: "string" } },
  operands: ["FILE"],
  run: async ({ values, positionals: [file = ""] }, context) => {
    const port = portOption(values.port);
    const { exported, servesItself } = await run(file, context);
    if (servesItself) {
      if (port !== undefined) throw new Failure(`${file} calls serve() itself: set the port there, and leave --port out.`);
      return undefined;
    }
    const { phone: ownPhone, ...options } = checkedExport(exported, file);
    const [{ runServer }, phone] = await Promise.all([import("../running-server.js"), ownPhone ?? browserPhone(context)]);
    return runServer({
      phone,
      serve: { ...options, ...(port !== undefined && { port }) },
      out: context.out,
      drainMs: DRAIN_MS,
      onReady: (url) => context.out.line(`Answering calls at ${context.out.style("bold", url)}. Ctrl-C stops.`),
    });
  },
});

/** A phone for a file that brings none: a page in the browser. */
async function browserPhone({ err }: CommandContext) {
  const [{ Patter }, { Browser }, { terminalLogger }] = await Promise.all([
    import("../../patter.js"),
    import("../../carriers/browser.js"),
    import("../terminal-logger.js"),
  ]);
  return new Patter({ carrier: new Browser(), ...(err.isTerminal && { logger: terminalLogger(err, true) }) });
}

interface Run {
  /** The file's default export, unchecked. */
  readonly exported: unknown;
  readonly servesItself: boolean;
}

/** Runs the file. One that exports nothing has until its end to call serve(); it may load something first. */
async function run(file: string, context: CommandContext): Promise<Run> {
  const served = deferred<boolean>();
  let servesItself = false;
  const onServe = (): void => {
    servesItself = true;
    served.resolve(true);
  };
  const onEnd = (): void => served.resolve(false);
  subscribe("getpatter.serve", onServe);
  process.once("beforeExit", onEnd);
  try {
    const exported = await importFile(file, context);
    return { exported, servesItself: exported === undefined ? await served.promise : servesItself };
  } finally {
    unsubscribe("getpatter.serve", onServe);
    process.off("beforeExit", onEnd);
  }
}
