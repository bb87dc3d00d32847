// The `data:` lines of a server-sent event stream, as OpenAI streams tokens.

const LAST = '[DONE]';

export async function* serverSentData(response: Response): AsyncIterable<string> {
  const decoder = new TextDecoder();
  let held = '';
  for await (const bytes of response.body ?? []) {
    held += decoder.decode(bytes, { stream: true });
    const lines = held.split(/\r?\n/);
    held = lines.pop() ?? '';
    for (const line of lines) {
      if (!line.startsWith('data:')) continue;
      const data = line.slice('data:'.length).trim();
      if (data === LAST) return;
      yield data;
    }
  }
}
