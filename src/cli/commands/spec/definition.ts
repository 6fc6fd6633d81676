import type { CommandDefinition } from '../../command-definition.ts';

/** The descriptions of the protocol that the program can print. */
export type SpecDocument = 'openapi' | 'asyncapi';

/** What `spec` takes. */
const documents: readonly SpecDocument[] = ['openapi', 'asyncapi'];

/** `spec`: the protocol for other programs to read. */
export const specDefinition: CommandDefinition = {
  name: 'spec',
  summary: 'Print the OpenAPI or AsyncAPI description of the protocol',
  arguments: [{ name: 'document', kind: 'text', choices: documents }],
  examples: ['spec openapi > openapi.json', 'spec asyncapi > asyncapi.json'],
  options: [],
  notes: [
    '',
    'openapi    the HTTP interface, OpenAPI 3.1; a server has it at /api/docs',
    'asyncapi   messages of Socket.IO and Server-Sent Events, AsyncAPI 3.0',
    'Both are JSON. No server is needed.',
  ],
  warnsOfTrust: 'never',
};
