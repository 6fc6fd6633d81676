import { InvalidArgumentError } from 'commander';
import type { ValueKind } from './command-definition.ts';

/** The kinds of values that are read as the command line is read. All others come to the command as the text that was typed. */
export const valueReaders: Partial<Record<ValueKind, (text: string) => number>> = {
  'whole-number': wholeNumber,
  'positive-number': positiveNumber,
  seconds,
};

function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

function positiveNumber(text: string): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a number above 0.');
  return value;
}

function seconds(text: string): number {
  const value = Number(text);
  if (text === '' || !(value >= 0) || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a number of seconds.');
  return value;
}
