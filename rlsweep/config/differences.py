"""Flat views of agent configs: hyperparameters by dotted key, differences between configs, hashes, labels."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from rlsweep.config.agent import AgentConfig, Hyperparameters
from rlsweep.config.algorithms import ALGORITHMS
from rlsweep.config.layers import SECTIONS

Label = TypeVar("Label")

ADDED_KEYS: dict[str, Any] = {
    "optimizer.eps": 1e-5,
    "optimizer.weight_decay": 0.0,
    "network.ortho_init": True,
    "network.log_std_init": 0.0,
    "network.features_extractor": None,
    "network.features_extractor_kwargs": {},
    "ppo.use_sde": False,
    "ppo.sde_sample_freq": -1,
}
"""Keys that version 0.1.0 did not write, with the values that it trained with; equal values leave a hash as it was."""

HASH_DIGITS = 7
"""Length of a shortened hash, as in git; enough to distinguish the configs of one comparison."""


def flat_hyperparameters(config: AgentConfig) -> dict[str, Any]:
    """Return the algorithm and every hyperparameter by its dotted key, as JSON-able values.

    Name, version, variant and description are left out; `network.net_arch` is one value.
    """
    return flat_record(config.model_dump(mode="json"))


def flat_record(agent: Mapping[str, Any]) -> dict[str, Any]:
    """Do the same for an agent config read from the database; what an older version did not write is filled in."""
    flat: dict[str, Any] = {key: agent[key] for key in ("algorithm",) if key in agent}
    for key in Hyperparameters.model_fields:
        value = agent.get(key)
        if key in SECTIONS and isinstance(value, dict):
            flat |= {f"{key}.{name}": inner for name, inner in value.items()}
        elif key in agent:
            flat[key] = value
    return flat | {key: value for key, value in ADDED_KEYS.items() if key not in flat} if "network" in agent else flat


def differing_keys(flat: Mapping[Label, Mapping[str, Any]]) -> dict[str, dict[Label, Any]]:
    """Return each dotted key whose value differs between configs, with every config's value (None if it has none)."""
    found: dict[str, dict[Label, Any]] = {}
    for key in dict.fromkeys(key for each in flat.values() for key in each):
        values = {label: each.get(key) for label, each in flat.items()}
        if any(value != next(iter(values.values())) for value in values.values()):
            found[key] = values
    return found


def hyperparameter_hash(config: AgentConfig) -> str:
    """Return the SHA-256, in hex, of the algorithm and the hyperparameters that it uses."""
    used = used_hyperparameters(config).items()
    return digest({key: value for key, value in used if not (key in ADDED_KEYS and value == ADDED_KEYS[key])})


def used_hyperparameters(config: AgentConfig) -> dict[str, Any]:
    """Return what `flat_hyperparameters` returns, without the hyperparameters that the algorithm ignores."""
    used = ALGORITHMS[config.algorithm].hyperparameters | {"algorithm"}
    return {key: value for key, value in flat_hyperparameters(config).items() if key in used}


def digest(value: Any) -> str:
    """Return the SHA-256, in hex, of a JSON-able value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def labels(names: Sequence[str], files: Sequence[str | None], hashes: Sequence[str]) -> tuple[str, ...]:
    """Return a label for each config; labels are unique unless two configs share both file and hash.

    A label is the config's short name. Configs with the same short name also get their file. Configs with the same
    short name and file (other `--set` values, or an edited file) also get the first digits of their hash.
    """
    configs = list(zip(names, files, hashes, strict=True))

    def label(name: str, file: str | None, full_hash: str) -> str:
        namesakes = [(other_file, other) for other_name, other_file, other in configs if other_name == name]
        more = []
        if len({other_file for other_file, _ in namesakes}) > 1:
            more.append(file or "no file")
        if len({other for other_file, other in namesakes if other_file == file}) > 1:
            more.append(full_hash[:HASH_DIGITS])
        return f"{name} ({', '.join(more)})" if more else name

    return tuple(label(*config) for config in configs)
