"""Read the Python expressions that rl-zoo's files contain as text, such as `dict(net_arch=[64], ortho_init=False)`."""

import ast
from typing import Any

from rlsweep.config.dotted import dotted_name
from rlsweep.config.limits import MAX_DEPTH

MAX_CHARACTERS = 4000
"""Of an expression. rl-zoo's have a few hundred."""


def literal(text: str) -> Any:
    """Return the value of a literal, in which `dict(key=value)` is a dict and a name such as `nn.ReLU` is its text.

    Nothing is evaluated. Raises ValueError for any other expression, and for one that is too long or nested too deep.
    """
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"has more than {MAX_CHARACTERS} characters")
    try:
        return _value(ast.parse(" ".join(text.split()), mode="eval").body, MAX_DEPTH)
    except (SyntaxError, RecursionError, MemoryError) as exc:
        raise ValueError("is no Python literal") from exc


def _value(node: ast.expr, levels: int) -> Any:
    """The value of an expression of at most `levels` levels."""
    if levels == 0:
        raise ValueError(f"is nested deeper than {MAX_DEPTH} levels")
    match node:
        case ast.Constant(value=bool() | int() | float() | str() | None as value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -value
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            return [_value(each, levels - 1) for each in elements]
        case ast.Dict(keys=keys, values=values):
            return {_key(key): _value(value, levels - 1) for key, value in zip(keys, values, strict=True)}
        case ast.Call(func=ast.Name(id="dict"), args=[], keywords=keywords):
            return {_name(each.arg): _value(each.value, levels - 1) for each in keywords}
        case ast.Name() | ast.Attribute():
            return _dotted(node)
    raise ValueError(f"contains more than literals: {ast.unparse(node)[:60]}")


def _key(node: ast.expr | None) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    raise ValueError("has a key that is no text")


def _name(name: str | None) -> str:
    if name is None:
        raise ValueError("contains more than literals: **")
    return name


def _dotted(node: ast.expr) -> str:
    name = dotted_name(node)
    if name is None:
        raise ValueError("contains more than literals")
    return name
