import { readFileSync } from "node:fs";
import { posix } from "node:path";
import { parseSync } from "oxc-parser";

/** A declaration that a user can name or meet: its file without `.d.ts`, its name there, its text without comments. */
export interface Declaration {
  readonly file: string;
  readonly name: string;
  readonly text: string;
}

/** What one entry point exports. `values` exist when the program runs. */
export interface EntryExports {
  readonly values: readonly string[];
  readonly types: readonly string[];
}

/** Reads `.d.ts` files; paths are relative to `read`'s root, with forward slashes. */
export class DeclarationReader {
  readonly #read: (path: string) => string;
  readonly #files = new Map<string, DeclarationFile>();

  constructor(read: (path: string) => string = (path) => readFileSync(path, "utf8")) {
    this.#read = read;
  }

  /** The names an entry point exports, sorted. */
  exportsOf(path: string): EntryExports {
    const values: string[] = [];
    const types: string[] = [];
    for (const [name, target] of this.#exported(path)) (this.#isValue(target) ? values : types).push(name);
    return { values: values.sort(), types: types.sort() };
  }

  /** The declarations behind the exports of the entry points, and all that those mention, by file and then as written. */
  reachable(paths: readonly string[]): Declaration[] {
    const found = new Map<string, Declaration & { readonly start: number }>();
    const waiting = paths.flatMap((path) => [...this.#exported(path).values()]);
    for (let target = waiting.pop(); target !== undefined; target = waiting.pop()) {
      const file = this.#file(target.path);
      for (const local of file.locals.get(target.name) ?? []) {
        const key = `${target.path}:${local.start}`;
        if (found.has(key)) continue;
        found.set(key, { file: target.path.replace(/\.d\.ts$/, ""), name: target.name, text: local.text, start: local.start });
        for (const name of local.mentions) {
          const mentioned = this.#lookUp(target.path, name);
          if (mentioned !== undefined) waiting.push(mentioned);
        }
        for (const imported of local.inlineImports) {
          const mentioned = this.#exported(join(target.path, imported.specifier)).get(imported.name);
          if (mentioned !== undefined) waiting.push(mentioned);
        }
      }
    }
    return [...found.values()]
      .sort((a, b) => (a.file === b.file ? a.start - b.start : a.file < b.file ? -1 : 1))
      .map(({ file, name, text }) => ({ file, name, text }));
  }

  /** Every exported name with the declaration it stands for. Names from other packages are left out. */
  #exported(path: string): Map<string, Target> {
    const file = this.#file(path);
    const names = new Map<string, Target>();
    for (const specifier of file.exportedAll) {
      if (specifier.startsWith(".")) for (const [name, target] of this.#exported(join(path, specifier))) names.set(name, target);
    }
    for (const { name, local, from, isType } of file.exported) {
      const target = from === undefined ? this.#lookUp(path, local) : this.#follow(path, from, local);
      if (target !== undefined) names.set(name, { ...target, isType: isType || target.isType });
    }
    return names;
  }

  /** What a name means in a file: its own declaration, or the one it imports. */
  #lookUp(path: string, name: string): Target | undefined {
    const file = this.#file(path);
    if (file.locals.has(name)) return { path, name, isType: false };
    const imported = file.imported.get(name);
    return imported === undefined ? undefined : this.#follow(path, imported.specifier, imported.name);
  }

  #follow(path: string, specifier: string, name: string): Target | undefined {
    return specifier.startsWith(".") ? this.#exported(join(path, specifier)).get(name) : undefined;
  }

  #isValue({ path, name, isType }: Target): boolean {
    return !isType && (this.#file(path).locals.get(name) ?? []).some((local) => local.isValue);
  }

  #file(path: string): DeclarationFile {
    const known = this.#files.get(path);
    if (known !== undefined) return known;
    const file = parseDeclarations(path, this.#read(path));
    this.#files.set(path, file);
    return file;
  }
}

interface Target {
  readonly path: string;
  readonly name: string;
  /** Whether it is exported as a type, whatever it is. */
  readonly isType: boolean;
}

interface DeclarationFile {
  readonly locals: ReadonlyMap<string, readonly Local[]>;
  readonly imported: ReadonlyMap<string, { readonly specifier: string; readonly name: string }>;
  readonly exported: readonly Exported[];
  readonly exportedAll: readonly string[];
}

interface Exported {
  readonly name: string;
  readonly local: string;
  readonly from: string | undefined;
  readonly isType: boolean;
}

interface Local {
  readonly start: number;
  readonly text: string;
  readonly isValue: boolean;
  readonly mentions: ReadonlySet<string>;
  readonly inlineImports: readonly { readonly specifier: string; readonly name: string }[];
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

function join(path: string, specifier: string): string {
  return posix.join(posix.dirname(path), specifier).replace(/\.js$/, ".d.ts");
}

function parseDeclarations(path: string, source: string): DeclarationFile {
  const { program, comments, errors } = parseSync(path, source);
  const [error] = errors;
  if (error !== undefined) throw new Error(`${path}: ${error.message}`);
  const locals = new Map<string, Local[]>();
  const imported = new Map<string, { specifier: string; name: string }>();
  const exported: Exported[] = [];
  const exportedAll: string[] = [];

  const declare = (node: Node, whole: Node): string[] => {
    const names =
      node.type === "VariableDeclaration"
        ? (node["declarations"] as readonly Node[]).map((declarator) => identifier(declarator["id"]))
        : [identifier(node["id"])];
    const text = withoutComments(source, whole, comments);
    const isValue = node.type !== "TSInterfaceDeclaration" && node.type !== "TSTypeAliasDeclaration";
    for (const name of names)
      locals.set(name, [...(locals.get(name) ?? []), { start: whole.start, text, isValue, ...mentionsOf(node) }]);
    return names;
  };

  for (const node of program.body as unknown as readonly Node[]) {
    if (node.type === "ImportDeclaration") {
      for (const entry of node["specifiers"] as readonly Node[]) {
        if (entry.type !== "ImportSpecifier") continue;
        imported.set(identifier(entry["local"]), { specifier: literal(node["source"]), name: identifier(entry["imported"]) });
      }
    } else if (node.type === "ExportAllDeclaration") {
      exportedAll.push(literal(node["source"]));
    } else if (node.type === "ExportNamedDeclaration") {
      const declaration = node["declaration"] as Node | null;
      if (declaration !== null)
        for (const name of declare(declaration, node)) exported.push({ name, local: name, from: undefined, isType: false });
      const from = node["source"] === null ? undefined : literal(node["source"]);
      for (const entry of node["specifiers"] as readonly Node[]) {
        const isType = node["exportKind"] === "type" || entry["exportKind"] === "type";
        exported.push({ name: identifier(entry["exported"]), local: identifier(entry["local"]), from, isType });
      }
    } else {
      declare(node, node);
    }
  }
  return { locals, imported, exported, exportedAll };
}

function mentionsOf(declaration: Node): Pick<Local, "mentions" | "inlineImports"> {
  const mentions = new Set<string>();
  const inlineImports: { specifier: string; name: string }[] = [];
  const visit = (node: Node): void => {
    if (node.type === "Identifier") mentions.add(identifier(node));
    if (node.type === "TSImportType") {
      const name = node["qualifier"];
      if (isNode(name)) inlineImports.push({ specifier: literal(node["source"] ?? node["argument"]), name: identifier(name) });
    }
    for (const [key, value] of Object.entries(node)) {
      if (key === "key" && node["computed"] === false) continue;
      for (const child of Array.isArray(value) ? (value as unknown[]) : [value]) if (isNode(child)) visit(child);
    }
  };
  visit(declaration);
  return { mentions, inlineImports };
}

function withoutComments(
  source: string,
  node: Node,
  comments: readonly { readonly start: number; readonly end: number }[],
): string {
  let text = "";
  let position = node.start;
  for (const comment of comments) {
    if (comment.start < node.start || comment.end > node.end) continue;
    text += source.slice(position, comment.start);
    position = comment.end;
  }
  text += source.slice(position, node.end);
  return text.replace(/[ \t]+$/gm, "").replace(/\n{2,}/g, "\n");
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as Partial<Node>).type === "string";
}

function identifier(value: unknown): string {
  const node = value as Node;
  return String(node["name"] ?? node["value"]);
}

function literal(value: unknown): string {
  return String((value as Node)["value"]);
}
