/** The comments before the fields of an object in a source, by the field's name, each with what follows the colon. */
export function commentsOf(source: string, object: string): Map<string, string> {
  const start = source.indexOf(`export const ${object} = {`);
  if (start === -1) throw new Error(`the source has no ${object}`);
  const body = source.slice(start, source.indexOf('\n}', start));
  const fields = body.matchAll(/(?:\/\*\* ([^*]*(?:\*(?!\/)[^*]*)*) \*\/\s*)?\n {2}(\w+):/g);
  return new Map([...fields].map(([, comment = '', name = '']) => [name, comment.replaceAll(/\s*\n\s*\* ?/g, ' ')]));
}
