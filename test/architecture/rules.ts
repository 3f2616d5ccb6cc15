import type { Module } from "./modules.js";

interface Rule {
  readonly name: string;
  /** What must not be said … */
  readonly forbids: RegExp;
  /** … except here. */
  readonly except: RegExp;
  readonly because: string;
}

const RULES: readonly Rule[] = [
  {
    name: "time",
    forbids: /^(new Date\(\)|Date\(\)|Date\.now|performance\.now|AbortSignal\.timeout|(set|clear)(Timeout|Interval|Immediate))$/,
    except: /^src\/core\/clock\.ts$/,
    because: "time comes from the clock that was passed in",
  },
  {
    name: "environment",
    forbids: /^process\.env$/,
    except: /^src\/(provider-kit\/credentials\.ts|cli\/)/,
    because: "only credential loading and the command line read the environment",
  },
  { name: "console", forbids: /^console\./, except: /^src\/cli\//, because: "a library logs to its logger" },
  { name: "default export", forbids: /^export default$/, except: /^$/, because: "a thing has one name everywhere" },
];

/** Modules that are another way to the timers. */
const TIMER_MODULES = /^(node:)?(timers|timers\/promises|perf_hooks)$/;

/** Everything a source says that it must not, as a sentence. Tests are free to. */
export function ruleViolations(modules: readonly Module[]): string[] {
  return modules.filter((module) => !module.path.endsWith(".test.ts")).flatMap(violationsOf);
}

function violationsOf(module: Module): string[] {
  const said = module.uses.flatMap(({ name, line }) =>
    RULES.filter(
      (rule) => rule.forbids.test(name) && !rule.except.test(module.path) && !isMeasuringWorker(module.path, name),
    ).map((rule) => `${module.path}:${line} says ${name}: ${rule.because}`),
  );
  const imported = module.imports
    .filter(({ specifier, kind }) => kind !== "type" && TIMER_MODULES.test(specifier))
    .map(({ specifier }) => `${module.path} imports ${specifier}: time comes from the clock that was passed in`);
  return [...said, ...imported];
}

/** A worker thread may measure its own work. */
function isMeasuringWorker(path: string, name: string): boolean {
  return /[/-]worker\.ts$/.test(path) && name === "performance.now";
}
