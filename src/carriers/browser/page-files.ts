import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";

/** A file of the built page, as it is answered. */
export interface PageFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly contentType: string;
  readonly cacheControl: string;
  readonly etag: string;
}

/** The built page's files by path, such as `/index.html`. */
export type PageFiles = ReadonlyMap<string, PageFile>;

/** The page as the build leaves it; the same folder from `src` and from `dist`. */
const PAGE_FOLDER = new URL("../../../dist/page/", import.meta.url);

// Worklets load only with a JavaScript type.
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
  png: "image/png",
  json: "application/json",
};

/** Reads the built page into memory; `undefined` when it has not been built. */
export async function readPageFiles(folder: URL = PAGE_FOLDER): Promise<PageFiles | undefined> {
  let names: string[];
  try {
    names = await readdir(folder, { recursive: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const files = new Map<string, PageFile>();
  for (const name of names) {
    const path = name.replaceAll("\\", "/");
    const contentType = CONTENT_TYPES[path.slice(path.lastIndexOf(".") + 1)];
    if (contentType !== undefined) files.set(`/${path}`, await readPageFile(folder, path, contentType));
  }
  return files;
}

async function readPageFile(folder: URL, path: string, contentType: string): Promise<PageFile> {
  const bytes = new Uint8Array(await readFile(new URL(path, folder)));
  const etag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
  // Names in assets/ carry a hash of their content.
  const cacheControl = path.startsWith("assets/") ? "public, max-age=31536000, immutable" : "no-cache";
  return { bytes, contentType, cacheControl, etag };
}
