import { closeModel, loadAgentFile } from "../agent-file.js";
import { command, type CommandContext } from "../command.js";
import { loadEnvFiles } from "../env-file.js";
import { restaurantFolder } from "../folders.js";

/** `getpatter chat FILE` */
export const chatCommand = command({
  help: `Type with the agent of a file: its model, prompt and tools, without any audio.

Usage: getpatter chat [FILE]

FILE is TypeScript or JavaScript; it exports by default an agent, or { phone, agent }.
Without FILE the demo's restaurant answers.
A .env file in its folder or in the current one is read first.

While typing: /hangup ends the call, /transfer NUMBER hands you over, /history shows
what the model knows, /quit leaves. Lines may also come through a pipe.

Example:
  getpatter chat agent.ts
  printf 'A table for two, please.\\n' | getpatter chat agent.ts`,
  options: {},
  operands: ["FILE?"],
  run: async ({ positionals: [file] }, context) => {
    if (file === undefined) return demo(context);
    const { phone, ...options } = await loadAgentFile(file, context);
    if (phone !== undefined) await phone.test(options);
    else await (await ownPhone()).test(options);
    await closeModel(options.agent);
    return 0;
  },
});

async function demo(context: CommandContext): Promise<number> {
  loadEnvFiles([context.cwd], context.env);
  const { typedDemo } = await import("../typed-demo.js");
  return typedDemo(restaurantFolder(context.env), context);
}

async function ownPhone() {
  const [{ Patter }, { Browser }] = await Promise.all([import("../../patter.js"), import("../../carriers/browser.js")]);
  return new Patter({ carrier: new Browser() });
}
