// `npm start`: sets up a clone, then starts the demo. Options go on to it: npm start -- --port 8080
import { pathToFileURL } from "node:url";
import { main, projectPath } from "./project.mjs";
import { setUp } from "./setup.mjs";

await main(async () => {
  await setUp();
  const cli = projectPath("dist", "cli", "main.js");
  // The command line in this same process, so that Ctrl-C and signals reach it directly.
  process.argv = [process.execPath, cli, "demo", ...process.argv.slice(2)];
  await import(pathToFileURL(cli).href);
});
