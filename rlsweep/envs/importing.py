"""Import modules that users name."""

import importlib
from types import ModuleType
from typing import Any

from rlsweep.config.nearest import suggestion
from rlsweep.envs.user_code import USER_ERRORS, place_of, raised
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
        if exc.name == "gym":
            raise EnvironmentSpecError(
                f"{where}: module {name!r} imports the old gym{place_of(exc)}, which is not installed; "
                f"move to its successor with import gymnasium as gym."
            ) from exc
        raise EnvironmentSpecError(
            f"{where}: module {name!r} cannot be imported ({exc}{place_of(exc)}); install it, or put "
            f"its folder on PYTHONPATH."
        ) from exc
    except USER_ERRORS as exc:
        raise EnvironmentSpecError(f"{where}: importing module {name!r} fails with {raised(exc)}.") from exc
