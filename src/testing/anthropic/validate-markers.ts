import { type AnthropicProblem, invalid } from "./errors.js";
import { automaticTarget, isCacheable, type PromptBlock, promptBlocks } from "./prompt.js";
import type { AnthropicRequestBody } from "./wire.js";

const MAX_MARKERS = 4;

/** What is wrong with a request's cache markers. */
export function markerProblem(body: AnthropicRequestBody): AnthropicProblem | undefined {
  const blocks = promptBlocks(body);
  const marked = blocks.filter(({ cacheControl }) => cacheControl !== undefined);
  for (const block of marked) {
    const found = oneMarkerProblem(block);
    if (found !== undefined) return found;
  }
  if (marked.length > MAX_MARKERS) {
    return invalid(`A maximum of ${MAX_MARKERS} blocks with cache_control may be provided. Found ${marked.length}.`);
  }
  return orderProblem(marked) ?? automaticProblem(blocks, marked.length, body);
}

function oneMarkerProblem(block: PromptBlock): AnthropicProblem | undefined {
  const { path, type, cacheControl } = block;
  if (type === "thinking" || type === "redacted_thinking") {
    return invalid(`${path}.${type}.cache_control: Extra inputs are not permitted`);
  }
  if (!isCacheable(block)) return invalid(`${path}.text: cache_control cannot be set for empty text blocks`);
  return controlProblem(`${path}.cache_control`, cacheControl);
}

function controlProblem(path: string, control: unknown): AnthropicProblem | undefined {
  const { type, ttl, ...rest } = Object(control) as Readonly<Record<string, unknown>>;
  if (type !== "ephemeral") return invalid(`${path}.type: Input should be 'ephemeral'`);
  if (ttl !== undefined && ttl !== "5m" && ttl !== "1h") return invalid(`${path}.ttl: Input should be '5m' or '1h'`);
  const [extra] = Object.keys(rest);
  return extra === undefined ? undefined : invalid(`${path}.${extra}: Extra inputs are not permitted`);
}

function orderProblem(marked: readonly PromptBlock[]): AnthropicProblem | undefined {
  const firstShort = marked.findIndex(({ cacheControl }) => cacheControl?.ttl !== "1h");
  const late = marked.find(({ cacheControl }, index) => index > firstShort && firstShort >= 0 && cacheControl?.ttl === "1h");
  return late === undefined
    ? undefined
    : invalid(
        `${late.path}.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. Note that blocks are processed in the following order: \`tools\`, \`system\`, \`messages\`.`,
      );
}

function automaticProblem(
  blocks: readonly PromptBlock[],
  markers: number,
  { cache_control: control }: AnthropicRequestBody,
): AnthropicProblem | undefined {
  if (control === undefined || control === null) return undefined;
  const found = controlProblem("cache_control", control);
  if (found !== undefined) return found;
  const target = automaticTarget(blocks);
  if (target === undefined) return undefined;
  const ttl = control.ttl ?? "5m";
  if (target.cacheControl !== undefined) {
    const present = target.cacheControl.ttl ?? "5m";
    return present === ttl
      ? undefined
      : invalid(`Top-level cache_control has ttl='${ttl}' but the target block already has cache_control with ttl='${present}'`);
  }
  if (markers === MAX_MARKERS) {
    return invalid(`A maximum of ${MAX_MARKERS} blocks with cache_control may be provided. Found ${markers + 1}.`);
  }
  return orderProblem(
    blocks
      .map((block) => (block === target ? { ...block, cacheControl: control } : block))
      .filter(({ cacheControl }) => cacheControl !== undefined),
  );
}
