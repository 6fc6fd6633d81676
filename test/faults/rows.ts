import { backups } from './rows/backups.ts';
import { cuts } from './rows/cuts.ts';
import { cycles } from './rows/cycles.ts';
import { journal } from './rows/journal.ts';
import { retention } from './rows/retention.ts';
import { stuck } from './rows/stuck.ts';
import { kills } from './rows/kills.ts';
import { postgres } from './rows/postgres.ts';
import { volume } from './rows/volume.ts';
import type { Row } from './scene.ts';

export const rows: readonly Row[] = [kills, cuts, stuck, cycles, journal, volume, retention, backups, postgres];
