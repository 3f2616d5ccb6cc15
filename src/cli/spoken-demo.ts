import { join } from "node:path";
import { Browser } from "../carriers/browser.js";
import type { Call } from "../core/call.js";
import { MULAW_8K, PCM16_16K } from "../core/audio-frame.js";
import { Patter } from "../patter.js";
import { closeModel } from "./agent-file.js";
import { CallLog } from "./call-log.js";
import type { CommandContext } from "./command.js";
import { demoModel, spokenRestaurant } from "./demo-agent.js";
import { hasScreen, openBrowser } from "./open-browser.js";
import { table } from "./output.js";
import { runServer } from "./running-server.js";
import { terminalLogger } from "./terminal-logger.js";

const HINT = "A table for four, tomorrow at half past seven.";

export interface SpokenDemoOptions {
  /** Where the restaurant keeps its tables. */
  readonly folder: string;
  readonly port: number | undefined;
  /** The telephone's audio in place of wideband. */
  readonly isTelephone: boolean;
  readonly mayOpenBrowser: boolean;
}

/** Answers calls from the browser's page with the restaurant, until Ctrl-C. */
export async function spokenDemo(options: SpokenDemoOptions, context: CommandContext): Promise<number> {
  const { folder, port, isTelephone, mayOpenBrowser } = options;
  const { out, err, env } = context;
  const model = await demoModel(env);
  const format = isTelephone ? MULAW_8K : PCM16_16K;
  const restaurant = await spokenRestaurant(model, folder);
  const phone = new Patter({
    carrier: new Browser({ format, title: "The Luna restaurant", hint: HINT }),
    logger: terminalLogger(err),
  });
  out.transient("Loading the speech models …");
  const calls = new CallLogs(context, () => phone.activeCalls);
  const code = await runServer({
    phone,
    serve: {
      agent: phone.agent(restaurant),
      ...(port !== undefined && { port }),
      onCallStart: (call) => calls.follow(call),
    },
    out,
    drainMs: 0,
    onReady: (url) => {
      const opens = mayOpenBrowser && hasScreen(context);
      const line = isTelephone ? "as on the telephone: mu-law, 8 kHz" : "wideband: PCM, 16 kHz";
      const rows = [
        ["open", out.style("bold", url) + (opens ? "  (your browser is opening it)" : "")],
        ["say", `"${HINT}"`],
        ["", ""],
        ["hears", `${restaurant.stt?.model}, on this machine`],
        ["thinks", model.description],
        ["speaks", `${restaurant.tts?.model}, on this machine`],
        ["line", line],
        ["tables", join(folder, "tables.json")],
      ].map(([label = "", text = ""]) => [out.style("dim", label), text]);
      out.transient("");
      out.line("A restaurant that takes bookings. Ctrl-C stops.");
      out.line();
      for (const row of table(rows)) out.line(`  ${row}`);
      out.line();
      if (opens) openBrowser(url);
    },
  });
  await closeModel(model);
  return code;
}

/** Prints every call as it happens. */
class CallLogs {
  readonly #context: CommandContext;
  readonly #activeCalls: () => number;
  #count = 0;

  constructor(context: CommandContext, activeCalls: () => number) {
    this.#context = context;
    this.#activeCalls = activeCalls;
  }

  follow(call: Call): void {
    const { out } = this.#context;
    this.#count++;
    out.line(out.style("dim", `Call ${this.#count}`));
    const log = new CallLog(out, this.#activeCalls() > 1 ? { prefix: out.style("dim", `${this.#count}| `) } : {});
    void this.#print(call, log);
  }

  async #print(call: Call, log: CallLog): Promise<void> {
    for await (const event of call.events) log.show(event);
  }
}
