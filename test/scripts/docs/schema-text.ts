import type { Json } from '../../../src/core/spec/json-schemas.ts';
import { code } from './markdown.ts';

/** A field of an object's schema. */
export interface Field {
  name: string;
  type: string;
  isRequired: boolean;
}

/** Says in words what JSON schemas say. */
export class SchemaText {
  readonly #schemas: Readonly<Record<string, Json>>;
  readonly #named: ReadonlySet<string>;

  /** @param named the schemas that are called by their name; others are told in full */
  constructor(schemas: Readonly<Record<string, Json>>, named: readonly string[]) {
    this.#schemas = schemas;
    this.#named = new Set(named);
  }

  /** The fields of a schema by its name; of a choice between objects, those of all of them. */
  fields(name: string): Field[] {
    return this.#fieldsOf(this.#schemas[name] ?? {});
  }

  /** `name` text; `count?` number. */
  fieldList(name: string, leftOut: readonly string[] = []): string {
    return this.fields(name)
      .filter((field) => !leftOut.includes(field.name))
      .map((field) => `${code(named(field))} ${field.type}`)
      .join('; ');
  }

  /** `name`, `count`. */
  nameList(name: string): string {
    return this.fields(name)
      .map((field) => code(named(field)))
      .join(', ');
  }

  typeOf(schema: Json): string {
    const reference = schema['$ref'];
    if (typeof reference === 'string') {
      const name = nameOf(reference);
      return this.#named.has(name) ? code(name) : this.typeOf(this.#schemas[name] ?? {});
    }
    const choices = (schema['anyOf'] ?? schema['oneOf']) as Json[] | undefined;
    if (choices !== undefined) return either(choices.filter(({ type }) => type !== 'null').map((each) => this.typeOf(each)));
    if ('const' in schema) return code(JSON.stringify(schema['const']));
    if (Array.isArray(schema['enum'])) return either(schema['enum'].map((each) => code(String(each))));
    const types = [schema['type']].flat().filter((type) => type !== 'null');
    return either(types.map((type) => this.#plainType(type, schema)));
  }

  #plainType(type: unknown, schema: Json): string {
    switch (type) {
      case 'string':
        return 'text';
      case 'boolean':
        return 'true or false';
      case 'integer':
        return `whole number${range(schema)}`;
      case 'number':
        return `number${range(schema)}`;
      case 'array': {
        const items = this.typeOf((schema['items'] as Json | undefined) ?? {});
        return `list of ${items === 'text' ? 'texts' : items}${typeof schema['maxItems'] === 'number' ? `, at most ${schema['maxItems'].toLocaleString('en')}` : ''}`;
      }
      case 'object':
        return schema['properties'] === undefined ? 'object' : code(`{${this.#fieldsOf(schema).map(named).join(', ')}}`);
      default:
        return 'anything';
    }
  }

  #fieldsOf(schema: Json): Field[] {
    if (typeof schema['$ref'] === 'string') return this.fields(nameOf(schema['$ref']));
    const choices = (schema['anyOf'] ?? schema['oneOf']) as Json[] | undefined;
    if (choices !== undefined) {
      const all = choices.map((each) => this.#fieldsOf(each));
      const isInAll = (field: Field) => all.every((fields) => fields.some(({ name, isRequired }) => name === field.name && isRequired));
      const first = new Map(all.flat().map((field) => [field.name, field]));
      return [...first.values()].map((field) => ({ ...field, isRequired: isInAll(field) }));
    }
    const required = (schema['required'] as string[] | undefined) ?? [];
    return Object.entries((schema['properties'] as Record<string, Json> | undefined) ?? {}).map(([name, each]) => ({
      name,
      type: `${this.typeOf(each)}${defaultText(each['default'])}`,
      isRequired: required.includes(name),
    }));
  }
}

const defaultText = (value: unknown) => (['string', 'number', 'boolean'].includes(typeof value) ? ` (default: ${String(value)})` : '');
const nameOf = (reference: string) => reference.split('/').at(-1) ?? '';
const named = ({ name, isRequired }: Field) => `${name}${isRequired ? '' : '?'}`;

/** `a`, `b` or `c`. */
function either(choices: readonly string[]): string {
  const all = [...new Set(choices)];
  return [all.slice(0, -1).join(', '), ...all.slice(-1)].filter((each) => each !== '').join(' or ');
}

function range({ minimum, maximum, exclusiveMinimum }: Json): string {
  const bound = (value: unknown) =>
    typeof value === 'number' && Math.abs(value) < Number.MAX_SAFE_INTEGER ? value.toLocaleString('en') : undefined;
  const [from, to] = [bound(minimum), bound(maximum)];
  if (from !== undefined && to !== undefined) return ` from ${from} to ${to}`;
  if (to !== undefined) return `, at most ${to}`;
  if (exclusiveMinimum === 0) return ' above 0';
  return from === undefined ? '' : `, at least ${from}`;
}
