/** Marks a SQLite file as a journal of ours (`PRAGMA application_id`): "ShDa". */
export const applicationId = 0x53684461;
