"""Names with dots in a syntax tree of Python, such as `ppo.ent_coef`."""

import ast


def dotted_name(node: ast.expr) -> str | None:
    """Return the text of a name, or of a name with attributes; None for any other expression."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(names)]) if isinstance(node, ast.Name) else None
