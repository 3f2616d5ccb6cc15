import { join, resolve } from "node:path";
import { command, type CommandContext } from "../command.js";
import { loadEnvFiles } from "../env-file.js";
import { dataFolder } from "../folders.js";

/** `getpatter demo` */
export const demoCommand = command({
  help: `Book a table at a restaurant that does not exist.

Usage: getpatter demo --typed [--data FOLDER]

It thinks with Claude where ANTHROPIC_API_KEY is set, else with a model server on this
machine (Ollama, LM Studio, llama.cpp, vLLM), else with a script that says so.
GETPATTER_PROBE_LOCAL_MODELS=0 looks for no server.

  --typed         in this terminal, typed
  --data FOLDER   where the restaurant keeps its tables.json`,
  options: { typed: { type: "boolean", default: false }, data: { type: "string" } },
  run: async ({ values }, context) => {
    loadEnvFiles([context.cwd], context.env);
    const folder = values.data === undefined ? join(dataFolder(context.env), "restaurant") : resolve(context.cwd, values.data);
    await typedDemo(folder, context);
    return 0;
  },
});

async function typedDemo(folder: string, { out, env }: CommandContext): Promise<void> {
  const [{ demoModel, restaurantAgent }, { Patter }, { Browser }] = await Promise.all([
    import("../demo-agent.js"),
    import("../../patter.js"),
    import("../../carriers/browser.js"),
  ]);
  const model = await demoModel(env);
  out.line(`The restaurant, typed. It thinks with ${model.description}.`);
  out.line(`Bookings are kept in ${join(folder, "tables.json")}. /quit leaves.`);
  out.line();
  const phone = new Patter({ carrier: new Browser() });
  await phone.test({ agent: phone.agent(restaurantAgent(model, folder)) });
}
