"""Search spaces of Optuna, as its JSON has distributions, or as people write them: `{type: float, low: …, high: …}`."""

from collections.abc import Mapping
from typing import Any

from rlsweep.config.foreign.blocks import Answer

HOLDERS = ("search_space", "distributions", "params", "parameters")
"""Keys below which a file may have its distributions."""


def is_optuna(data: Mapping[str, Any]) -> bool:
    """Whether a file's root, or what a known key holds, maps names to distributions and values."""
    return "agent_id" not in data and distributions(data) is not None


def distributions(data: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The distributions of a file, with fixed values among them; None if it has none."""
    below: list[Mapping[str, Any]] = [data[key] for key in HOLDERS if isinstance(data.get(key), Mapping)]
    return next((found for found in (data, *below) if any(map(is_distribution, found.values()))), None)


def is_distribution(given: Any) -> bool:
    """Whether a value has the form of a distribution of Optuna."""
    if not isinstance(given, Mapping):
        return False
    if isinstance(given.get("attributes"), Mapping):
        return str(given.get("name", "")).endswith("Distribution")
    return {"low", "high"} <= given.keys() or ("choices" in given and given.keys() <= {"type", "name", "choices"})


def optuna_answer() -> Answer:
    """What to do with such a file."""
    return Answer("holds distributions of Optuna", to_import=True)
