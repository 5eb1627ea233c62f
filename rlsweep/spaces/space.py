"""A search space that was read and checked."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rlsweep.config.given import GivenConfig
from rlsweep.config.reading import EXTENSIONS
from rlsweep.spaces.dimensions import Dimension
from rlsweep.spaces.expressions import Condition

DEFAULT_CONFIGS = 16
DEFAULT_SAMPLER = "sobol"
MAX_CONFIGS = 10_000
"""Of a space, and points of a grid: more are a mistake in nearly every case, and each is a run on record."""

ADAPTIVE = ("tpe", "cmaes")
"""Samplers that learn from scores, so that a race draws with them while it runs."""

MAX_ADAPTIVE = 1_000
"""Of such a space: every draw looks at all configs before it, which then takes a second."""

FEWEST_FIRST, FIRST_SHARE = 8, 4
"""Configs of such a space that are drawn evenly before the race, the base included: so many, or one in so many."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchSpace:
    """Ranges and choices, next to a base config.

    source: its file as it was given, or the name of a dict or of flags; messages name it so
    base: the agent config whose values stand where nothing is drawn; the first config of every sweep
    configs: how many, the base included; None takes every point of a grid, else DEFAULT_CONFIGS
    dimensions: in the order in which their conditions can be computed
    constraints: what holds in every drawn config
    description: as its author wrote it
    configs_flag: the flag that gives `configs`; None where its file does, or nothing
    """

    source: str
    base: Path | GivenConfig
    sampler: str
    configs: int | None
    seed: int
    dimensions: tuple[Dimension, ...]
    constraints: tuple[Condition, ...]
    description: str = ""
    configs_flag: str | None = None

    @property
    def is_adaptive(self) -> bool:
        """Whether a race draws most of its configs while it runs."""
        return self.sampler in ADAPTIVE

    @property
    def wanted(self) -> int:
        """Number of its configs, the base included, unless it is a grid that has fewer points."""
        if self.configs is None:
            return MAX_CONFIGS + 1 if self.sampler == "grid" else DEFAULT_CONFIGS
        return self.configs

    @property
    def first(self) -> int:
        """How many of them are drawn before the first one trains, the base included."""
        if not self.is_adaptive:
            return self.wanted
        return min(self.wanted, max(FEWEST_FIRST, math.ceil(self.wanted / FIRST_SHARE)))

    @property
    def to_draw(self) -> int:
        """How many of them are drawn while a race runs."""
        return self.wanted - self.first if self.is_adaptive else 0

    @property
    def title(self) -> str:
        """What descriptions of its configs call it."""
        return Path(self.source).name if self.source.endswith(EXTENSIONS) else "a search space"

    @property
    def keys(self) -> tuple[str, ...]:
        """The dotted keys that are drawn."""
        return tuple(dimension.key for dimension in self.dimensions)

    @property
    def points(self) -> int | None:
        """Number of points of its grid; None if a range has no steps."""
        counts = [dimension.count for dimension in self.dimensions]
        return None if None in counts else math.prod(count for count in counts if count is not None)

    def active_keys(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        """The keys that are drawn, with the values of all keys."""
        return tuple(dimension.key for dimension in self.dimensions if is_active(dimension, values))

    def effective(self, drawn: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
        """Values of all keys: the base's, with those on top that were drawn for the keys whose `when` holds.

        Raises ValueError, with the key, where a `when` cannot be computed.
        """
        values = dict(base)
        for dimension in self.dimensions:
            if is_active(dimension, values):
                values[dimension.key] = drawn[dimension.key]
        return values

    def as_data(self) -> dict[str, Any]:
        """The space as a file has it, complete, for the record; its base is on record as a run."""
        return {
            "source": self.source,
            "base": str(self.base.absolute()) if isinstance(self.base, Path) else None,
            "sampler": self.sampler,
            "configs": self.configs,
            "seed": self.seed,
            "space": {dimension.key: dimension.as_data() for dimension in self.dimensions},
            "constraints": [constraint.text for constraint in self.constraints],
            "description": self.description,
        }


def is_active(dimension: Dimension, values: Mapping[str, Any]) -> bool:
    """Whether the key is drawn, with the values of the keys that its `when` looks at."""
    if dimension.when is None:
        return True
    try:
        return dimension.when.holds(values)
    except ValueError as exc:
        raise ValueError(f"space.{dimension.key}: when: {exc}") from None


def in_order(dimensions: Sequence[Dimension]) -> tuple[Dimension, ...]:
    """The dimensions, each behind those that its `when` looks at. Raises ValueError for a circle."""
    by_key = {dimension.key: dimension for dimension in dimensions}
    done: dict[str, Dimension] = {}

    def place(dimension: Dimension, above: tuple[str, ...]) -> None:
        if dimension.key in above:
            circle = " → ".join((*above[above.index(dimension.key) :], dimension.key))
            raise ValueError(f"`when` goes in a circle: {circle}")
        for key in () if dimension.when is None else dimension.when.keys.values():
            if key in by_key and key not in done:
                place(by_key[key], (*above, dimension.key))
        done[dimension.key] = dimension

    for dimension in dimensions:
        if dimension.key not in done:
            place(dimension, ())
    return tuple(done.values())
