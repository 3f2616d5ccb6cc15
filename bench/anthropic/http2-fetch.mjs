/** A `fetch` over HTTP/2 for an SDK that takes one. */
export async function http2Fetch() {
  const { Agent, fetch } = await import("undici");
  const dispatcher = new Agent({ allowH2: true });
  return (input, init) => fetch(input, { ...init, dispatcher });
}
