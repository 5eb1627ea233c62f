"""`backend: rllib`: Ray RLlib's env runners and learners train one run on many machines."""
