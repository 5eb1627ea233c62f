"""One entry of `space:`, such as `{log: [1.0e-5, 1.0e-2], or: 0.0}`, to a dimension, or all that is wrong with it."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from rlsweep.config.nearest import suggestion
from rlsweep.config.problems import shown
from rlsweep.spaces.dimensions import Dimension, Kind
from rlsweep.spaces.expressions import Condition, read_condition

MAX_END = 1e12
"""Size of a range's ends, as of the counts of a config."""

MAX_STEPS = 1_000_000
"""Of a range: more are as good as none."""

_OPTIONS = ("step", "or", "when")
_OTHER_NAMES = {
    "float": Kind.UNIFORM, "range": Kind.UNIFORM, "loguniform": Kind.LOG, "log_uniform": Kind.LOG,
    "log_uniform_values": Kind.LOG, "int": Kind.INTEGER, "randint": Kind.INTEGER, "int_uniform": Kind.INTEGER,
    "log_int": Kind.LOG_INTEGER, "lograndint": Kind.LOG_INTEGER, "categorical": Kind.CHOICE, "values": Kind.CHOICE,
    "choices": Kind.CHOICE, "grid_search": Kind.CHOICE, "min": Kind.UNIFORM, "low": Kind.UNIFORM,
}  # fmt: skip
"""Names of W&B, Optuna and Ray Tune, as people type them."""


def read_entry(key: str, data: Any, key_of: Callable[[str], str]) -> tuple[Dimension | None, list[str]]:
    """The dimension of a dotted key and its entry, or None with every problem, each without the key.

    key_of: gives the dotted key of a name in a condition, or raises ValueError
    """
    if not isinstance(data, Mapping):
        return None, [_no_entry(data)]
    kinds = [name for name in data if name in tuple(Kind)]
    problems = [_unknown(name) for name in data if name not in (*Kind, *_OPTIONS)]
    if len(kinds) != 1:
        if not problems:
            problems = [f"has {' and '.join(kinds) or 'no kind'}; write one of {', '.join(Kind)}"]
        return None, problems
    kind = Kind(kinds[0])
    when, found = _condition(key, data, key_of)
    problems += found
    if kind is Kind.CHOICE:
        return _choice(key, data, when, problems)
    return _range(key, kind, data, when, problems)


def _no_entry(data: Any) -> str:
    if isinstance(data, list):
        return f"must be a range or a choice, got {shown(data)}; write {{choice: {_flow(data)}}}"
    offer = "a value that is the same in every config stands in the base config"
    return f"must be a range or a choice such as {{uniform: [0.9, 0.999]}}, got {shown(data)}; {offer}"


def _unknown(name: str) -> str:
    if name in _OTHER_NAMES:
        kind = _OTHER_NAMES[name]
        return f"{name}: unknown kind; write {kind}: {'[A, B, …]' if kind is Kind.CHOICE else '[LOW, HIGH]'}"
    known = (*Kind, *_OPTIONS)
    near = suggestion(name, known) or f"; known are {', '.join(Kind)}"
    return f"{name}: unknown kind{near}"


def _condition(key: str, data: Mapping[str, Any], key_of: Callable[[str], str]) -> tuple[Condition | None, list[str]]:
    if "when" not in data:
        return None, []
    try:
        found = read_condition(data["when"], key_of)
    except ValueError as exc:
        return None, [f"when: {exc}"]
    if key in found.keys.values():
        return None, [f"when: {shown(found.text)} looks at {key} itself"]
    return found, []


def _choice(
    key: str, data: Mapping[str, Any], when: Condition | None, problems: list[str]
) -> tuple[Dimension | None, list[str]]:
    values = data["choice"]
    problems += [f"{name}: a choice has none; add it to its values" for name in ("step", "or") if name in data]
    if not isinstance(values, list) or not values:
        problems.append(f"choice: must be a list of values, got {shown(values)}")
        return None, problems
    seen: dict[str, None] = {}
    for value in values:
        text = json.dumps(value, sort_keys=True)
        if text in seen:
            problems.append(f"choice: has {shown(value)} twice")
        seen[text] = None
    return Dimension(key=key, kind=Kind.CHOICE, choices=tuple(values), when=when), problems


def _range(
    key: str, kind: Kind, data: Mapping[str, Any], when: Condition | None, problems: list[str]
) -> tuple[Dimension | None, list[str]]:
    ends = data[kind]
    if not isinstance(ends, list) or len(ends) != 2 or not all(map(_is_number, ends)):
        problems.append(f"{kind}: must be two numbers [LOW, HIGH], got {shown(ends)}")
        return None, problems
    low, high = ends
    problems += _wrong_ends(kind, low, high)
    step = data.get("step")
    if step is not None:
        problems += _wrong_step(kind, step, low, high)
    if kind.is_log and step is not None:
        step = None
    if problems:
        return None, problems
    if not kind.is_whole:
        low, high = float(low), float(high)
    extra = (data["or"],) if "or" in data else ()
    return Dimension(key=key, kind=kind, low=low, high=high, step=step, extra=extra, when=when), []


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _wrong_ends(kind: Kind, low: float, high: float) -> list[str]:
    problems = []
    if kind.is_whole and not all(float(end).is_integer() and isinstance(end, int) for end in (low, high)):
        problems.append(f"{kind}: both ends must be whole numbers, got [{low:g}, {high:g}]")
    if kind.is_log and low <= 0:
        zero = "; a zero beside the range is written `or: 0.0`" if low == 0 else ""
        problems.append(f"{kind}: the low end must be above 0, got {low:g}: a logarithm of it does not exist{zero}")
    if not low < high:
        problems.append(f"{kind}: the range [{low:g}, {high:g}] is empty; its low end must be below its high end")
    if max(abs(low), abs(high)) > MAX_END:
        problems.append(f"{kind}: the ends must be between -{MAX_END:g} and {MAX_END:g}, got [{low:g}, {high:g}]")
    return problems


def _wrong_step(kind: Kind, step: Any, low: float, high: float) -> list[str]:
    if kind.is_log:
        return [f"step: {kind} has none; write the values as a choice"]
    if not _is_number(step) or not 0 < step <= MAX_END:
        return [f"step: must be a number above 0, got {shown(step)}"]
    if kind.is_whole and not isinstance(step, int):
        return [f"step: must be a whole number, got {shown(step)}"]
    if low < high and step > high - low:
        return [f"step: {step:g} is larger than the range [{low:g}, {high:g}]"]
    if (high - low) / step > MAX_STEPS:
        return [f"step: a range has at most {MAX_STEPS:,} steps, and {step:g} makes more; leave it out"]
    return []


def _flow(values: Any) -> str:
    text = json.dumps(values, ensure_ascii=False)
    return text if len(text) <= 60 else "[A, B, …]"
