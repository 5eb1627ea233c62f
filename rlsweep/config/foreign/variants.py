"""One agent config for each value that a key should take, where a list or a range stands for one value."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rlsweep.config.foreign.blocks import block, file_of, file_part
from rlsweep.config.layers import with_value

MAX_FILES = 12
_MAX_END = 1e300


@dataclass(frozen=True, slots=True)
class Choice:
    """The values that a key should take, by our dotted key; at least two."""

    key: str
    values: tuple[Any, ...]


def choice_values(value: Any) -> tuple[Any, ...] | None:
    """The values of a list, of W&B's `{values: […]}` or range, or of Tune's `{grid_search: […]}`; None for others."""
    if isinstance(value, Mapping):
        for key in ("values", "grid_search", "choice", "categorical"):
            if isinstance(value.get(key), list):
                return tuple(value[key])
        if ends := _ends(value):
            return _between(*ends)
        return (value["value"],) if set(value) <= {"value", "distribution"} and "value" in value else None
    return tuple(value) if isinstance(value, list) else None


def variant_blocks(agent: Mapping[str, Any], choices: Sequence[Choice]) -> list[str]:
    """A base config with the first value of each key, and its variants.

    They are every combination, if at most MAX_FILES; otherwise each variant changes one value of the base.
    """
    base = _with(agent, {each.key: each.values[0] for each in choices})
    combinations = math.prod(len(each.values) for each in choices)
    if combinations <= MAX_FILES:
        names = [each.key for each in choices]
        changes = [
            dict(zip(names, values, strict=True)) for values in itertools.product(*(each.values for each in choices))
        ][1:]
    else:
        changes = [{each.key: value} for each in choices for value in each.values[1:]]
    firsts = {each.key: each.values[0] for each in choices}
    configs = [base, *(_variant(base, change, firsts) for change in changes[: MAX_FILES - 1])]
    blocks = [block(file_of(config), config) for config in configs]
    if len(changes) >= MAX_FILES:
        blocks.append(f"# … and {len(changes) - MAX_FILES + 1} more in the same way")
    elif combinations > MAX_FILES:
        blocks.append(f"# The grid has {combinations} combinations: each variant changes one value of the base.")
    return blocks


def _variant(base: Mapping[str, Any], change: Mapping[str, Any], firsts: Mapping[str, Any]) -> dict[str, Any]:
    changed = {key: value for key, value in change.items() if value != firsts[key]}
    name = "_".join(f"{key.rpartition('.')[2]}_{_shown(value)}" for key, value in changed.items())
    return {**_with(base, change), "sweep_variant": file_part(name)}


def _with(agent: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    data = dict(agent)
    for key, value in values.items():
        data = with_value(data, key, value)
    return data


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return "x".join(map(_shown, value))
    if isinstance(value, dict):
        return "_".join(f"{key}_{_shown(each)}" for key, each in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)


def _ends(given: Mapping[str, Any]) -> tuple[float, float] | None:
    """The ends of a W&B range; None for a distribution without any."""
    low, high = given.get("min"), given.get("max")
    if not all(isinstance(end, int | float) and abs(end) < _MAX_END for end in (low, high)):
        return None
    assert low is not None
    assert high is not None
    if given.get("distribution") in ("log_uniform", "q_log_uniform", "inv_log_uniform"):
        return _rounded(math.exp(min(low, 100))), _rounded(math.exp(min(high, 100)))
    return low, high


def _between(low: Any, high: Any) -> tuple[float, ...]:
    """The ends of a range and its middle; the geometric one of a range that spans a factor of ten."""
    if isinstance(low, int) and isinstance(high, int):
        return tuple(dict.fromkeys((low, (low + high) // 2, high)))
    middle = math.sqrt(low) * math.sqrt(high) if low > 0 and high / low >= 10 else low / 2 + high / 2
    return tuple(dict.fromkeys((low, _rounded(middle), high)))


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")
