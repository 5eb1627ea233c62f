"""Conditions between keys, such as `batch_size <= n_steps`, in a fixed grammar. Nothing in them is executed.

A condition has keys, numbers, texts in quotes, `true`, `false` and `none`, comparisons, `and`, `or`, `not`, parentheses
and `+ - * / // %`.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rlsweep.config.dotted import dotted_name
from rlsweep.config.problems import shown

MAX_CHARACTERS = 500
"""Of a condition. Real ones have a few dozen."""

_MAX_LEVELS = 25
_WORDS = {"true": True, "false": False, "none": None, "null": None, "True": True, "False": False, "None": None}
_ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_ORDER: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_EQUALITY: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {ast.Eq: operator.eq, ast.NotEq: operator.ne}
_COMPARISONS = {*_ORDER, *_EQUALITY}


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that was read.

    text: as it was given
    keys: dotted keys that it looks at, by the names that it has for them
    """

    text: str
    keys: Mapping[str, str]
    _root: ast.expr

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Whether it is true of values by dotted key. Raises ValueError for values that do not fit."""
        try:
            return _truth(self._root, {name: values[key] for name, key in self.keys.items()})
        except ZeroDivisionError:
            raise ValueError("divides by zero") from None
        except OverflowError:
            raise ValueError("computes a number that is too large") from None


def read_condition(text: Any, key_of: Callable[[str], str]) -> Condition:
    """Read a condition; `key_of` gives the dotted key of a name, or raises ValueError.

    Raises ValueError with the problem.
    """
    if not isinstance(text, str):
        raise ValueError(f"must be a condition such as 'batch_size <= n_steps', got {shown(text)}")
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"has more than {MAX_CHARACTERS} characters")
    try:
        root = ast.parse(" ".join(text.split()), mode="eval").body
        names = _names(root, _MAX_LEVELS)
    except (SyntaxError, RecursionError, MemoryError):
        raise ValueError(f"{shown(text)} cannot be read; write it as 'batch_size <= n_steps'") from None
    if not _is_truth(root):
        raise ValueError(f"{shown(text)} compares nothing; write it as 'batch_size <= n_steps'")
    keys = {}
    for name in names:
        try:
            keys[name] = key_of(name)
        except ValueError as exc:
            raise ValueError(f"{shown(text)}: {name}: {exc}") from None
    return Condition(text, keys, root)


def _names(node: ast.expr, levels: int) -> list[str]:
    """The names in an expression, each once. Raises ValueError for what is not in the grammar."""
    if levels == 0:
        raise ValueError(f"is nested deeper than {_MAX_LEVELS} levels")
    match node:
        case ast.Constant(value=bool() | int() | float() | str() | None):
            return []
        case ast.Name() | ast.Attribute():
            name = _dotted(node)
            return [] if name in _WORDS else [name]
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() | ast.Not(), operand=operand):
            below = [operand]
        case ast.BoolOp(values=values):
            below = values
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            below = [left, right]
        case ast.Compare(left=left, ops=ops, comparators=others) if {type(op) for op in ops} <= _COMPARISONS:
            below = [left, *others]
        case _:
            allowed = "keys, numbers, texts, comparisons, and, or, not, + - * / // %"
            raise ValueError(f"contains {_excerpt(node)!r}; a condition has {allowed}")
    return list(dict.fromkeys(name for each in below for name in _names(each, levels - 1)))


def _excerpt(node: ast.expr) -> str:
    return ast.unparse(node)[:40]


def _dotted(node: ast.expr) -> str:
    name = dotted_name(node)
    if name is None:
        raise ValueError(f"contains {_excerpt(node)!r}; a condition has keys such as ppo.ent_coef")
    return name


def _is_truth(node: ast.expr) -> bool:
    """Whether a value of the expression is true or false; a key alone may be."""
    match node:
        case ast.Compare() | ast.Name() | ast.Attribute() | ast.Constant(value=bool()):
            return True
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _is_truth(operand)
        case ast.BoolOp(values=values):
            return all(map(_is_truth, values))
    return False


def _value(node: ast.expr, values: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name() | ast.Attribute():
            name = _dotted(node)
            return _WORDS[name] if name in _WORDS else values[name]
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _truth(operand, values)
        case ast.UnaryOp(op=op, operand=operand):
            number = _number(operand, values)
            return -number if isinstance(op, ast.USub) else number
        case ast.BoolOp(op=op, values=parts):
            return (all if isinstance(op, ast.And) else any)(_truth(part, values) for part in parts)
        case ast.BinOp(left=left, op=op, right=right):
            return _ARITHMETIC[type(op)](_number(left, values), _number(right, values))
        case ast.Compare(left=left, ops=ops, comparators=others):
            pairs = zip([left, *others[:-1]], others, strict=True)
            return all(_compared(op, *pair, values) for op, pair in zip(ops, pairs, strict=True))
    raise AssertionError("an expression that was read holds nothing else")


def _compared(op: ast.cmpop, left: ast.expr, right: ast.expr, values: Mapping[str, Any]) -> bool:
    if type(op) in _EQUALITY:
        return _EQUALITY[type(op)](_value(left, values), _value(right, values))
    return _ORDER[type(op)](_number(left, values), _number(right, values))


def _truth(node: ast.expr, values: Mapping[str, Any]) -> bool:
    value = _value(node, values)
    if not isinstance(value, bool):
        raise ValueError(f"{_excerpt(node)} is {shown(value)}, which is neither true nor false")
    return value


def _number(node: ast.expr, values: Mapping[str, Any]) -> int | float:
    value = _value(node, values)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{_excerpt(node)} is {shown(value)}, which is no number")
    return value
