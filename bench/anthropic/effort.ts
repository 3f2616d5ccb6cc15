import { setTimeout } from "node:timers/promises";
import { median } from "../statistics.js";
import { BARE_LOOPS, type ClientKind, CONTROL, OURS, RIVALS } from "./kinds.js";
import { type Load, startClient, startServer, type Worker } from "./processes.js";

/** How often everything is done. */
export interface Sizes {
  /** Turns of one piece, and turns of `BURST`, before anything is measured: a server has answered many. */
  readonly warmUp: { readonly single: number; readonly burst: number };
  readonly firstTokenTurns: number;
  /** Clients take turns after each: how many pieces arrive together depends on what else the machine does. */
  readonly pacedTurns: number;
  readonly burstRounds: number;
  /** In each round. */
  readonly burstTurns: number;
  readonly allocationWarmUp: number;
  readonly allocationWindows: number;
  /** In each window. */
  readonly allocationTurns: number;
}

/** An answer of 150 pieces as a model writes it, though faster: a real one takes three to ten times as long. */
export const PACED: Load = { deltas: 150, gapMs: 2 };
/** The same all at once. */
const BURST: Load = { deltas: 150, gapMs: 0 };
const SINGLE: Load = { deltas: 1, gapMs: 0 };
/** Short, because only its first piece counts. */
const SHORT: Load = { deltas: 10, gapMs: 2 };

/** A young generation in which a whole window of turns fits. */
const NO_COLLECTIONS = ["--max-semi-space-size=1024", "--min-semi-space-size=1024"];
const PAUSE_MS = 5;

interface Bench {
  readonly server: Worker;
  readonly clients: readonly Worker[];
  readonly dispose: AsyncDisposable;
}

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
  const { server, clients, dispose } = await start(certificateFile);
  await using _all = dispose;
  const inTurns = (rounds: number, task: object): Promise<number[][]> => takeTurns(clients, rounds, task);

  for (const [load, count] of [
    [SINGLE, sizes.warmUp.single],
    [BURST, sizes.warmUp.burst],
  ] as const) {
    await server.ask(load);
    await Promise.all(clients.map((client) => client.ask({ task: "turns", count })));
  }
  await server.ask(SHORT);
  const first = await inTurns(sizes.firstTokenTurns, { task: "first" });
  await server.ask(PACED);
  const paced = await inTurns(sizes.pacedTurns, { task: "cpu", count: 1 });
  await server.ask(BURST);
  const burst = await inTurns(sizes.burstRounds, { task: "cpu", count: sizes.burstTurns });

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

/** The lean server, and a client of each kind. */
async function start(certificateFile: string, flags: readonly string[] = []): Promise<Bench> {
  const { server, url } = await startServer();
  const clients = await Promise.all(MEASURED.map((kind) => startClient(kind, { url, certificateFile, flags })));
  const end = async (): Promise<void> => {
    await Promise.all([...clients, server].map((worker) => worker[Symbol.asyncDispose]()));
  };
  return { server, clients, dispose: { [Symbol.asyncDispose]: end } };
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
  const { server, clients, dispose } = await start(certificateFile, NO_COLLECTIONS);
  await using _all = dispose;
  await server.ask(BURST);
  await Promise.all(clients.map((client) => client.ask({ task: "turns", count: sizes.allocationWarmUp })));
  await server.ask(PACED);
  const allocation = new Map<ClientKind, number | undefined>();
  for (const [index, kind] of MEASURED.entries()) {
    const windows: (number | undefined)[] = [];
    for (let window = 0; window < sizes.allocationWindows; window++) {
      windows.push(await (clients[index] as Worker).ask({ task: "allocation", count: sizes.allocationTurns }));
    }
    const bytes = windows.filter((each) => each !== undefined);
    allocation.set(kind, bytes.length === 0 ? undefined : median(bytes));
  }
  return allocation;
}
