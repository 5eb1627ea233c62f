"""Environments: a spec becomes a Gymnasium env that says which actions are legal and who won."""

from rlsweep.envs.make import make_env

__all__ = ["make_env"]
