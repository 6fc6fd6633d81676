/** What the buttons and keys of a session do. All but the first two ask first. */
export type SessionAction = 'halt' | 'resume' | 'rollback' | 'redirect' | 'inject' | 'stop';
