/** What may follow a model's name in an id without making it another model: a date, `latest`, a version of the offering. */
const SNAPSHOT = /^(?:-v\d+)?(?:[-@](?:\d{8}|latest|default))?(?:-v\d+)?(?::\w+)?$/;
/** The path of an offering, as of Vertex and OpenRouter, and of Bedrock's resource names. */
const PATH = /^.*\//;
/** Bedrock's region and vendor: `us.anthropic.`. */
const VENDOR = /^(?:[a-z-]+\.)?[a-z]+\.(?=[a-z]+-)/;
/** Resellers write a version with a dot. */
const VERSION_DOT = /(?<=\d)\.(?=\d)/g;

/**
 * The name among `names`, in any of these spellings, that a model's id stands for: the longest that the id begins with,
 * where the rest names no other model. `claude-haiku-4-5-20251001`, `us.anthropic.claude-haiku-4-5-20251001-v1:0`, `claude-haiku-4-5@20251001` and
 * `anthropic/claude-haiku-4.5` are all `claude-haiku-4-5`; `claude-opus-5-5` is not `claude-opus-5`.
 */
export function matchModelName(id: string, names: Iterable<string>): string | undefined {
  const bare = bareModelId(id);
  let longest: string | undefined;
  let length = 0;
  for (const name of names) {
    const own = bareModelId(name);
    if (own.length <= length || !bare.startsWith(own) || !SNAPSHOT.test(bare.slice(own.length))) continue;
    longest = name;
    length = own.length;
  }
  return longest;
}

/** A model's id in its vendor's own spelling. */
function bareModelId(id: string): string {
  return id.trim().toLowerCase().replace(PATH, "").replace(VENDOR, "").replace(VERSION_DOT, "-");
}
