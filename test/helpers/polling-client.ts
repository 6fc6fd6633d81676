/** A client of Engine.IO's polling that posts what it is told to. */
export interface PollingClient {
  post(payload: string): Promise<{ status: number; text: string }>;
  poll(): Promise<string>;
}

/** Opens one and joins the main namespace. */
export async function connectPolling(url: string): Promise<PollingClient> {
  const ask = async (method: 'GET' | 'POST', query: string, body?: string) => {
    const response = await fetch(`${url}/socket.io/?EIO=4&transport=polling${query}`, { method, ...(body === undefined ? {} : { body }) });
    return { status: response.status, text: await response.text() };
  };
  const { sid } = JSON.parse((await ask('GET', '')).text.slice(1)) as { sid: string };
  await ask('POST', `&sid=${sid}`, '40{"subscribe":false}');
  await ask('GET', `&sid=${sid}`);
  return {
    post: (payload) => ask('POST', `&sid=${sid}`, payload),
    poll: async () => (await ask('GET', `&sid=${sid}`)).text,
  };
}
