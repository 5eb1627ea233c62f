"""Slices: the score against one hyperparameter, and whether the configs can tell its effect from that of another."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any

import numpy as np

from rlsweep.analysis.curves import Floats
from rlsweep.config.stepped import is_stepped, last_value

DECADE = 10.0
"""Greatest value over the least from which on an axis is logarithmic."""

TOGETHER = 0.95
"""Rank correlation from which on two keys count as changed together."""

Levels = Mapping[str, Sequence[Any]]
"""By dotted key: one value a config."""


class Scale(StrEnum):
    """The axis of a slice."""

    LINEAR = "linear"
    LOG = "log"
    CATEGORIES = "categories"


@dataclass(frozen=True, kw_only=True, slots=True)
class Slice:
    """The axis of one hyperparameter.

    values: those that the configs have, each once, in the order of the axis
    inseparable: other keys that change whenever this one does
    changes: whether it changes in a config while that trains; such a config stands at its last value
    """

    key: str
    scale: Scale
    values: tuple[Any, ...]
    inseparable: tuple[str, ...]
    changes: bool = False


def slices(levels: Levels) -> tuple[Slice, ...]:
    """A slice of each key of which the configs have at least two values, in the order given."""
    at_end = {key: [last_value(each) for each in values] for key, values in levels.items()}
    varying = {key: values for key, values in at_end.items() if len(_codes(values)[1]) > 1}
    return tuple(
        Slice(
            key=key,
            scale=_scale(values),
            values=tuple(_codes(values)[1]),
            inseparable=tuple(other for other in varying if other != key and _follows(values, varying[other])),
            changes=any(map(is_stepped, levels[key])),
        )
        for key, values in varying.items()
    )


def _scale(values: Sequence[Any]) -> Scale:
    if not _are_numbers(values):
        return Scale.CATEGORIES
    return Scale.LOG if min(values) > 0 and max(values) > DECADE * min(values) else Scale.LINEAR


def _are_numbers(values: Sequence[Any]) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def _codes(values: Sequence[Any]) -> tuple[list[int], list[Any]]:
    """Each value's place among the distinct ones, and these: numbers in order, others by their text."""
    is_number = _are_numbers(values)
    texts = [value if is_number else json.dumps(value, sort_keys=True, default=str) for value in values]
    distinct = dict(zip(texts, values, strict=True))
    order = sorted(distinct)
    return [order.index(text) for text in texts], [distinct[text] for text in order]


def _follows(ours: Sequence[Any], theirs: Sequence[Any]) -> bool:
    """Whether our key changes only where theirs does, so that no two configs show what ours does alone.

    Where each config has a value of its own of their key, as in a random search, every key would follow it. There,
    numbers must also be in the same order, or the reverse, and others in unbroken runs along their key.
    """
    our_codes, our_values = _codes(ours)
    their_codes, their_values = _codes(theirs)
    pairs = set(zip(our_codes, their_codes, strict=True))
    if len(their_values) < len(theirs):
        return len(pairs) == len(their_values)
    if not _are_numbers(theirs):
        return len(our_values) == len(ours) and not _are_numbers(ours)
    if _are_numbers(ours):
        return abs(float(np.corrcoef(_ranks(our_codes), _ranks(their_codes))[0, 1])) >= TOGETHER
    along = [code for _, code in sorted(zip(their_codes, our_codes, strict=True))]
    return len(our_values) < len(ours) and len(list(groupby(along))) == len(our_values)


def _ranks(codes: Sequence[int]) -> Floats:
    """Ranks from 1, of equal ones their mean; their correlation is Spearman's."""
    _, inverse, counts = np.unique(codes, return_inverse=True, return_counts=True)
    ranks: Floats = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return ranks
