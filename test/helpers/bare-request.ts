import { request } from 'node:http';

export interface BareAnswer {
  status: number;
  headers: Record<string, unknown>;
  text: string;
}

/** A request with any headers, also those that fetch does not let one set. */
export function bareRequest(
  port: number,
  path: string,
  options: { headers?: Record<string, string>; method?: string; body?: string; host?: string } = {},
): Promise<BareAnswer> {
  const { headers = {}, method = 'GET', body, host = '127.0.0.1' } = options;
  return new Promise((resolve, reject) => {
    const sent = request({ port, host, path, method, headers }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
