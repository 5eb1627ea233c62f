"""Read and check the user's configs: agent configs, training configs, `--set` values. Imports neither torch nor Ray."""
