import { command } from "../command.js";
import { table, type TextStyle } from "../output.js";
import { portOption } from "../command.js";

const STYLES: Readonly<Record<"ok" | "warn" | "fail", TextStyle>> = { ok: "green", warn: "yellow", fail: "red" };

/** `getpatter doctor` */
export const doctorCommand = command({
  help: `Check whether this machine has what calls need, and say what to do where it lacks something.

Usage: getpatter doctor [--port 8000]

  --port N   the port to check. Default 8000

Nothing is sent anywhere, and keys are not shown. A local model server is looked for on
this machine's usual ports, unless GETPATTER_PROBE_LOCAL_MODELS=0.
The exit code is 1 when something fails; a warning is no failure.`,
  options: { port: { type: "string" } },
  run: async ({ values }, { out, env, cwd }) => {
    const { checkUp } = await import("../check-up.js");
    const findings = await checkUp({ env, cwd, port: portOption(values.port) ?? 8000 });
    for (const row of table(findings.map(({ level, what }) => [out.style(STYLES[level], level), what]))) out.line(row);
    return findings.some(({ level }) => level === "fail") ? 1 : 0;
  },
});
