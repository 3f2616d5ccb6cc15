import { ConfigError } from "../core/errors.js";

/**
 * Imports an optional package. `usedBy` is the class that needs it, `install` what to pass to `npm install`.
 * Throws `ConfigError` with that command when the package, or its part for this platform, is not installed.
 */
export async function importOptional<T>(usedBy: string, install: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // sherpa-onnx-node has a message of its own for a platform's missing part.
    const isMissing =
      code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND" || /could not find .*sherpa-onnx/i.test(message);
    if (!isMissing) throw error;
    throw new ConfigError(`${usedBy} needs an optional package: run npm install ${install}.`, { cause: error });
  }
}
