import { join } from "node:path";
import { Browser } from "../carriers/browser.js";
import { Patter } from "../patter.js";
import { closeModel } from "./agent-file.js";
import type { CommandContext } from "./command.js";
import { demoModel, restaurantAgent } from "./demo-agent.js";

/** The restaurant in the terminal. Resolves with the exit code when the conversation is over. */
export async function typedDemo(folder: string, { out, env }: CommandContext): Promise<number> {
  const model = await demoModel(env);
  out.line(`The restaurant, typed. It thinks with ${model.description}.`);
  out.line(`Bookings are kept in ${join(folder, "tables.json")}. /quit leaves.`);
  out.line();
  const phone = new Patter({ carrier: new Browser() });
  await phone.test({ agent: phone.agent(restaurantAgent(model, folder)) });
  await closeModel(model);
  return 0;
}
