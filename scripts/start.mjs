// `npm start`: sets up a clone, then starts the demo. Options go on to it: npm start -- --port 8080
import { pathToFileURL } from "node:url";
import { main, projectPath } from "./project.mjs";
import { setUp } from "./setup.mjs";

/** How often to look whether npm is still there, in ms. */
const LOOK_MS = 500;

/** Ends this process as SIGTERM does once its parent has gone: npm tells only its shell, which passes nothing on. */
function endWithParent() {
  const parent = process.ppid;
  const looking = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(looking);
    process.kill(process.pid, "SIGTERM");
  }, LOOK_MS);
  looking.unref();
}

await main(async () => {
  if (process.env.npm_lifecycle_event === "start") endWithParent();
  await setUp();
  const cli = projectPath("dist", "cli", "main.js");
  // The command line in this same process, so that Ctrl-C and signals reach it directly.
  process.argv = [process.execPath, cli, "demo", ...process.argv.slice(2)];
  await import(pathToFileURL(cli).href);
});
