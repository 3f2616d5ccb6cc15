import { type ParseArgsConfig, parseArgs } from "node:util";
import { errorMessage } from "../core/errors.js";
import { UsageError } from "./failure.js";
import type { Output } from "./output.js";

/** What a command works with. */
export interface CommandContext {
  readonly out: Output;
  readonly err: Output;
  readonly env: NodeJS.ProcessEnv;
  /** The folder that relative paths start from. */
  readonly cwd: string;
}

/** One command, ready to run. */
export interface Command {
  /** What `getpatter NAME --help` prints. */
  readonly help: string;
  /** Resolves with the exit code, or with nothing while a server goes on running. */
  run(args: readonly string[], context: CommandContext): Promise<number | undefined>;
}

type ParseArgsOptionsConfig = NonNullable<ParseArgsConfig["options"]>;
type Parsed<Options extends ParseArgsOptionsConfig> = ReturnType<typeof parseArgs<{ options: Options; allowPositionals: true }>>;

export interface CommandDefinition<Options extends ParseArgsOptionsConfig> {
  readonly help: string;
  readonly options: Options;
  /**
   * Names of what may stand beside the options, in order; a `?` behind the name: may be left out. With a FILE, what
   * stands behind `--` is the file's own, which reads it from `process.argv`.
   */
  readonly operands?: readonly string[];
  /** `args` are what was parsed, as it was typed. */
  run(parsed: Parsed<Options>, context: CommandContext, args: readonly string[]): Promise<number | undefined>;
}

/** Makes a command whose options are parsed and typed. */
export function command<const Options extends ParseArgsOptionsConfig>(definition: CommandDefinition<Options>): Command {
  return {
    help: takesFile(definition) ? `${definition.help}\n\n${FILE_HELP}` : definition.help,
    run: (args, context) => definition.run(parse(definition, args), context, args),
  };
}

const FILE_HELP = "What stands behind -- is the file's own, which finds it in process.argv: agent.ts -- --option.";

/** A port from the command line. @throws UsageError */
export function portOption(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const port = /^\d{1,5}$/.test(value) ? Number(value) : Number.NaN;
  if (port <= 65_535) return port;
  throw new UsageError(`--port must be a whole number from 0 to 65535, not "${value}"; 0 takes a free one.`);
}

function parse<Options extends ParseArgsOptionsConfig>(
  definition: CommandDefinition<Options>,
  args: readonly string[],
): Parsed<Options> {
  const { options, operands = [] } = definition;
  const isForFile = takesFile(definition);
  const end = isForFile ? args.indexOf("--") : -1;
  let parsed: Parsed<Options>;
  try {
    parsed = parseArgs({ args: end < 0 ? [...args] : args.slice(0, end), options, allowPositionals: true });
  } catch (error) {
    if (!isParseError(error)) throw error;
    // The rest of Node's message explains how to pass operands that begin with a dash.
    const what = `${errorMessage(error).split(". ")[0]?.replace(/\.$/, "")}.`;
    const unknown = /^Unknown option '(.+)'/.exec(what)?.[1];
    const hint = isForFile && unknown !== undefined ? ` If it is the file's own, put it behind --: -- ${unknown}.` : "";
    throw new UsageError(what + hint, { cause: error });
  }
  const surplus = parsed.positionals[operands.length];
  if (surplus !== undefined) throw new UsageError(`There is one argument too many: "${surplus}".`);
  const missing = operands[parsed.positionals.length];
  if (missing !== undefined && !missing.endsWith("?")) throw new UsageError(`${missing} is missing.`);
  return parsed;
}

function takesFile({ operands = [] }: Pick<CommandDefinition<ParseArgsOptionsConfig>, "operands">): boolean {
  return operands.some((operand) => operand.startsWith("FILE"));
}

function isParseError(error: unknown): boolean {
  return error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
}
