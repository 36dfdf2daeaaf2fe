"""One request over HTTP: sent, cut into records, ended at its deadline."""
