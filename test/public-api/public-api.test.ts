import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { entryPoints } from "../../scripts/entry-points.mjs";
import { DeclarationReader } from "./declarations.js";

const ROOT = join(import.meta.dirname, "../..");
const entries: readonly { readonly specifier: string; readonly code: string; readonly types: string }[] = entryPoints();
const reader = new DeclarationReader((path) => readFileSync(join(ROOT, path), "utf8"));

// After a change that is meant: npm run api:update, and read the difference.
describe("the public API", () => {
  it("exports the names that are on record", async () => {
    const listing = entries.map(({ specifier, types }) => {
      const names = reader.exportsOf(types);
      return [specifier, ...names.values.map((name) => `  ${name}`), ...names.types.map((name) => `  type ${name}`)].join("\n");
    });
    await expect(`${listing.join("\n\n")}\n`).toMatchFileSnapshot("exports.txt");
  });

  it("declares what is on record", async () => {
    const declarations = reader.reachable(entries.map(({ types }) => types));
    const listing = declarations.map(({ file, text }, index) =>
      declarations[index - 1]?.file === file ? text : `// ${file.replace("dist/", "")}\n${text}`,
    );
    await expect(`${listing.join("\n")}\n`).toMatchFileSnapshot("declarations.txt");
  });

  it("exists when the program runs", () => {
    const program = `
      const names = {};
      for (const path of ${JSON.stringify(entries.map(({ code }) => code))}) names[path] = Object.keys(await import("./" + path)).sort();
      console.log(JSON.stringify(names));`;
    const output = execFileSync(process.execPath, ["--input-type=module", "--eval", program], { cwd: ROOT, encoding: "utf8" });
    const declared = Object.fromEntries(entries.map(({ code, types }) => [code, reader.exportsOf(types).values]));
    expect(JSON.parse(output)).toEqual(declared);
  });
});

describe("the reader of declarations", () => {
  const files: Readonly<Record<string, string>> = {
    "index.d.ts": `
      import type { Options } from "./options.js";
      export { Phone as Patter } from "./phone.js";
      export type { Phone } from "./phone.js";
      export type * from "./events.js";
      export declare function start(options: Options): import("./handle.js").Handle;
      export {};`,
    "options.d.ts": `
      export interface Options {
        /** A comment. */
        readonly port?: Port; // Another.
        readonly Unused: string;
      }
      type Port = number;
      export interface Unused {}`,
    "phone.d.ts": "export declare class Phone extends Base { #private; }\ndeclare class Base {}",
    "events.d.ts": 'import type { Usage } from "vendor";\nexport type Event = { readonly usage: Usage };',
    "handle.d.ts": "export interface Handle {}",
  };
  const read = new DeclarationReader((path) => files[path] ?? "");

  it("tells values from types through every kind of export", () => {
    expect(read.exportsOf("index.d.ts")).toEqual({ values: ["Patter", "start"], types: ["Event", "Phone"] });
  });

  it("finds all that an export mentions, and no more", () => {
    expect(read.reachable(["index.d.ts"]).map(({ file, name }) => `${file} ${name}`)).toEqual([
      "events Event",
      "handle Handle",
      "index start",
      "options Options",
      "options Port",
      "phone Phone",
      "phone Base",
    ]);
  });

  it("leaves comments out", () => {
    const options = read.reachable(["index.d.ts"]).find(({ name }) => name === "Options");
    expect(options?.text).toMatch(/^export interface Options \{\s+readonly port\?: Port;\s+readonly Unused: string;\s+\}$/);
  });
});
