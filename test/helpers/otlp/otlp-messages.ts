import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

const definitions = protobuf.loadSync(fileURLToPath(new URL('./otlp.proto', import.meta.url)));
const requests = { logs: 'ExportLogsServiceRequest', metrics: 'ExportMetricsServiceRequest', traces: 'ExportTraceServiceRequest' } as const;

export type Signal = keyof typeof requests;

const messageOf = (name: string) => definitions.lookupType(`opentelemetry.proto.${name}`);

/** A request as its JSON has it, in protobuf by the published definitions. */
export function requestInProtobuf(signal: Signal, request: object): Uint8Array<ArrayBuffer> {
  const type = messageOf(requests[signal]);
  return new Uint8Array(type.encode(type.fromObject(request)).finish());
}

/** A request in protobuf as an object; 64-bit numbers are texts, and ids are base64. */
export function decodedRequest(signal: Signal, bytes: Uint8Array): Record<string, unknown> {
  const type = messageOf(requests[signal]);
  return type.toObject(type.decode(bytes), { longs: String, bytes: String, enums: Number });
}

/** An answer in protobuf as an object. */
export function decodedResponse(bytes: Uint8Array): Record<string, unknown> {
  const type = messageOf('ExportServiceResponse');
  return type.toObject(type.decode(bytes), { longs: Number });
}
