// Installs what the bench compares with, as its lockfile says; does nothing when it is there.
import { main } from "../../scripts/project.mjs";
import { installInner } from "../../scripts/setup.mjs";

await main(() => installInner("bench/anthropic"));
