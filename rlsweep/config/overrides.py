"""`--set KEY=VALUE`: one value for all configs of a sweep; it replaces the value in their files."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rlsweep.config import habits
from rlsweep.config.agent import AlgorithmName, Hyperparameters
from rlsweep.config.keys import leaf_keys, sections
from rlsweep.config.layers import expand_environment, with_value
from rlsweep.config.limits import MAX_KEY
from rlsweep.config.nearest import suggestion
from rlsweep.config.problems import check
from rlsweep.config.reading import is_plain_line, parse_value
from rlsweep.config.training import TrainingConfig
from rlsweep.errors import ConfigError


class _SettableAgentKeys(Hyperparameters):
    algorithm: AlgorithmName = "MaskablePPO"


_AGENT_KEYS = (*leaf_keys(_SettableAgentKeys), *sections(_SettableAgentKeys))
_TRAINING_KEYS = tuple(
    key
    for key in (*leaf_keys(TrainingConfig), *sections(TrainingConfig))
    if key not in ("name", "description", "hyperparameters")
)
_FREE_AGENT_MAPPING = "network.features_extractor_kwargs."
_FREE_MAPPINGS = ("environment.kwargs.", _FREE_AGENT_MAPPING)
_IDENTITY_KEYS = ("agent_id", "name", "version", "sweep_variant", "description", "exploration", "hyperparameters")


@dataclass(frozen=True, slots=True)
class Override:
    """One `--set`: a dotted key, its value, and whether it belongs to the agent config or the training config."""

    key: str
    value: Any
    for_agent: bool

    def __str__(self) -> str:
        return f"--set {self.key}"


def parse_overrides(texts: Sequence[str]) -> tuple[Override, ...]:
    """Read `KEY=VALUE` texts; a later text wins over an earlier one.

    A key is dotted (`ppo.ent_coef`) or its last part alone (`ent_coef`), if that is unique. Values are YAML.
    Raises ConfigError with one problem for each invalid text.
    """
    problems: list[str] = []
    overrides: list[Override] = []
    for text in texts:
        try:
            overrides.append(_parse(text))
        except ValueError as exc:
            problems.append(f"--set {text}: {exc}")
    problems += _wrong_values(overrides)
    if problems:
        raise ConfigError(*problems)
    return tuple(overrides)


def override_agent(data: dict[str, Any], overrides: Sequence[Override]) -> dict[str, Any]:
    """Return agent config data with the overrides that belong to it."""
    for override in overrides:
        if override.for_agent:
            data = with_value(data, override.key, override.value)
    return data


def override_training(data: dict[str, Any], overrides: Sequence[Override]) -> dict[str, Any]:
    """Return training config data with the overrides that belong to it."""
    for override in overrides:
        if not override.for_agent:
            data = expand_environment(with_value(data, override.key, override.value))
    return data


def _parse(text: str) -> Override:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ValueError("write KEY=VALUE, such as --set ppo.ent_coef=0.0")
    if len(key) > MAX_KEY or not is_plain_line(key):
        raise ValueError(f"a key is one line of at most {MAX_KEY} printable characters")
    full_key = settable_key(key.strip())
    for_agent = full_key in _AGENT_KEYS or full_key.startswith(_FREE_AGENT_MAPPING)
    return Override(full_key, parse_value(value, key=full_key), for_agent=for_agent)


def settable_key(key: str) -> str:
    """Return the dotted key that `key` names: itself, or the one that ends in it. Raises ValueError with a hint."""
    settable = (*_AGENT_KEYS, *_TRAINING_KEYS)
    if key in settable or (key.startswith(_FREE_MAPPINGS) and key not in _FREE_MAPPINGS):
        return key
    if key in _IDENTITY_KEYS:
        raise ValueError(f"{key} belongs to one config file; it cannot be set for all")
    if key == "episodes":  # most users mean the budget, not evaluation.episodes
        raise ValueError("write max_episodes (the budget, as --episodes) or evaluation.episodes")
    if key == "opponent":  # the one to train against, not evaluation.opponent
        return "environment.opponent"
    found = [full_key for full_key in settable if full_key.endswith(f".{key}")]
    if len(found) == 1:
        return found[0]
    if hint := habits.key_hint(key):
        raise ValueError(f"unknown key; {hint}")
    if (ours := habits.our_key(key)) in settable:
        raise ValueError(f"unknown key; write {ours} instead")
    last_parts = {full_key.rpartition(".")[2]: full_key for full_key in settable}
    raise ValueError(f"unknown key{suggestion(key, (*settable, *last_parts))}")


def _wrong_values(overrides: Sequence[Override]) -> list[str]:
    """Check the overrides alone; every other key takes its default."""
    _, in_agent = check(_SettableAgentKeys, override_agent({}, overrides))
    _, in_training = check(TrainingConfig, override_training({}, overrides))
    return [f"--set {key}: {problem}" for key, problem in (*in_agent, *in_training)]
