/** What the REST API answers: JSON, or the bytes of a recording. */
export interface RestResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: object | Uint8Array | undefined;
}

/** A request to the REST API, once it is read. */
export interface RestRequest {
  readonly method: string;
  /** With the query string. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}
