"""`backend: rllib`: one run over many machines, by Ray RLlib's env runners and learners."""
