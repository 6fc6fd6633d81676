/** Closes one part after the other, each whether or not those before it could be. @throws what the first of them failed with */
export async function closeAll(parts: readonly (() => unknown)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const close of parts) {
    try {
      await close();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
