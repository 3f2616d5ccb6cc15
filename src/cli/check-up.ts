import { execFile } from "node:child_process";
import { createServer } from "node:net";
import { promisify } from "node:util";
import { readPageFiles } from "../carriers/browser/page-files.js";
import { findLocalModel } from "../llm/openai-compatible.js";
import { modelsFolder } from "../provider-kit/credentials.js";
import { listModels } from "../provider-kit/model-files.js";
import { loadEnvFiles } from "./env-file.js";
import { fail, type Finding, ok, warn } from "./findings.js";
import { packageInfo } from "./package-info.js";
import { missingPackages } from "./speech-packages.js";

export interface CheckUpOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly port: number;
}

const KEYS = ["ANTHROPIC_API_KEY", "DEEPGRAM_API_KEY", "ELEVENLABS_API_KEY", "TWILIO_ACCOUNT_SID"];

/** Looks at everything a call may need. Sends nothing beyond this machine. */
export async function checkUp(options: CheckUpOptions): Promise<Finding[]> {
  loadEnvFiles([options.cwd], options.env);
  const [npmFound, speechFound, pageFound, modelFound, portFound] = await Promise.all([
    npm(),
    speech(options),
    page(),
    localModel(options),
    port(options),
  ]);
  return [nodeVersion(), npmFound, ...speechFound, pageFound, ...keys(options), modelFound, portFound];
}

function nodeVersion(): Finding {
  const { engines, version } = packageInfo();
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = (/\d+\.\d+/.exec(engines.node)?.[0] ?? "").split(".").map(Number);
  const isNew = major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
  const what = `getpatter ${version} on Node.js ${process.versions.node}, ${process.platform}-${process.arch}`;
  return isNew ? ok(what) : fail(`${what}: it needs Node.js ${engines.node}. Install a newer one from https://nodejs.org.`);
}

async function npm(): Promise<Finding> {
  try {
    // On Windows npm is a .cmd file, which only a shell can start.
    const { stdout } = await promisify(execFile)("npm", ["--version"], { shell: process.platform === "win32" });
    return ok(`npm ${stdout.trim()}`);
  } catch {
    return warn("npm cannot be started. It brings the local speech files: install Node.js with npm.");
  }
}

async function speech({ env }: CheckUpOptions): Promise<Finding[]> {
  const missing = missingPackages();
  const packages =
    missing.length === 0
      ? ok(`optional speech packages: ${Object.keys(packageInfo().peerDependencies).join(", ")}`)
      : warn(`local speech lacks packages: run npm install ${missing.join(" ")}`);
  const models = await listModels({ folder: modelsFolder(env) });
  return [
    packages,
    ...models.map(({ name, description, state, problem }) => {
      if (state === "ready") return ok(`${name}: ${description}`);
      if (state === "unsupported") return warn(`${name}: ${problem}`);
      const damage = problem === undefined ? "is not here" : `is damaged: ${problem}`;
      return warn(`${name}: the ${description} ${damage}; run npx getpatter models fetch`);
    }),
  ];
}

async function page(): Promise<Finding> {
  const isBuilt = (await readPageFiles()) !== undefined;
  return isBuilt
    ? ok("the page for calls from the browser")
    : fail("The page for calls from the browser has not been built: run npm run build.");
}

function keys({ env }: CheckUpOptions): Finding[] {
  const isSet = (name: string): boolean => (env[name] ?? "").trim() !== "";
  return KEYS.filter((name) => isSet(name) || name === "ANTHROPIC_API_KEY").map((name) =>
    isSet(name) ? ok(`${name} is set`) : warn(`${name} is not set: the demo runs on a local model, or on a script`),
  );
}

async function localModel({ env }: CheckUpOptions): Promise<Finding> {
  if (env["GETPATTER_PROBE_LOCAL_MODELS"] === "0") return ok("local models are not looked for (GETPATTER_PROBE_LOCAL_MODELS=0)");
  const found = await findLocalModel();
  return found === undefined
    ? ok("no model server on this machine; none is needed")
    : ok(`a local model: ${found.model} at ${found.baseUrl}`);
}

async function port({ port: number }: CheckUpOptions): Promise<Finding> {
  const code = await new Promise<string | undefined>((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "error"));
    server.listen(number, "127.0.0.1", () => server.close(() => resolve(undefined)));
  });
  if (code === undefined) return ok(`port ${number} is free`);
  const reason = code === "EADDRINUSE" ? "is in use by another program" : `cannot be listened on (${code})`;
  return warn(`port ${number} ${reason}: choose another with --port`);
}
