"""The keys of the config models, and hints for unknown keys."""

from collections.abc import Iterator
from functools import cache

from pydantic import BaseModel

from rlsweep.config.agent import AgentConfig, SplitLayers
from rlsweep.config.nearest import nearest
from rlsweep.config.training import TrainingConfig

_FOREIGN_KEYS = {
    "policy_kwargs": "write network.net_arch and network.activation_fn instead",
    "hidden_sizes": "write network.net_arch instead",
    "layers": "write network.net_arch instead",
    "lr": "write learning_rate instead",
    "n_timesteps": "write total_timesteps in the training config, or --total-timesteps, instead",
    "normalize": "write normalize_observations and normalize_rewards in the training config instead",
    "env": "write environment in the training config instead",
    "env_id": "write environment in the training config instead",
    "env_kwargs": "write environment.kwargs in the training config instead",
    "episodes": "write max_episodes in the training config, or --episodes, instead",
}
"""Keys of SB3, rl-zoo and other tools, with the hint for each."""


def sections(model: type[BaseModel]) -> dict[str, type[BaseModel]]:
    """Return the keys of `model` that hold a nested mapping, with the model of each."""
    return {
        name: field.annotation
        for name, field in model.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    }


@cache
def leaf_keys(model: type[BaseModel]) -> tuple[str, ...]:
    """Return the dotted keys of `model` that hold values, in the order in which they are declared."""
    return tuple(_leaf_keys(model))


def _leaf_keys(model: type[BaseModel]) -> Iterator[str]:
    nested = sections(model)
    for name in model.model_fields:
        if name in nested:
            yield from (f"{name}.{key}" for key in leaf_keys(nested[name]))
        else:
            yield name


def unknown_key_hint(key: str, model: type[BaseModel]) -> str:
    """Return a hint for the unknown dotted `key`: where it belongs, the nearest known key, or all known keys."""
    section, _, name = key.rpartition(".")
    if name in _FOREIGN_KEYS:
        return _FOREIGN_KEYS[name]
    known = leaf_keys(model)
    if namesakes := [other for other in known if other.rpartition(".")[2] == name]:
        return f"did you mean {' or '.join(namesakes)}?"
    if model is not TrainingConfig and (in_training := _dotted(name, TrainingConfig)):
        return f"write {in_training} in the training config (--base-config) instead"
    if model is TrainingConfig and (in_agent := _dotted(name, AgentConfig)):
        return f"write it in the agent config, or as hyperparameters.{in_agent} here"
    siblings = _level(model, section)
    if match := nearest(name, siblings):
        return f"did you mean {f'{section}.{match}' if section else match}?"
    if match := nearest(name, (other.rpartition(".")[2] for other in known)):
        return f"did you mean {_dotted(match, model)}?"
    return f"known here are {', '.join(siblings)}"


def _dotted(name: str, model: type[BaseModel]) -> str | None:
    """Return the first dotted key of `model` that ends in `name`."""
    return next((key for key in (*sections(model), *leaf_keys(model)) if key.rpartition(".")[2] == name), None)


def _level(model: type[BaseModel], section: str) -> tuple[str, ...]:
    """Return the keys allowed in `section`. A section that no model declares can only be `network.net_arch`."""
    for name in filter(None, section.split(".")):
        model = sections(model).get(name, SplitLayers)
    return tuple(model.model_fields)
