// Vitest's global set-up of the tests that need the vendors' SDKs.
import { installInner } from "../scripts/setup.mjs";

export async function setup() {
  await installInner("conformance");
}
