"""Which keys of a search space a population cannot have, since its members change them while they train."""

from collections.abc import Iterator, Sequence

from rlsweep.config.agent import Hyperparameters
from rlsweep.config.keys import leaf_keys
from rlsweep.config.stepped import may_change


def unchangeable(keys: Sequence[str]) -> Iterator[str]:
    """The problem of each key that cannot change between two updates."""
    known = ", ".join(key for key in leaf_keys(Hyperparameters) if may_change(key))
    for key in keys:
        if not may_change(key):
            yield (
                f"space.{key}: pbt changes keys between two updates, and {key} cannot change then; give it one value "
                f"in the base config. Those that can are {known}"
            )
