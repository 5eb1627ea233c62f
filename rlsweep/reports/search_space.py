"""The search space of a sweep, as a reader sees it: its sampler, and what is drawn for each key."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rlsweep.analysis.wording import hyperparameter, plural


@dataclass(frozen=True, kw_only=True, slots=True)
class DrawnKey:
    """One key. drawn: its range or choice in words; when: the condition under which it is drawn, None if always."""

    key: str
    drawn: str
    when: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownSpace:
    """text: where it is from, and how it was drawn, in a sentence; constraints: what holds in every config."""

    text: str
    keys: tuple[DrawnKey, ...]
    constraints: tuple[str, ...]


def shown_space(space: Mapping[str, Any] | None, *, configs: int) -> ShownSpace | None:
    """What is shown of a space on record; None where nothing was drawn.

    configs: that are on record, the base included
    """
    if space is None:
        return None
    base = f"the base {space['base']}" if space.get("base") else "a base without a file"
    return ShownSpace(
        text=f"{plural(configs, 'config')}: {base}, and what {space['sampler']} drew from {space['source']} with seed "
        f"{space['seed']}.",
        keys=tuple(
            DrawnKey(key=key, drawn=drawn_in_words(entry), when=entry.get("when"))
            for key, entry in space["space"].items()
        ),
        constraints=tuple(space.get("constraints") or ()),
    )


def drawn_in_words(entry: Mapping[str, Any]) -> str:
    """`1e-05 to 0.01, log-uniform`, `one of 0.95, 0.99`."""
    kind, ends = next((kind, entry[kind]) for kind in _KINDS if kind in entry)
    if kind == "choice":
        return f"one of {', '.join(map(hyperparameter, ends))}"
    step = f" in steps of {hyperparameter(entry['step'])}" if "step" in entry else ""
    beside = f", or {hyperparameter(entry['or'])}" if "or" in entry else ""
    return f"{hyperparameter(ends[0])} to {hyperparameter(ends[1])}{step}{_KINDS[kind]}{beside}"


_KINDS = {
    "choice": "",
    "uniform": ", uniform",
    "log": ", log-uniform",
    "integer": ", whole numbers",
    "log_integer": ", whole numbers, log-uniform",
}
