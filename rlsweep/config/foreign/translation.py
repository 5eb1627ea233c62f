"""Translate the keys and values of Stable-Baselines3, rl-zoo and their kin to those of our configs."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pydantic import BaseModel

from rlsweep.config import habits
from rlsweep.config.agent import AgentConfig
from rlsweep.config.foreign.literals import literal
from rlsweep.config.foreign.values import converted, wrappers
from rlsweep.config.keys import leaf_keys, sections, unknown_key_hint
from rlsweep.config.layers import expand_environment, with_value
from rlsweep.config.limits import MAX_KEY, MAX_TOLD
from rlsweep.config.problems import check, shown
from rlsweep.config.training import TrainingConfig

IDENTITY = ("agent_id", "name", "algorithm", "version", "sweep_variant", "description", "exploration")


@dataclass(slots=True)
class Translation:
    """agent, training: values as in our config files, nested.

    left_out: keys without a translation, each with the reason
    translated: keys that are named otherwise here, or whose values are written otherwise
    """

    agent: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    translated: list[str] = field(default_factory=list)

    def put(self, key: str, value: Any) -> None:
        """Set our dotted key to a value, which is converted; left out with a reason if it cannot be."""
        try:
            ours = converted(key, value)
        except ValueError as exc:
            self.left_out[key] = str(exc)
            return
        if ours != value:
            self.translated.append(key)
        if key in _all_keys(AgentConfig):
            self.agent = with_value(self.agent, key, ours)
        else:
            self.training = with_value(expand_environment(self.training), key, ours)

    def drop_invalid(self, defaults: dict[str, Any]) -> None:
        """Leave out the values that our configs refuse, each with the problem; `defaults` are for missing keys."""
        for model, given in ((AgentConfig, self.agent), (TrainingConfig, self.training)):
            complete = defaults | self.agent if model is AgentConfig else expand_environment(given)
            _, problems = check(model, complete)
            for key, problem in problems[:MAX_TOLD]:
                name = key.partition("[")[0]
                head, _, rest = name.partition(".")
                section = given.get(head)
                if rest and isinstance(section, dict):
                    section.pop(rest.partition(".")[0], None)
                else:
                    given.pop(head, None)
                self.left_out[name] = problem

    def notes(self) -> list[str]:
        """The keys that are left out, as comments."""
        return [f"left out: {key[:MAX_KEY]} ({reason[:200]})" for key, reason in self.left_out.items()]


def translate(given: Mapping[str, Any]) -> Translation:
    """Translate the flat hyperparameters of another tool, or an agent config that mixes its keys with ours."""
    result = Translation()
    for key, value in given.items():
        _add(result, key, value)
    return result


def our_key(key: str) -> str | None:
    """Our dotted key for a key of ours, the last part of one, or a key of another tool; None if there is none."""
    for model in (AgentConfig, TrainingConfig):
        if key in _all_keys(model):
            return key
    name = key.rpartition(".")[2]
    for model in (AgentConfig, TrainingConfig):
        namesakes = [other for other in leaf_keys(model) if other.rpartition(".")[2] == name]
        if len(namesakes) == 1 and name not in IDENTITY:
            return namesakes[0]
    ours = habits.our_key(name)
    return ours if ours and any(ours in _all_keys(model) for model in (AgentConfig, TrainingConfig)) else None


@cache
def _all_keys(model: type[BaseModel]) -> frozenset[str]:
    return frozenset((*leaf_keys(model), *sections(model)))


def _add(result: Translation, key: str, value: Any) -> None:
    name = key.rpartition(".")[2]
    if key in IDENTITY:
        result.agent[key] = value
    elif (special := _SPECIAL.get(name)) is not None:
        result.translated.append(key)
        try:
            special(result, value)
        except ValueError as exc:
            result.left_out[name] = str(exc)
    elif key in sections(AgentConfig):
        if not isinstance(value, Mapping):
            result.left_out[key] = "must be a mapping"
            return
        for inner, each in value.items():
            _add(result, f"{key}.{inner}", each)
    elif (ours := our_key(key)) is not None:
        if ours != key:
            result.translated.append(key)
        result.put(ours, value)
    else:
        hint = unknown_key_hint(key, AgentConfig)
        result.left_out[key] = "rlsweep has no such key" if hint.startswith("known here") else hint


def _mapping(value: Any) -> dict[str, Any]:
    """A mapping, which rl-zoo may give as the text of a Python dict."""
    found = literal(value) if isinstance(value, str) else value
    if not isinstance(found, dict):
        raise ValueError(f"must be a mapping, got {shown(value)}")
    return found


def _policy_arguments(result: Translation, value: Any) -> None:
    for key, each in _mapping(value).items():
        if key == "optimizer_kwargs":
            for name, option in _mapping(each).items():
                if name in ("eps", "weight_decay"):
                    result.put(f"optimizer.{name}", option)
                else:
                    result.left_out[f"optimizer_kwargs.{name}"] = "the optimizer has eps and weight_decay"
        elif key == "optimizer_class":
            if str(each).rpartition(".")[2] not in ("Adam", "RMSpropTFLike", "RMSprop"):
                result.left_out[key] = "PPO trains with Adam, A2C with RMSprop"
        elif key in ("net_arch", "activation_fn", "ortho_init", "log_std_init", "features_extractor_kwargs"):
            result.put(f"network.{key}", each)
        elif key == "features_extractor_class":
            result.put("network.features_extractor", each)
        else:
            result.left_out[key] = "rlsweep has no such key"


def _normalization(result: Translation, value: Any) -> None:
    if isinstance(value, bool):
        wanted: dict[str, Any] = {"norm_obs": value, "norm_reward": value}
    else:
        wanted = {"norm_obs": True, "norm_reward": True} | _mapping(value)
    result.put("normalize_observations", wanted.pop("norm_obs"))
    result.put("normalize_rewards", wanted.pop("norm_reward"))
    for key in wanted:
        result.left_out[key] = "VecNormalize's other options are SB3's defaults"


def _wrappers(result: Translation, value: Any) -> None:
    if value is not None:
        result.put("environment.wrappers", wrappers(value))


def _environment(result: Translation, value: Any) -> None:
    if isinstance(value, str):
        result.put("environment.id", value)
    elif isinstance(value, Mapping):
        result.training["environment"] = dict(value)


def _environment_arguments(result: Translation, value: Any) -> None:
    if value is not None:
        result.put("environment.kwargs", _mapping(value))


def _nested(result: Translation, value: Any) -> None:
    for key, each in _mapping(value).items():
        _add(result, key, each)


def _rmsprop(result: Translation, value: Any) -> None:
    if value is False:
        result.left_out["use_rms_prop"] = "A2C trains with RMSprop"


def _unsupported(reason: str) -> Callable[[Translation, Any], None]:
    def refuse(_: Translation, value: Any) -> None:
        if value not in (None, False):
            raise ValueError(reason)

    return refuse


_SPECIAL: Mapping[str, Callable[[Translation, Any], None]] = {
    "policy_kwargs": _policy_arguments,
    "model": _nested,
    "normalize": _normalization,
    "env_wrapper": _wrappers,
    "environment": _environment,
    **dict.fromkeys(("env", "env_id", "env_name", "gym_id"), _environment),
    "env_kwargs": _environment_arguments,
    "use_rms_prop": _rmsprop,
    "vec_env_wrapper": _unsupported("wrappers of vector environments are not supported"),
    "callback": _unsupported("callbacks are not supported"),
    "monitor_kwargs": _unsupported("episodes are recorded without a Monitor"),
}
"""Keys that are more than a name of one of ours."""


def id_from(environment: str, *, keep_version: bool = False) -> str:
    """A short name of an environment for file names: `cartpole` of `CartPole-v1`."""
    name = environment.rpartition("/")[2].rpartition(":")[2]
    name = name if keep_version else re.sub(r"-v\d+$", "", name)
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:40] or "agent"
