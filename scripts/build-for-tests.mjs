// Vitest's global set-up of the tests that run from dist.
import { build, isBuilt } from "./build.mjs";

export async function setup() {
  if (!isBuilt()) await build();
}
