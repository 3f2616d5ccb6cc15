// `npm run check`: every check:* script of package.json, side by side.
import { isMain, main, readJson, runNpm } from "./project.mjs";
import { installInner, setUp } from "./setup.mjs";
import { summary } from "./summary.mjs";

/** The names of all checks, such as `types`. */
export function checkNames() {
  const names = Object.keys(readJson("package.json").scripts);
  return names.filter((name) => name.startsWith("check:")).map((name) => name.slice("check:".length));
}

/** Runs checks in parallel, prints each as it ends, with its output when it failed, and counts them. */
export async function runChecks(names) {
  const outcomes = await Promise.all(names.map(runCheck));
  const passed = outcomes.filter((outcome) => outcome).length;
  return { passed, failed: outcomes.length - passed, skipped: 0 };
}

async function runCheck(name) {
  const startMs = performance.now();
  const env = process.stdout.isTTY ? { ...process.env, FORCE_COLOR: "1" } : { ...process.env, NO_COLOR: "1" };
  const { code, output } = await runNpm(["run", "--silent", `check:${name}`], { capture: true, env });
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  console.log(`${code === 0 ? "✓" : "✗"} ${name} (${seconds} s)`);
  if (code !== 0) console.log(output.trim().replace(/^/gm, "  "));
  return code === 0;
}

if (isMain(import.meta.url)) {
  await main(async () => {
    await setUp();
    await installInner("conformance");
    const counts = await runChecks(checkNames());
    console.log(summary(counts));
    if (counts.failed > 0) process.exitCode = 1;
  });
}
