import { setTimeout } from "node:timers/promises";
import { Worker } from "../anthropic/processes.js";
import type { Account, CallerTask, CallReading } from "./callers.js";
import type { Effort, Memory } from "./child.js";
import { type Conversation, warmUp } from "./conversation.js";
import type { SubjectReading, SubjectSettings, SubjectTask } from "./subject.js";
import type { VendorTask, VendorUrls } from "./vendors.js";

const FLAGS = ["--import", import.meta.resolve("tsx"), "--expose-gc"];
/** Until everything of a call is closed, in ms. */
const CLOSING_MS = 3000;
const PROCESSES = {
  vendors: new URL("./vendors.ts", import.meta.url).href,
  callers: new URL("./callers.ts", import.meta.url).href,
  agent: new URL("./agent.ts", import.meta.url).href,
  relay: new URL("./relay.ts", import.meta.url).href,
} as const;

export type SubjectName = "agent" | "relay";

export interface RunOptions {
  readonly subject: SubjectName;
  readonly calls: number;
  readonly conversation: Conversation;
  readonly certificateFile: string;
}

/** What one program did with its calls, from within and from the carrier's end. */
export interface Run {
  readonly subject: SubjectReading;
  /** Of the program, when the calls are over. */
  readonly memoryAfter: Memory;
  readonly calls: readonly CallReading[];
  /** How long the calls lasted, all together. */
  readonly callMs: number;
  readonly vendors: Effort;
  readonly callers: Effort;
}

/** Runs one program with calls at the same time, each process of it fresh, after a short call each that does not count. */
export async function run({ subject, calls, conversation, certificateFile }: RunOptions): Promise<Run> {
  await using vendors = new Worker(PROCESSES.vendors, [], FLAGS);
  const urls = await vendors.ask<VendorUrls>();
  await using callers = new Worker(PROCESSES.callers, [], FLAGS);
  const account = await callers.ask<Account>();
  const settings: SubjectSettings = { vendors: urls, account };
  await using program = new Worker(PROCESSES[subject], [JSON.stringify(settings)], FLAGS, {
    NODE_EXTRA_CA_CERTS: certificateFile,
  });
  await callers.ask({ do: "route", url: await program.ask<string>() } satisfies CallerTask);

  const talk = async (talked: Conversation): Promise<number> => {
    await vendors.ask({ do: "script", calls, conversation: talked } satisfies VendorTask);
    return callers.ask<number>({ do: "call", calls, conversation: talked } satisfies CallerTask);
  };
  await talk(warmUp());
  await callers.ask({ do: "hang up" } satisfies CallerTask);

  const begin = { do: "begin" } satisfies SubjectTask & VendorTask & CallerTask;
  const read = { do: "read" } satisfies SubjectTask & VendorTask & CallerTask;
  for (const worker of [vendors, callers, program]) await worker.ask(begin);
  const callMs = await talk(conversation);
  const [vendorEffort, callerEffort] = [await vendors.ask<Effort>(read), await callers.ask<Effort>(read)];
  const reading = await program.ask<SubjectReading>(read);
  const readings = await callers.ask<CallReading[]>({ do: "hang up" } satisfies CallerTask);
  await setTimeout(CLOSING_MS);
  const memoryAfter = await program.ask<Memory>({ do: "memory" } satisfies SubjectTask);
  return { subject: reading, memoryAfter, calls: readings, callMs, vendors: vendorEffort, callers: callerEffort };
}
