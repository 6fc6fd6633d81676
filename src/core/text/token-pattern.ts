/** A token wherever it stands in a text: one of the server's file, or that of an orchestrator's child. */
export const tokenPattern = /sd_(?:[0-9A-Za-z]{8}_[0-9A-Za-z]{49}|run_[0-9a-f]{2,400}_[0-9a-f]{64})/g;
