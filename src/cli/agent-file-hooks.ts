/** Resolution hooks for a user's file; Node runs them in a thread of their own. */
interface Resolved {
  readonly url: string;
  readonly format?: string | null | undefined;
}
interface Context {
  readonly parentURL?: string | undefined;
}
type NextResolve = (specifier: string, context: Context) => Promise<Resolved>;

/**
 * Takes a user's TypeScript as ES modules, whatever the folder's package.json says: an agent's file awaits and
 * imports. And where this package is not installed beside the file, finds it here.
 */
export async function resolve(specifier: string, context: Context, next: NextResolve): Promise<Resolved> {
  const resolved = await next(specifier, context).catch((error: unknown) => {
    if (specifier === "getpatter" || specifier.startsWith("getpatter/"))
      return next(specifier, { ...context, parentURL: import.meta.url });
    throw error;
  });
  const isOwnTypeScript = /\.tsx?(\?|$)/.test(resolved.url) && !resolved.url.includes("/node_modules/");
  return isOwnTypeScript ? { ...resolved, format: "module" } : resolved;
}
