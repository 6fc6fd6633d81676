/**
 * An object from a server or a journal. A completion reads single fields of it, each by its type, and takes what does not fit as
 * absent: a schema library would cost it more time than the request.
 */
export type Fields = Readonly<Record<string, unknown>>;

/** The object that a JSON text holds; undefined where it holds none. */
export function fieldsOf(json: string): Fields | undefined {
  try {
    return asFields(JSON.parse(json));
  } catch {
    return undefined;
  }
}

/** A field that is a text with something in it. */
export function textOf(fields: Fields | undefined, name: string): string | undefined {
  const value = fields?.[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A field that is an object. */
export function fieldsIn(fields: Fields, name: string): Fields | undefined {
  return asFields(fields[name]);
}

/** The objects in a field that is a list. */
export function itemsOf(fields: Fields | undefined, name: string): Fields[] {
  const value = fields?.[name];
  return Array.isArray(value) ? value.map(asFields).filter((each) => each !== undefined) : [];
}

function asFields(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}
