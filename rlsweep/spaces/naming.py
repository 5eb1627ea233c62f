"""Short names of drawn configs, such as `lr_3.2e-4_gamma_0.999`."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from rlsweep.config.stepped import every_value, is_stepped

MAX_VARIANT = 40
"""Characters of a variant's name: a table of 80 columns has room for it beside a value or two."""

_SHORT = {"learning_rate": "lr", "network.net_arch": "net"}


def variant_name(values: Mapping[str, Any], number: int, taken: Collection[str]) -> str:
    """The name of a drawn config: its values by key, as many as there is room for.

    values: that were drawn, by dotted key
    number: of the config; it ends a name that was shortened, or that is taken
    """
    parts = [_part(f"{_short(key)}_{written(value)}") for key, value in values.items()]
    name = "_".join(parts)
    if parts and len(name) <= MAX_VARIANT and name not in taken:
        return name
    end = f"-{number}"
    while len("_".join(parts)) + len(end) > MAX_VARIANT and len(parts) > 1:
        parts.pop()
    name = "_".join(parts) or "draw"
    return name[: MAX_VARIANT - len(end)].rstrip("_.-") + end


def written(value: Any) -> str:
    """A value in a name: `3.2e-4`, `0.999`, `64x64`."""
    if isinstance(value, list | tuple):
        return "x".join(map(written, value)) or "none"
    if is_stepped(value):
        return "_to_".join(map(written, every_value(value)))
    if isinstance(value, Mapping):
        return "_".join(f"{key}_{written(each)}" for key, each in value.items())
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "none"}[value]
    if isinstance(value, float):
        return _number(value)
    return str(value)


def _number(value: float) -> str:
    if value and not 1e-3 <= abs(value) < 1e6:
        digits, exponent = f"{value:.11e}".split("e")
        return f"{digits.rstrip('0').rstrip('.')}e{int(exponent)}"
    return re.sub(r"\.?0+$", "", f"{value:.12f}") or "0"


def _short(key: str) -> str:
    return _SHORT.get(key, key.rpartition(".")[2])


def _part(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", text).strip("_.-")
