// A running collector as the commands see it: its API, with a token where it wants one.

/** The collector cannot be reached, or said no; the message says what it said. */
export class ApiCallError extends Error {
  override readonly name = 'ApiCallError';
}

export interface Api {
  get(path: string): Promise<unknown>;
  text(path: string): Promise<string>;
  post(path: string, body: string): Promise<unknown>;
}

export function apiAt(url: string, token?: string): Api {
  const base = url.replace(/\/+$/, '');
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const ask = async (path: string, init: RequestInit = {}): Promise<Response> => {
    let response: Response;
    try {
      response = await fetch(base + path, { ...init, headers: { ...headers, ...init.headers } });
    } catch (cause) {
      throw new ApiCallError(
        `no collector answers at ${base}: start one with "framescope", or say where it is with --url`,
        { cause },
      );
    }
    if (!response.ok) throw new ApiCallError(`${path}: ${await problemOf(response)}`);
    return response;
  };
  return {
    get: async path => (await ask(path)).json(),
    text: async path => (await ask(path)).text(),
    post: async (path, body) =>
      (
        await ask(path, { method: 'POST', body, headers: { 'Content-Type': 'application/json' } })
      ).json(),
  };
}

async function problemOf(response: Response): Promise<string> {
  const text = await response.text();
  try {
    const { detail, message } = JSON.parse(text) as { detail?: string; message?: string };
    return `${response.status} ${detail ?? message ?? ''}`;
  } catch {
    return `${response.status} ${text.slice(0, 200)}`;
  }
}
