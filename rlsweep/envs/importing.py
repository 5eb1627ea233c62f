"""Import modules that users name."""

import importlib
import traceback
from types import ModuleType
from typing import Any

from rlsweep.config.nearest import suggestion
from rlsweep.errors import EnvironmentSpecError


def find_named(reference: str, where: str) -> Any:
    """The class, or any callable, that `module:Class` names; `where` begins the messages.

    Raises EnvironmentSpecError as `import_named` does, and if the module has no such class.
    """
    module_name, _, class_name = reference.partition(":")
    found: Any = import_named(module_name, where)
    for name in class_name.split("."):
        if not hasattr(found, name):
            hint = suggestion(name, vars(found)) or "."
            raise EnvironmentSpecError(f"{where}: {module_name!r} has no {class_name!r}{hint}")
        found = getattr(found, name)
    return found


def import_named(name: str, where: str) -> ModuleType:
    """Import a module; `where` begins the messages, such as `Environment 'my_env:Env'`.

    Raises EnvironmentSpecError if it is not found or its import fails, with the error and its file and line.
    """
    try:
        return importlib.import_module(name)
    except ImportError as exc:
        raise EnvironmentSpecError(
            f"{where}: module {name!r} cannot be imported ({exc}); install it, or put its folder on PYTHONPATH."
        ) from exc
    except Exception as exc:
        raise EnvironmentSpecError(
            f"{where}: importing module {name!r} fails with {type(exc).__name__}: {exc}{_place(exc)}."
        ) from exc


def _place(exc: Exception) -> str:
    """File and line that raised the error; empty for a SyntaxError, whose message has them."""
    if isinstance(exc, SyntaxError):
        return ""
    frame = traceback.extract_tb(exc.__traceback__)[-1]
    return f" ({frame.filename}, line {frame.lineno})"
