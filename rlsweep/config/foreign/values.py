"""Convert values of other tools to those of our keys."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from rlsweep.config.foreign.literals import literal
from rlsweep.config.problems import shown
from rlsweep.config.text_values import TextError, parse_yaml

_SCHEDULED = ("learning_rate", "ppo.clip_range", "ppo.clip_range_vf")
_TEXTS = ("network.features_extractor", "environment.id", "device", "vec_env", "engine", "backend")
_WHOLE = frozenset(
    ("n_steps", "batch_size", "n_epochs", "ppo.sde_sample_freq", "n_envs", "total_timesteps", "max_episodes", "seed",
     "max_steps_per_episode", "environment.frame_stack", "evaluation.every_rollouts", "evaluation.episodes",
     "checkpoint_interval_episodes", "keep_last_n_checkpoints")
)  # fmt: skip
_ACTIVATIONS = ("tanh", "relu", "elu")
_POLICIES = {
    "MlpPolicy": "MlpPolicy",
    "CnnPolicy": "CnnPolicy",
    "MultiInputPolicy": "MlpPolicy",
    "ActorCriticPolicy": "MlpPolicy",
    "ActorCriticCnnPolicy": "CnnPolicy",
}
_RENAMED = {"GrayScaleObservation": "GrayscaleObservation", "FrameStack": "FrameStackObservation"}
"""Wrappers of old Gym, and their names in Gymnasium."""


def converted(key: str, value: Any) -> Any:
    """Return a value of our dotted `key` as our config files have it; raise ValueError with the reason if it cannot be.

    A value that is already right is returned as it is. Whether it is in range is for the config's own check.
    """
    if isinstance(value, str) and key not in _TEXTS and key not in _CONVERSIONS:
        value = _number(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 and key in _WHOLE:
        value = int(value)
    conversion = _CONVERSIONS.get(key)
    return value if conversion is None else conversion(value)


def wrappers(value: Any) -> list[Any]:
    """rl-zoo's `env_wrapper` as `environment.wrappers`: a class by its dotted path, or a list of them with kwargs."""
    listed = value if isinstance(value, list) else [value]
    found: list[Any] = []
    for each in listed:
        if not isinstance(each, str | dict):
            raise ValueError(f"must name classes, got {shown(value)}")
        for path, kwargs in (each if isinstance(each, dict) else {each: None}).items():
            wrapper = _wrapper(path)
            found.append({"id": wrapper, "kwargs": dict(kwargs)} if isinstance(kwargs, dict) and kwargs else wrapper)
    return found


def _wrapper(path: str) -> str:
    module, _, name = path.rpartition(".")
    if module == "gym.wrappers" or module.startswith("gym.wrappers."):
        module, name = "gymnasium.wrappers", _RENAMED.get(name, name)
    return class_reference(f"{module}.{name}" if module else name)


def class_reference(path: Any) -> str:
    """`module:Class` of a class by its dotted path. Raises ValueError for a class without a module."""
    if not isinstance(path, str):
        raise ValueError(f"must name a class, got {shown(path)}")
    if ":" in path:
        return path
    module, dot, name = path.rpartition(".")
    if not dot:
        raise ValueError(f"write module:{path[:60]}, with the module that has it")
    return f"{module}:{name}"


def _number(text: str) -> Any:
    """The number that a text is; the text itself if it is none."""
    schedule = re.fullmatch(r"lin(?:ear)?_(.+)", text)
    if schedule:
        return f"linear_{schedule[1]}"
    try:
        found = parse_yaml(text)
    except TextError:
        return text
    return found if isinstance(found, int | float | bool) else text


def _schedule(value: Any) -> Any:
    return _number(value) if isinstance(value, str) else value


def _activation(value: Any) -> str:
    name = str(value).removeprefix("<class '").removesuffix("'>").rpartition(".")[2].lower()
    if name not in _ACTIVATIONS:
        raise ValueError(f"activations are {', '.join(_ACTIVATIONS)}, not {shown(value)}")
    return name


def _policy(value: Any) -> str:
    if not isinstance(value, str) or value not in _POLICIES:
        raise ValueError(f"policies are MlpPolicy and CnnPolicy, not {shown(value)}")
    return _POLICIES[value]


def _layers(value: Any) -> Any:
    """`net_arch`: layers, `{pi: […], vf: […]}`, or the old `[shared, …, {pi: […], vf: […]}]`."""
    if isinstance(value, str):
        value = literal(value)
    if isinstance(value, list) and value and isinstance(value[-1], dict):
        shared, towers = value[:-1], value[-1]
        if any(isinstance(layer, list | dict) for layer in shared):
            raise ValueError("write net_arch: {pi: […], vf: […]}")
        # layers can no longer be shared: each network gets its own
        value = {name: [*shared, *_list(towers.get(name, []))] for name in ("pi", "vf")}
    return value


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


_CONVERSIONS: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(_SCHEDULED, _schedule),
    "network.activation_fn": _activation,
    "network.policy": _policy,
    "network.net_arch": _layers,
    "network.features_extractor": class_reference,
}
