import { command, type CommandContext, portOption } from "../command.js";
import type { Finding } from "../findings.js";
import { table, type TextStyle } from "../output.js";

const STYLES: Readonly<Record<Finding["level"], TextStyle>> = { ok: "green", warn: "yellow", fail: "red" };

/** `getpatter doctor [FILE]` */
export const doctorCommand = command({
  help: `Check whether this machine has what calls need, and say what to do where it lacks something.

Usage: getpatter doctor [FILE] [--port 8000]

With FILE, which exports an agent, also whether the agent's model is still offered, what
takes its place when it is not, and whether the agent's local speech loads: what it lacks
fails. The file is run for that, but no call is taken.

  --port N   the port to check. Default 8000

Nothing is sent anywhere, and keys are not shown. A local model server is looked for on
this machine's usual ports, unless GETPATTER_PROBE_LOCAL_MODELS=0.
The exit code is 1 when something fails; a warning is no failure.

Example:
  getpatter doctor agent.ts`,
  options: { port: { type: "string" } },
  operands: ["FILE?"],
  run: async ({ values, positionals: [file] }, context) => {
    const { out, env, cwd } = context;
    const port = portOption(values.port) ?? 8000;
    // First the file: the .env beside it wins over the one here.
    const agent = file === undefined ? [] : await checkAgentFile(file, context);
    const { checkUp } = await import("../check-up.js");
    const findings = [...(await checkUp({ env, cwd, port })), ...agent];
    for (const row of table(findings.map(({ level, what }) => [out.style(STYLES[level], level), what]))) out.line(row);
    return findings.some(({ level }) => level === "fail") ? 1 : 0;
  },
});

async function checkAgentFile(file: string, context: CommandContext): Promise<Finding[]> {
  const { checkAgent } = await import("../agent-check.js");
  return checkAgent(file, context);
}
