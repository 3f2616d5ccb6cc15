/** One thing that `getpatter doctor` has looked at. */
export interface Finding {
  /** `warn`: something is missing that not everyone needs. */
  readonly level: "ok" | "warn" | "fail";
  readonly what: string;
}

export function ok(what: string): Finding {
  return { level: "ok", what };
}

export function warn(what: string): Finding {
  return { level: "warn", what };
}

export function fail(what: string): Finding {
  return { level: "fail", what };
}
