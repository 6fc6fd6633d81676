let lastMs = 0;
let lastText = '';

/** The time now as the wire has it: ISO 8601, UTC, with milliseconds. Formatted once a millisecond, for it is asked for often. */
export function timestampNow(): string {
  const ms = Date.now();
  if (ms !== lastMs) {
    lastMs = ms;
    lastText = new Date(ms).toISOString();
  }
  return lastText;
}

const normalForm = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;
/** Day; hours and minutes, seconds, their parts; zone. As ISO 8601, Python, SQL, git and `date` write it. */
const readForm = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)? ?(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?)?$/i;
/** From March 1973 to the year 5138 a number is one of seconds, then one of milliseconds, from March 1973 on too. */
const firstSeconds = 100_000_000;
const firstMilliseconds = 100_000_000_000;
const lastMilliseconds = 253_402_300_799_999;

/**
 * A timestamp in any usual form as ISO 8601 UTC with milliseconds: a date with or without time and zone (without one it is
 * taken as UTC), or a number of seconds or milliseconds since 1970. Undefined for anything else.
 */
export function readTimestamp(value: unknown): string | undefined {
  if (typeof value === 'number') return timestampOfNumber(value);
  if (typeof value !== 'string') return undefined;
  // The form that we want already, as most producers send it: parsing it only to format it again would be the costliest step.
  if (normalForm.test(value)) return isDay(value.slice(0, 10)) ? value : undefined;
  if (value.length > 40) return undefined;
  if (/^\d{9,13}(?:\.\d+)?$/.test(value)) return timestampOfNumber(Number(value));
  const [, day, minutes = '00:00', seconds = '00', parts = '', zone = 'Z'] = readForm.exec(value) ?? [];
  if (day === undefined || !isDay(day)) return undefined;
  return timestampOf(new Date(`${day}T${minutes}:${seconds}.${parts.slice(0, 3).padEnd(3, '0')}${normalZone(zone)}`));
}

function normalZone(zone: string): string {
  if (!/^[+-]/.test(zone)) return 'Z';
  return zone.length === 3 ? `${zone}:00` : `${zone.slice(0, 3)}:${zone.slice(-2)}`;
}

function timestampOfNumber(value: number): string | undefined {
  if (!(value >= firstSeconds && value <= lastMilliseconds)) return undefined;
  return timestampOf(new Date(Math.round(value < firstMilliseconds ? value * 1_000 : value)));
}

function timestampOf(date: Date): string | undefined {
  if (Number.isNaN(date.getTime())) return undefined;
  const normal = date.toISOString();
  // Longer for the years before 0 and after 9999.
  return normal.length === 24 ? normal : undefined;
}

/** Whether the calendar has this day: `Date` takes 30 February for 2 March. */
function isDay(day: string): boolean {
  if (day.slice(8) <= '28') return true;
  const date = new Date(`${day}T00:00:00.000Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
}

/** How far a producer's clock may differ from the server's before the time of receipt is kept beside its own. */
const toleratedMs = 60_000;

/** The time of receipt where the producer's time differs from it by more than a minute (a wrong clock, a missing zone), else undefined. */
export function differingReceipt(timestamp: string): string | undefined {
  const now = timestampNow();
  // Of the same minute, as most are.
  if (timestamp.startsWith(now.slice(0, 16))) return undefined;
  return Math.abs(Date.parse(timestamp) - Date.parse(now)) > toleratedMs ? now : undefined;
}
