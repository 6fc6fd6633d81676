import { config } from 'zod';

// Before any schema is made: zod would else try whether it may make functions of texts, which the page's policy forbids and reports.
config({ jitless: true });
