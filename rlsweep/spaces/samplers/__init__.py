"""Which point of a search space to look at next: Optuna's samplers, one strategy a module."""
