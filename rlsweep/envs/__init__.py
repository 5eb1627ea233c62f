"""Make a Gymnasium env from a spec; it reports legal actions and, for games, the outcome of an episode."""

from rlsweep.envs.make import make_env

__all__ = ["make_env"]
