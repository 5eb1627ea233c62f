"""Draw the next config of a space from what the earlier ones scored: a pure function of the space and the record.

Every draw is made by a sampler of its own, which is told all configs in order. So nothing is lost when a process dies,
and the same record gives the same next config, as long as Optuna's version is the same.
"""

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rlsweep.errors import ConfigError
from rlsweep.spaces.samplers.sampler import Sampler, Values
from rlsweep.spaces.samplers.table import make_sampler
from rlsweep.spaces.search import (
    EVENLY,
    MOST_TRIES,
    DrawnConfig,
    drawn_config,
    effective,
    identity,
    unfulfilled_constraints,
)
from rlsweep.spaces.space import SearchSpace

MOST_ASKED = 50
"""Draws in a row of the space's own sampler that bring no new config, before the space is drawn evenly: in a small
space it asks for the best config again and again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownConfig:
    """A config of the record.

    variant: its name beside the agent's; None for a base config
    values: of all keys of the space, and of those that conditions look at, by dotted key
    score: what it is believed to score, greater is better; None while it has no score
    """

    variant: str | None
    values: Mapping[str, Any]
    score: float | None


def draw_next(
    space: SearchSpace, known: Sequence[KnownConfig], accepts: Callable[[DrawnConfig], bool] = lambda _: True
) -> DrawnConfig | None:
    """The next config of an adaptive space, or None if no draw brings a new one.

    known: the configs of the record in order, the base config first
    accepts: whether a config can be trained as it is; another one is drawn otherwise

    A draw of which a condition cannot be computed is not taken: the race has begun, and others can be.
    """
    base, number = known[0].values, len(known)
    seen = {identity(space, each.values) for each in known}
    variants = {each.variant for each in known if each.variant is not None}
    for drawn in _draws(space, known):
        try:
            values = effective(space, drawn, base)
            is_allowed = not unfulfilled_constraints(space, values)
        except ConfigError:
            continue
        if identity(space, values) in seen or not is_allowed:
            continue
        found = drawn_config(space, values, number, variants)
        if accepts(found):
            return found
    return None


def _draws(space: SearchSpace, known: Sequence[KnownConfig]) -> Iterator[Values]:
    """What may be next: as the scores suggest where there are any, then evenly."""
    if any(each.score is not None for each in known):
        sampler = _told_sampler(space, known)
        for _ in range(MOST_ASKED):
            yield sampler.ask() or {}
    evenly = make_sampler(space, EVENLY)
    for _ in range(MOST_TRIES + len(known)):
        yield evenly.ask() or {}


def _told_sampler(space: SearchSpace, known: Sequence[KnownConfig]) -> Sampler:
    """The space's own sampler, which draws something else for each number, and knows all configs."""
    seed = zlib.crc32(f"{space.seed} {len(known)}".encode())
    sampler = make_sampler(replace(space, seed=seed))
    for each in known:
        active = space.active_keys(each.values)
        sampler.tell({key: each.values[key] for key in active}, each.score)
    return sampler
