import { setTimeout } from "node:timers/promises";
import { median } from "../statistics.js";
import { BARE_LOOPS, type ClientKind, CONTROL, OURS, RIVALS } from "./kinds.js";
import { type Load, startClient, startServer, type Worker } from "./processes.js";

/** How often everything is done. */
export interface Sizes {
  readonly warmUpTurns: number;
  readonly firstTokenTurns: number;
  readonly rounds: number;
  readonly pacedTurns: number;
  readonly burstTurns: number;
  /** In each of three windows. */
  readonly allocationTurns: number;
}

/** An answer of 150 pieces as a model writes it, though faster: a real one takes three to ten times as long. */
export const PACED: Load = { deltas: 150, gapMs: 2 };
/** The same all at once. */
const BURST: Load = { deltas: 150, gapMs: 0 };
/** Short, because only its first piece counts. */
const SHORT: Load = { deltas: 10, gapMs: 2 };

/** A young generation in which a whole window of turns fits. */
const NO_COLLECTIONS = ["--max-semi-space-size=1024", "--min-semi-space-size=1024"];
const ALLOCATION_WINDOWS = 3;
const PAUSE_MS = 5;

export interface Effort {
  /** What each turn's first text came later than the bare loop's just before or after it, in ms. */
  readonly addedMs: readonly number[];
  readonly firstMs: number;
  readonly pacedCpuMs: number;
  readonly burstCpuMs: number;
}

const MEASURED: readonly ClientKind[] = [OURS, ...RIVALS, ...BARE_LOOPS, CONTROL];

/** Times to the first token and CPU of every client. Each has a process of its own; they take turns, one after another. */
export async function measureEffort(sizes: Sizes, certificateFile: string): Promise<ReadonlyMap<ClientKind, Effort>> {
  const { server, url } = await startServer();
  const clients: Worker[] = [];
  await using _all = { [Symbol.asyncDispose]: () => endAll([...clients, server]) };
  for (const kind of MEASURED) clients.push(await startClient(kind, { url, certificateFile }));
  const inTurns = (rounds: number, task: object): Promise<number[][]> => takeTurns(clients, rounds, task);

  for (const load of [BURST, SHORT]) {
    await server.ask(load);
    await inTurns(1, { task: "turns", count: sizes.warmUpTurns });
  }
  const first = await inTurns(sizes.firstTokenTurns, { task: "first" });
  await server.ask(PACED);
  const paced = await inTurns(sizes.rounds, { task: "cpu", count: sizes.pacedTurns });
  await server.ask(BURST);
  const burst = await inTurns(sizes.rounds, { task: "cpu", count: sizes.burstTurns });

  return new Map(
    MEASURED.map((kind, index) => {
      const own = first[index] as number[];
      const bare = first[MEASURED.indexOf(bareLoopOf(kind))] as number[];
      return [
        kind,
        {
          addedMs: own.map((ms, turn) => ms - (bare[turn] as number)),
          firstMs: median(own),
          pacedCpuMs: median(paced[index] as number[]),
          burstCpuMs: median(burst[index] as number[]),
        },
      ];
    }),
  );
}

async function endAll(workers: readonly Worker[]): Promise<void> {
  await Promise.all(workers.map((worker) => worker[Symbol.asyncDispose]()));
}

/** Gives every client the task once a round, in another order each time; the answers by client. */
async function takeTurns(clients: readonly Worker[], rounds: number, task: object): Promise<number[][]> {
  const answers: number[][] = clients.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const index of shuffled([...clients.keys()])) {
      answers[index]?.push(await (clients[index] as Worker).ask<number>(task));
      // What the last one has left to do, such as a garbage collection, is not the next one's.
      await setTimeout(PAUSE_MS);
    }
  }
  return answers;
}

function shuffled(values: number[]): number[] {
  for (let last = values.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1));
    [values[last], values[other]] = [values[other] as number, values[last] as number];
  }
  return values;
}

/** The bare loop on a client's protocol. */
function bareLoopOf(kind: ClientKind): ClientKind {
  return BARE_LOOPS.find(({ protocol }) => protocol === kind.protocol) as ClientKind;
}

/** Bytes allocated per turn of `PACED` by every client; `undefined` where a garbage collection spoilt each window. */
export async function measureAllocation(
  sizes: Sizes,
  certificateFile: string,
): Promise<ReadonlyMap<ClientKind, number | undefined>> {
  const { server, url } = await startServer();
  await using _server = server;
  const allocation = new Map<ClientKind, number | undefined>();
  for (const kind of MEASURED) {
    await using client = await startClient(kind, { url, certificateFile, flags: NO_COLLECTIONS });
    await server.ask(BURST);
    await client.ask({ task: "turns", count: sizes.warmUpTurns });
    await server.ask(PACED);
    const windows: (number | undefined)[] = [];
    for (let window = 0; window < ALLOCATION_WINDOWS; window++) {
      windows.push(await client.ask<number | undefined>({ task: "allocation", count: sizes.allocationTurns }));
    }
    const bytes = windows.filter((each) => each !== undefined);
    allocation.set(kind, bytes.length === 0 ? undefined : median(bytes));
  }
  return allocation;
}
