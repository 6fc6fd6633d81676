import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { completionScripts } from '../../../src/cli/commands/completion/scripts/completion-scripts.ts';

const folder = join(import.meta.dirname, '../../../completions');
mkdirSync(folder, { recursive: true });
for (const { fileName, text } of Object.values(completionScripts)) writeFileSync(join(folder, fileName), text);
