"""Merge config data in layers, lowest first: defaults, base config, agent config, command line."""

from collections.abc import Mapping
from typing import Any

SECTIONS = ("optimizer", "network", "ppo", "environment", "evaluation", "rllib")
"""Keys whose mappings are merged key by key; every other value replaces the lower layer's value."""


def layered(lower: Mapping[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
    """Return `lower` with the values of `upper` on top; neither is changed."""
    data = dict(lower)
    for key, value in upper.items():
        both_map = isinstance(value, dict) and isinstance(data.get(key), dict)
        data[key] = data[key] | value if both_map and key in SECTIONS else value
    return data


def with_value(data: Mapping[str, Any], key: str, value: Any) -> dict[str, Any]:
    """Return `data` with `value` at the dotted `key`."""
    head, _, rest = key.partition(".")
    if not rest:
        return layered(data, {head: value})
    below = data.get(head)
    return {**data, head: with_value(below if isinstance(below, dict) else {}, rest, value)}


def given_keys(data: Mapping[str, Any]) -> frozenset[str]:
    """Return the dotted keys that have a value in `data`."""
    keys: set[str] = set()
    for key, value in data.items():
        keys |= {f"{key}.{name}" for name in value} if key in SECTIONS and isinstance(value, dict) else {key}
    return frozenset(keys)


def expand_environment(training: Mapping[str, Any]) -> dict[str, Any]:
    """Return training config data in which an environment given as an id is the mapping `{id: …}`."""
    environment = training.get("environment")
    return {**training, "environment": {"id": environment}} if isinstance(environment, str) else dict(training)
