"""One attempt of one run over the store: execution, recording, resuming. Nothing here needs Ray."""
