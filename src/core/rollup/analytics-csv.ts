import { analyticsFields, type AnalyticsRow } from './analytics-api.ts';

/** The rows as CSV (RFC 4180), under the names of their fields. */
export function analyticsCsv(rows: readonly AnalyticsRow[]): string {
  return [analyticsFields, ...rows.map((row) => analyticsFields.map((field) => cell(row[field])))]
    .map((line) => `${line.join(',')}\r\n`)
    .join('');
}

/** A name comes from outside: one that a spreadsheet would take for a formula gets an apostrophe before it. */
function cell(value: string | number | null): string {
  if (typeof value !== 'string') return value === null ? '' : String(value);
  const text = /^[=+\-@\t\r]/.test(value) && value !== '-' ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
