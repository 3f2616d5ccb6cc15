import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { anthropicOptionNames, TABLES } from "./tables.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** `<!-- example: examples/tools.ts#region -->`, then a block of code. */
const SNIPPET = /<!-- example: (?<file>[\w./-]+)(?:#(?<region>[\w-]+))? -->\n```ts\n(?<code>[\s\S]*?)```/g;

/** `<!-- table: anthropic-prices -->`, then what the code's data say, then `<!-- /table -->`. */
const TABLE = /<!-- table: (?<name>[\w-]+) -->\n[\s\S]*?<!-- \/table -->/g;

const documents = ["README.md", ...readdir("docs")];

describe("a snippet or table in the documentation", () => {
  test.each(documents)("is what its example or the code's data hold: %s", (document) => {
    const text = readFileSync(`${ROOT}/${document}`, "utf8");
    const withTables = text.replace(TABLE, (...match) => {
      const { name } = match.at(-1) as { name: string };
      return `<!-- table: ${name} -->\n\n${tableOf(name)}\n\n<!-- /table -->`;
    });
    const wanted = withTables.replace(SNIPPET, (...match) => {
      const { file, region } = match.at(-1) as { file: string; region?: string };
      const marker = region === undefined ? "" : `#${region}`;
      return `<!-- example: ${file}${marker} -->\n\`\`\`ts\n${regionOf(file, region)}\n\`\`\``;
    });
    // `npm run docs:update` rewrites the documents.
    if (process.env["UPDATE_SNIPPETS"] === "1") writeFileSync(`${ROOT}/${document}`, wanted);
    else expect(text).toBe(wanted);
  });

  test("comes from an example, so that it is compiled and run", () => {
    const readme = readFileSync(`${ROOT}/README.md`, "utf8");
    const blocks = readme.match(/```ts\n/g)?.length ?? 0;
    expect([...readme.matchAll(SNIPPET)]).toHaveLength(blocks);
  });
});

describe("the page of AnthropicLLM", () => {
  const page = readFileSync(`${ROOT}/docs/llm/anthropic.md`, "utf8");

  test("has a row for each option, in the order of their declaration", () => {
    const section = /\n## Options\n(?<rows>[\s\S]*?)\n## /.exec(page)?.groups?.["rows"] ?? "";
    expect([...section.matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1])).toEqual(anthropicOptionNames());
  });

  test("holds its code as regions of examples", () => {
    expect([...page.matchAll(SNIPPET)]).toHaveLength(page.match(/```ts\n/g)?.length ?? 0);
  });
});

function tableOf(name: string): string {
  const table = TABLES[name];
  if (table === undefined) throw new Error(`There is no table "${name}".`);
  return table();
}

function regionOf(file: string, region: string | undefined): string {
  const source = readFileSync(`${ROOT}/${file}`, "utf8");
  if (region === undefined) return source.trim();
  const match = new RegExp(`// #region ${region}\\n([\\s\\S]*?)\\n\\s*// #endregion`).exec(source);
  if (match?.[1] === undefined) throw new Error(`${file} has no region "${region}".`);
  return dedent(match[1]);
}

function dedent(code: string): string {
  const lines = code.split("\n");
  const indent = Math.min(...lines.filter((line) => line.trim() !== "").map((line) => line.length - line.trimStart().length));
  return lines
    .map((line) => line.slice(indent))
    .join("\n")
    .trim();
}

function readdir(folder: string): string[] {
  const files = readdirSync(`${ROOT}/${folder}`, { recursive: true, encoding: "utf8" });
  return files.filter((file) => file.endsWith(".md")).map((file) => `${folder}/${file}`);
}
