/** An element of an XML document. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  /** Its own text, without that of its children, trimmed. */
  readonly text: string;
}

interface OpenElement {
  readonly name: string;
  readonly attributes: Record<string, string>;
  readonly children: XmlElement[];
  text: string;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
/** Comments, CDATA, declarations, tags, text; whatever else there is is a stray `<`. */
const TOKENS =
  /<!--[^]*?-->|<!\[CDATA\[([^]*?)\]\]>|<[?!][^>]*>|<(\/?)([\w:.-]+)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|([^<]+)|(<)/g;
const ATTRIBUTES = /([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;

/**
 * Reads an XML document of one root element, without namespaces or a document type.
 * @throws Error that says what is not well formed.
 */
export function parseXml(source: string): XmlElement {
  const root: OpenElement = { name: "", attributes: {}, children: [], text: "" };
  const open = [root];
  for (const token of source.matchAll(TOKENS)) readToken(token, open);
  const unclosed = open.at(-1);
  if (unclosed !== undefined && unclosed !== root) throw new Error(`<${unclosed.name}> is not closed.`);
  const [document, ...others] = root.children;
  if (document === undefined || others.length > 0) throw new Error(`The document has ${root.children.length} root elements.`);
  if (root.text.trim() !== "") throw new Error(`There is text outside the root element: "${root.text.trim().slice(0, 40)}".`);
  return document;
}

function readToken(token: RegExpMatchArray, open: OpenElement[]): void {
  const [, cdata, closing, name, attributes = "", selfClosing, text, stray] = token;
  const parent = open.at(-1) as OpenElement;
  if (stray !== undefined) throw new Error(`There is a stray "<" at character ${token.index}.`);
  if (cdata !== undefined) parent.text += cdata;
  if (text !== undefined) parent.text += decode(text);
  if (name === undefined) return;
  if (closing === "/") {
    if (parent.name !== name) throw new Error(`</${name}> closes <${parent.name}>.`);
    open.pop();
    open.at(-1)?.children.push({ ...parent, text: parent.text.trim() });
    return;
  }
  const element: OpenElement = { name, attributes: readAttributes(name, attributes), children: [], text: "" };
  if (selfClosing === "/") parent.children.push(element);
  else open.push(element);
}

function readAttributes(element: string, source: string): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const [, name = "", double, single] of source.matchAll(ATTRIBUTES)) {
    if (name in attributes) throw new Error(`<${element}> has the attribute ${name} twice.`);
    attributes[name] = decode(double ?? single ?? "");
  }
  return attributes;
}

function decode(text: string): string {
  return text.replace(/&(?:#x([\da-f]+)|#(\d+)|(\w+))?;?/gi, (match, hex?: string, decimal?: string, name?: string) => {
    const entity = match.endsWith(";") ? entityOf(hex, decimal, name) : undefined;
    if (entity === undefined) throw new Error(`"${match}" is no entity of XML: write &amp; for an ampersand.`);
    return entity;
  });
}

function entityOf(hex?: string, decimal?: string, name?: string): string | undefined {
  if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
  if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
  return name === undefined ? undefined : ENTITIES[name];
}
