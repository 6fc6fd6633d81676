/**
 * What tells a checkpoint of the supervised program from one that somebody else announces in its session: made with a key that only
 * the program's surroundings hold, and never the same twice.
 */
export async function checkpointProof(key: string, checkpointId: string, nonce: string = globalThis.crypto.randomUUID()): Promise<string> {
  const { subtle } = globalThis.crypto;
  const encoder = new TextEncoder();
  const secret = await subtle.importKey('raw', encoder.encode(key), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  const signature = new Uint8Array(await subtle.sign('HMAC', secret, encoder.encode(`${nonce} ${checkpointId}`)));
  return `${nonce}.${Array.from(signature, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

/** Whether a proof was made with the key for this checkpoint. */
export async function isCheckpointProof(key: string, checkpointId: string, proof: unknown): Promise<boolean> {
  if (typeof proof !== 'string' || proof.length > 200) return false;
  return proof === (await checkpointProof(key, checkpointId, proof.slice(0, Math.max(0, proof.lastIndexOf('.')))));
}
