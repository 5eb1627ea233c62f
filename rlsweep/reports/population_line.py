"""A population's newest copy in one line, while it trains."""

from collections.abc import Mapping
from typing import Any

from rlsweep.analysis.wording import hyperparameter, plural
from rlsweep.population_records import PopulationStanding


def population_line(standing: PopulationStanding) -> str:
    """`Copies so far: 3; at 2,048 env steps member 4 copied member 2 (learning_rate 0.0036 → 0.0043)`."""
    if standing.member is None or standing.env_steps is None:
        return "Copies so far: none"
    source = "a deleted run" if standing.source is None else f"member {standing.source}"
    return (
        f"Copies so far: {standing.copies:,}; at {plural(standing.env_steps, 'env step')} member {standing.member} "
        f"copied {source} ({changes_in_words(standing.changes or {})})"
    )


def changes_in_words(changes: Mapping[str, tuple[Any, Any]]) -> str:
    """`gamma 0.99 → 0.95, learning_rate 0.0003 → 0.00024`."""
    named = [
        f"{key} {hyperparameter(before)} → {hyperparameter(after)}" for key, (before, after) in sorted(changes.items())
    ]
    return ", ".join(named) or "nothing changed"
