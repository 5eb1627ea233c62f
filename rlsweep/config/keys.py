"""The keys of the config models, and hints for unknown keys."""

from collections.abc import Iterator
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel

from rlsweep.config import habits
from rlsweep.config.agent import AgentConfig
from rlsweep.config.nearest import nearest
from rlsweep.config.training import TrainingConfig

FLAGS = {"total_timesteps": "--total-timesteps", "max_episodes": "--episodes"}
"""Keys that are also flags, which are quicker to change."""


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
    """Return a hint for the unknown dotted `key`: what it is called here, where it belongs, or the nearest key."""
    section, _, name = key.rpartition(".")
    if section.endswith("net_arch") and name in habits.TOWERS:
        return f"write {section}.{habits.TOWERS[name]} instead"
    if hint := habits.key_hint(name):
        return hint
    if (ours := habits.our_key(name)) and (hint := place_of(ours, model)):
        return hint
    known = leaf_keys(model)
    if key == "opponent" and model is TrainingConfig:  # the one to train against, not evaluation.opponent
        return "did you mean environment.opponent?"
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


def place_of(key: str, model: type[BaseModel]) -> str | None:
    """Say where to write our dotted `key` when it is missed in a config of `model`; None if no config has it."""
    flag = f", or {FLAGS[key]}," if key in FLAGS else ""
    if _has(model, key):
        return f"write {key}{flag} instead"
    if _has(TrainingConfig, key):
        return f"write {key} in the training config (--base-config){flag} instead"
    if model is TrainingConfig and _has(AgentConfig, key):
        return f"write it in the agent config, or as hyperparameters.{key} here"
    return None


def _has(model: type[BaseModel], key: str) -> bool:
    return key in leaf_keys(model) or key in sections(model)


def _dotted(name: str, model: type[BaseModel]) -> str | None:
    """Return the first dotted key of `model` that ends in `name`."""
    return next((key for key in (*sections(model), *leaf_keys(model)) if key.rpartition(".")[2] == name), None)


def _level(model: type[BaseModel], section: str) -> tuple[str, ...]:
    """Return the keys allowed in `section`, which may be a value with keys of its own, such as `network.net_arch`."""
    for name in filter(None, section.split(".")):
        field = model.model_fields.get(name.partition("[")[0])
        model = model if field is None else next(_models_in(field.annotation), model)
    return tuple(model.model_fields)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)
