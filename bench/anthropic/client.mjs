// One client in a process of its own: `node client.mjs <module> <settings as JSON>`; tasks come over IPC, one at a time.
import { PerformanceObserver, performance } from "node:perf_hooks";
import { setImmediate, setTimeout } from "node:timers/promises";
import { getHeapStatistics } from "node:v8";
import { CALLER, linesOf } from "./conversation.mjs";

const [module, settings] = process.argv.slice(2);
const { open } = await import(`./clients/${module}.mjs`);
const client = await open(JSON.parse(settings));

/** The words of the agent that a caller hears before they barge in. */
const HEARD_TEXTS = 3;
/** The call stands at its tenth turn where a turn is measured by itself. */
const LINES = linesOf(9);

let collections = 0;
new PerformanceObserver((list) => {
  collections += list.getEntries().length;
}).observe({ entryTypes: ["gc"] });

const TASKS = {
  /** Turns one after another. */
  async turns({ count }) {
    for (let turn = 0; turn < count; turn++) await wholeTurn();
  },

  /** One turn: ms from the request to its first text. */
  async first() {
    let firstMs;
    const startedMs = performance.now();
    await wholeTurn(() => {
      firstMs ??= performance.now() - startedMs;
    });
    return firstMs;
  },

  /** CPU time of the whole process, user and system, garbage collection included, in ms per turn. */
  async cpu({ count }) {
    const before = process.cpuUsage();
    await TASKS.turns({ count });
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000 / count;
  },

  /**
   * Bytes allocated per turn: the growth of the heap and of the array buffers in a window without any garbage
   * collection, which the size of the young generation makes room for; `undefined` when one happened all the same.
   */
  async allocation({ count }) {
    globalThis.gc();
    await setTimeout(20);
    collections = 0;
    const before = allocated();
    await TASKS.turns({ count });
    const bytes = allocated() - before;
    await setTimeout(20);
    return collections === 0 ? bytes / count : undefined;
  },

  /** A call of as many turns as there are lines, in which the caller interrupts every other answer. */
  async bargeIns() {
    for (let turn = 0; turn < CALLER.length; turn++) {
      const barge = new AbortController();
      let texts = 0;
      const hear = () => {
        if (turn % 2 === 1 && ++texts === HEARD_TEXTS) barge.abort();
      };
      await client.turn(linesOf(turn), { signal: barge.signal, onText: hear }).catch((error) => {
        if (!barge.signal.aborted) throw error;
      });
      // The caller speaks before the next turn.
      await setTimeout(10);
    }
  },

  /** Answers at once, as of that many calls. */
  async concurrent({ count }) {
    await Promise.all(Array.from({ length: count }, () => wholeTurn()));
  },

  /** A whole call with the answers that came. */
  async call() {
    const lines = [];
    for (const content of CALLER) {
      lines.push({ role: "user", content });
      let answer = "";
      const onText = (text) => {
        answer += text;
      };
      await client.turn(lines, { signal: new AbortController().signal, onText });
      lines.push({ role: "assistant", content: answer });
    }
  },
};

async function wholeTurn(onFirst = () => {}) {
  let text = "";
  const onText = (piece) => {
    if (text === "") onFirst();
    text += piece;
  };
  await client.turn(LINES, { signal: new AbortController().signal, onText });
  if (!text.endsWith(".")) throw new Error(`The answer ended at ${JSON.stringify(text.slice(-20))}.`);
}

function allocated() {
  return getHeapStatistics().used_heap_size + process.memoryUsage().arrayBuffers;
}

async function run({ task, ...options }) {
  // The message that brought the task is no part of it.
  await setImmediate();
  try {
    process.send({ result: await TASKS[task](options) });
  } catch (error) {
    process.send({ failure: error.stack });
  }
}

process.on("message", (message) => void run(message));
process.on("disconnect", () => process.exit());
process.send({ result: "ready" });
