"""Draw configs of a search space, one after the other, the same ones from the same record."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rlsweep.config.problems import shown
from rlsweep.errors import ConfigError
from rlsweep.spaces.flags import POPULATION
from rlsweep.spaces.naming import variant_name
from rlsweep.spaces.samplers.sampler import Values, plain
from rlsweep.spaces.samplers.table import make_sampler
from rlsweep.spaces.space import SearchSpace

EVENLY = "sobol"
"""The sampler that draws the first configs of an adaptive space."""

MOST_TRIES = 1000
"""Draws in a row that fulfil no constraint, or repeat a config, before the space is refused; a second or so."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DrawnConfig:
    """A config that was drawn.

    number: among the configs of its space; the base config is number 0
    variant: its name beside the agent's
    values: by dotted key, of the keys that are drawn; those of keys whose `when` does not hold are the base's
    """

    number: int
    variant: str
    values: dict[str, Any]


class Search:
    """The draws of a search space."""

    def __init__(self, space: SearchSpace, base: Mapping[str, Any], known: Sequence[DrawnConfig] = ()) -> None:
        """Draw behind what is known, whatever was scored; an adaptive space is drawn evenly.

        base: the base config's values by dotted key, and those of the training config that conditions look at
        known: configs that are on record, in order: drawing goes on behind them
        """
        self._space = space
        self._base = base
        self._sampler = make_sampler(space, EVENLY if space.is_adaptive else None)
        self._known = {identity(space, base)}
        self._variants: set[str] = set()
        self._number = 0
        for each in known:
            self._draw()
            self._take({**base, **each.values}, each.variant)

    def next(self) -> DrawnConfig | None:
        """The next config; None if no draw brings a new one. Raises ConfigError where none fulfils the constraints."""
        values = self._draw()
        if values is None:
            return None
        drawn = drawn_config(self._space, values, self._number + 1, self._variants)
        self._take(values, drawn.variant)
        return drawn

    @property
    def _is_grid(self) -> bool:
        """Whether draws end by themselves."""
        return self._space.points is not None and self._space.sampler == "grid"

    def _take(self, values: Mapping[str, Any], variant: str) -> None:
        self._known.add(identity(self._space, values))
        self._variants.add(variant)
        self._number += 1

    def _draw(self) -> dict[str, Any] | None:
        """Values of all keys of the next draw that fulfils the constraints and is new."""
        broken: Counter[str] = Counter()
        tries = repeated = 0
        while tries < MOST_TRIES or self._is_grid:
            drawn = self._sampler.ask()
            if drawn is None:
                break
            tries += 1
            values = effective(self._space, drawn, self._base)
            unfulfilled = unfulfilled_constraints(self._space, values)
            broken.update(unfulfilled)
            if not unfulfilled and identity(self._space, values) not in self._known:
                return values
            repeated += not unfulfilled
        if repeated or (self._is_grid and self._number):
            return None
        raise ConfigError(f"{self._space.source}: {_why_none(tries, broken)}")


def effective(space: SearchSpace, drawn: Values, base: Mapping[str, Any]) -> dict[str, Any]:
    """Values of all keys with what was drawn. Raises ConfigError where a `when` cannot be computed."""
    try:
        return space.effective(drawn, base)
    except ValueError as exc:
        raise ConfigError(f"{space.source}: {exc}") from exc


def unfulfilled_constraints(space: SearchSpace, values: Mapping[str, Any]) -> list[str]:
    """The constraints that values do not fulfil, as messages name them. Raises ConfigError where one has no truth."""
    found = []
    for index, constraint in enumerate(space.constraints):
        try:
            holds = constraint.holds(values)
        except ValueError as exc:
            raise ConfigError(f"{space.source}: constraints[{index}]: {constraint.text}: {exc}") from exc
        if not holds:
            found.append(f"constraints[{index}]: {shown(constraint.text)}")
    return found


def identity(space: SearchSpace, values: Mapping[str, Any]) -> str:
    """The drawn values as text, in which 1 and 1.0 are the same."""
    return plain([values[key] for key in space.keys])


def drawn_config(space: SearchSpace, values: Mapping[str, Any], number: int, variants: Collection[str]) -> DrawnConfig:
    """A config of values, with a name that none of the others has."""
    drawn = {key: values[key] for key in space.active_keys(values)}
    return DrawnConfig(number=number, variant=variant_name(drawn, number, variants), values=drawn)


def _why_none(tries: int, broken: Counter[str]) -> str:
    never = [text for text, count in broken.items() if count == tries]
    if never:
        return f"{never[0]} is a constraint that nothing fulfils: none of {tries:,} draws does; change it"
    return f"no draw of {tries:,} fulfils all constraints at once; remove one, or widen the space"


def _where_configs_are_given(space: SearchSpace, possible: int) -> tuple[str, str]:
    """Where their number stands, and what to write there instead. Populations have a fewest number of members."""
    if space.configs_flag is None:
        return f"{space.source}: configs", f"write configs: {possible}, or widen the space"
    where = f"{space.configs_flag} {space.configs}"
    if space.configs_flag == POPULATION:
        return where, "widen the space"
    return where, f"give {space.configs_flag} {possible}, or widen the space"


def draw_all(space: SearchSpace, base: Mapping[str, Any]) -> tuple[DrawnConfig, ...]:
    """Every config of a space that a sweep is submitted with, without the base itself; of an adaptive one the first.

    Raises ConfigError where the space has fewer than `configs` says; the points of a grid are as many as they are.
    """
    search = Search(space, base)
    wanted = space.first
    found: list[DrawnConfig] = []
    while len(found) < wanted - 1 and (drawn := search.next()) is not None:
        found.append(drawn)
    so_far = len(found) + 1
    if space.configs is not None and so_far < wanted and space.sampler != "grid":
        where, way_out = _where_configs_are_given(space, so_far)
        raise ConfigError(
            f"{where}: {MOST_TRIES:,} draws in a row brought no new config after {so_far}, the base included; {way_out}"
        )
    return tuple(found)
