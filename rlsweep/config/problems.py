"""Check a config's values; pydantic's errors become one message per problem, with the keys of the file."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from rlsweep.config.habits import value_hint
from rlsweep.config.keys import leaf_keys, unknown_key_hint
from rlsweep.config.layers import SECTIONS
from rlsweep.config.limits import MAX_TOLD
from rlsweep.config.stepped import is_stepped, may_change, takes_whole_keys

Model = TypeVar("Model", bound=BaseModel)

_MAX_SHOWN = 60
_KINDS = {
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a whole number",
    "string_type": "text",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
}
_OF_NUMBERS = ("float_type", "int_type", "bool_type", "string_type")
_BOUNDS = {
    "greater_than": ("greater than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}


def check(model: type[Model], data: dict[str, Any]) -> tuple[Model | None, list[tuple[str, str]]]:
    """Build `model` from JSON-like `data`; if that fails, return None and (dotted key, problem) for each problem.

    Values are read as JSON: a list becomes a tuple and a whole number a float, but text never becomes a number.
    Problems beyond the first MAX_TOLD are only counted.
    """
    try:
        return model.model_validate_json(json.dumps(data)), []
    except ValidationError as exc:
        fixed = _fixed_keys(data, model)
        errors = [each for each in exc.errors(include_url=False) if not _within(dotted_key(each), fixed)]
        problems = [(key, "cannot change while a run trains; give it one value") for key in fixed]
        problems += [(dotted_key(error), _problem(error, model)) for error in errors[:MAX_TOLD]]
        if further := errors[MAX_TOLD:]:
            problems.append(("further problems", str(len(further))))
        return None, problems


def _fixed_keys(data: Mapping[str, Any], model: type[BaseModel]) -> list[str]:
    """The dotted keys with a value for each of several env steps that must have one value."""
    values = dict(data)
    for section in SECTIONS:
        within = data.get(section)
        values |= {f"{section}.{key}": value for key, value in within.items()} if isinstance(within, dict) else {}
    fixed = {key for key in leaf_keys(model) if takes_whole_keys(key) and not may_change(key)}
    return [key for key, value in values.items() if key in fixed and is_stepped(value)]


def _within(key: str, above: Sequence[str]) -> bool:
    return any(key == each or key.startswith(f"{each}.") for each in above)


def dotted_key(error: ErrorDetails) -> str:
    """Return an error's location, such as `network.net_arch[1]`, without pydantic's union tags such as `<layers>`."""
    key = ""
    for part in error["loc"]:
        if isinstance(part, int):
            key += f"[{part}]"
        elif not part.startswith("<"):
            key += f".{part}" if key else part
    return key


def _problem(error: ErrorDetails, model: type[BaseModel]) -> str:
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        return f"unknown key; {unknown_key_hint(dotted_key(error), model)}"
    if kind in _KINDS:
        return f"must be {_KINDS[kind]}, got {shown(value)}{_way_out(kind, value, error['loc'])}"
    if kind in _BOUNDS:
        words, bound = _BOUNDS[kind]
        return f"must be {words} {context[bound]:g}, got {shown(value)}"
    if kind == "literal_error":
        choices = re.findall(r"'([^']*)'", context["expected"])
        hint = value_hint(value, choices) if isinstance(value, str) else ""
        return f"must be one of {', '.join(choices)}, got {shown(value)}{hint}"
    if kind == "value_error":
        return str(context["error"])
    if kind == "finite_number":
        return f"must be a finite number, got {shown(value)}"
    if kind in ("too_long", "too_short"):
        words = f"at most {context['max_length']}" if kind == "too_long" else f"at least {context['min_length']}"
        return f"must hold {words} values, got {context['actual_length']}"
    return f"{error['msg'][:1].lower()}{error['msg'][1:]}, got {shown(value)}"


def _way_out(kind: str, value: Any, place: Sequence[int | str]) -> str:
    if kind == "int_type" and isinstance(value, dict) and "net_arch" in place:
        return "; write net_arch: {pi: […], vf: […]}"
    if isinstance(value, list) and len(value) > 1 and kind in _OF_NUMBERS:
        return "; a config has one value: write a file for each"
    if kind == "string_type" and isinstance(value, bool | int | float):
        return "; put it in quotes"
    if kind == "float_type" and isinstance(value, str) and re.fullmatch(r"[-+]?[0-9.]+([eE][-+]?[0-9]+)?", value):
        return "; remove the quotes around the number"
    if kind.startswith("int_") and isinstance(value, float) and value.is_integer():
        return f"; write {int(value)}"
    return ""


def shown(value: Any) -> str:
    """Format a value for a message: at most _MAX_SHOWN characters, in JSON's or YAML's notation."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    text = json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else repr(value)
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 1] + "…"
