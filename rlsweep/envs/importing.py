"""Import modules that users name."""

import importlib
import traceback
from types import ModuleType

from rlsweep.errors import EnvironmentSpecError


def import_named(name: str, env_id: str) -> ModuleType:
    """Import the module of environment `env_id`.

    Raises EnvironmentSpecError if it is not found or its import fails, with the error and its file and line.
    """
    try:
        return importlib.import_module(name)
    except ImportError as exc:
        raise EnvironmentSpecError(
            f"Environment {env_id!r}: module {name!r} cannot be imported ({exc}); install it, or put its folder on "
            f"PYTHONPATH."
        ) from exc
    except Exception as exc:
        raise EnvironmentSpecError(
            f"Environment {env_id!r}: importing module {name!r} fails with {type(exc).__name__}: {exc}{_place(exc)}."
        ) from exc


def _place(exc: Exception) -> str:
    """File and line that raised the error; empty for a SyntaxError, whose message has them."""
    if isinstance(exc, SyntaxError):
        return ""
    frame = traceback.extract_tb(exc.__traceback__)[-1]
    return f" ({frame.filename}, line {frame.lineno})"
