import { readdirSync, readFileSync } from "node:fs";
import { join, posix, relative, sep } from "node:path";
import { parseSync } from "oxc-parser";

/** One way in which a module needs another. */
export interface Import {
  readonly specifier: string;
  /** `static` loads with the module, `dynamic` when asked for, `type` never. */
  readonly kind: "static" | "dynamic" | "type";
}

/** Whether a source says something, and on which line. */
export interface Use {
  /** As written: `Date.now`, `process.env`, `export default`. */
  readonly name: string;
  readonly line: number;
}

/** What the architecture tests know of a source file. */
export interface Module {
  /** From the project's folder, with forward slashes: `src/core/clock.ts`. */
  readonly path: string;
  readonly imports: readonly Import[];
  readonly uses: readonly Use[];
}

const ROOT = join(import.meta.dirname, "../..");

/** Parses every TypeScript file below a folder of the project. */
export function readModules(folder: string): Module[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => parseModule(relative(ROOT, path).split(sep).join("/"), readFileSync(path, "utf8")))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The project's path that a relative specifier means, or `undefined` for a package. */
export function resolveImport(from: string, specifier: string): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  return posix.join(posix.dirname(from), specifier).replace(/\.js$/, ".ts");
}

/** Parses one source. @throws Error when it is not valid TypeScript. */
export function parseModule(path: string, source: string): Module {
  const { program, errors } = parseSync(path, source);
  const [error] = errors;
  if (error !== undefined) throw new Error(`${path}: ${error.message}`);
  const imports: Import[] = [];
  const uses: Use[] = [];
  const note = (name: string, node: Node): void => {
    uses.push({ name, line: source.slice(0, node.start).split("\n").length });
  };
  visit(program as unknown as Node, (node) => {
    const found = importOf(node);
    if (found !== undefined) imports.push(found);
    const use = useOf(node);
    if (use !== undefined) note(use, node);
  });
  return { path, imports, uses };
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly [key: string]: unknown;
}

/** Positions in the tree where an identifier is a name and no reference. */
const NAME_KEYS: Readonly<Record<string, readonly string[]>> = {
  MemberExpression: ["property"],
  Property: ["key"],
  MethodDefinition: ["key"],
  PropertyDefinition: ["key"],
};

function visit(node: Node, enter: (node: Node) => void): void {
  enter(node);
  for (const [key, value] of Object.entries(node)) {
    if (node["computed"] === false && NAME_KEYS[node.type]?.includes(key) === true) continue;
    for (const child of Array.isArray(value) ? (value as unknown[]) : [value]) if (isNode(child)) visit(child, enter);
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as Partial<Node>).type === "string";
}

function importOf(node: Node): Import | undefined {
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportNamedDeclaration":
    case "ExportAllDeclaration": {
      const specifier = text(node["source"]);
      if (specifier === undefined) return undefined;
      return { specifier, kind: (node["importKind"] ?? node["exportKind"]) === "type" ? "type" : "static" };
    }
    case "ImportExpression": {
      const specifier = text(node["source"]);
      // A computed specifier names a file of the user's, never one of ours.
      return specifier === undefined ? undefined : { specifier, kind: "dynamic" };
    }
    case "TSImportType": {
      const specifier = text(node["source"] ?? node["argument"]);
      return specifier === undefined ? undefined : { specifier, kind: "type" };
    }
    case "NewExpression": {
      // `new URL("./engine-worker.js", import.meta.url)`: a worker's code.
      const [file] = node["arguments"] as readonly unknown[];
      const specifier = nameOf(node["callee"]) === "URL" ? text(file) : undefined;
      return specifier?.startsWith(".") === true && specifier.endsWith(".js") ? { specifier, kind: "dynamic" } : undefined;
    }
    default:
      return undefined;
  }
}

function useOf(node: Node): string | undefined {
  switch (node.type) {
    case "ExportDefaultDeclaration":
      return "export default";
    case "NewExpression":
      return nameOf(node["callee"]) === "Date" && (node["arguments"] as readonly unknown[]).length === 0
        ? "new Date()"
        : undefined;
    case "CallExpression": {
      const name = nameOf(node["callee"]);
      return name === "Date" ? "Date()" : undefined;
    }
    case "MemberExpression": {
      const object = nameOf(node["object"]);
      const property = node["computed"] === true ? text(node["property"]) : nameOf(node["property"]);
      if (object === undefined || property === undefined) return undefined;
      return object === "globalThis" ? property : `${object}.${property}`;
    }
    case "Identifier":
      return /^(set|clear)(Timeout|Interval|Immediate)$/.test(String(node["name"])) ? String(node["name"]) : undefined;
    default:
      return undefined;
  }
}

function nameOf(value: unknown): string | undefined {
  return isNode(value) && value.type === "Identifier" ? String(value["name"]) : undefined;
}

function text(value: unknown): string | undefined {
  if (!isNode(value)) return undefined;
  if (value.type === "TSLiteralType") return text(value["literal"]);
  return typeof value["value"] === "string" ? value["value"] : undefined;
}
