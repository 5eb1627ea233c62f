"""The keys that a search space may draw, and those that a condition may look at."""

from collections.abc import Iterable
from typing import Any

from rlsweep.config.agent import AgentConfig, Hyperparameters
from rlsweep.config.differences import flat_hyperparameters
from rlsweep.config.keys import leaf_keys, sections
from rlsweep.config.overrides import settable_key
from rlsweep.config.stepped import last_value
from rlsweep.config.training import TrainingConfig

_DRAWN = (*leaf_keys(Hyperparameters), "algorithm")
_KWARGS = "network.features_extractor_kwargs."
_OF_TRAINING = ("n_envs",)
"""Keys of the training config that a condition may look at: a rollout has n_steps × n_envs env steps."""


def drawn_key(name: str) -> str:
    """The dotted key that an entry of `space:` draws. Raises ValueError with a hint."""
    key = settable_key(name)
    if key in sections(AgentConfig):
        first = next(each for each in _DRAWN if each.startswith(f"{key}."))
        raise ValueError(f"is a section; name a key in it, such as {first}")
    if key not in _DRAWN and not key.startswith(_KWARGS):
        raise ValueError("is the same in all trials of a sweep; set it in the training config (--base-config)")
    return key


def condition_key(name: str) -> str:
    """The dotted key that a name in a condition means. Raises ValueError with a hint."""
    if name in _OF_TRAINING:
        return name
    return drawn_key(name)


def base_values(base: AgentConfig, training: TrainingConfig, keys: Iterable[str]) -> dict[str, Any]:
    """Values by dotted key for drawing: the base config's, those of `keys` too, and the training config's.

    Of a value that changes while a run trains, a condition looks at the last one.
    """
    values = {key: last_value(value) for key, value in flat_hyperparameters(base).items()}
    values |= {key: getattr(training, key) for key in _OF_TRAINING}
    kwargs = values[_KWARGS.removesuffix(".")]
    return values | {key: kwargs.get(key.removeprefix(_KWARGS)) for key in keys if key.startswith(_KWARGS)}
