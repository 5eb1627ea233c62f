"""Errors of the user's environment, with the file and line of the user's own code."""

import functools
import inspect
import os
import re
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from rlsweep.errors import EnvironmentSpecError, EnvironmentStateError, printable_line

USER_ERRORS = (Exception, SystemExit)
"""What an environment may raise; SystemExit too, because `sys.exit` in an environment must not end a worker."""

OURS = f"{Path(__file__).parents[1]}{os.sep}"
"""Start of the path of each of rlsweep's files."""

_STANDARD_LIBRARY = f"{Path(os.__file__).parent}{os.sep}"
_PACKAGES = r"/(?:site|dist)-packages/"
_LIBRARIES = ("gymnasium", "pettingzoo", "numpy", "stable_baselines3", "sb3_contrib")


def cannot_be_made(
    env_id: str, kwargs: dict[str, Any], exc: BaseException, constructor: Any = None
) -> EnvironmentSpecError:
    """The error for a constructor that fails."""
    place = "" if place_of(exc) or constructor is None else place_of_function(constructor, "__init__")
    return EnvironmentSpecError(f"Environment {env_id!r} cannot be made with kwargs {kwargs}: {raised(exc)}{place}.")


def fails_in(env_id: str, function: str, exc: BaseException, env: Any = None) -> EnvironmentStateError:
    """The error for an exception of the environment's `function`, such as `step`."""
    place = "" if place_of(exc) or env is None else place_of_function(env, function)
    return EnvironmentStateError(f"Environment {env_id!r}: {function} raises {raised(exc)}{place}.")


def raised(exc: BaseException) -> str:
    """An exception in one line, with the user's file and line: `ValueError: no board (game.py, line 3)`."""
    text = printable_line(str(exc)).removesuffix(".")
    return f"{type(exc).__name__}{': ' if text else ''}{text}{place_of(exc)}"


def place_of(exc: BaseException) -> str:
    """The innermost line of the user's code that the exception passed, as ` (file, line 3)`.

    If it passed none, the innermost line of an installed package. Empty if only rlsweep and the libraries below
    environments raised it, and for a SyntaxError, whose message has file and line.
    """
    if isinstance(exc, SyntaxError):
        return ""
    frames = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(exc.__traceback__)]
    outside = [frame for frame in frames if not _is_of_library(frame[0])]
    own = [frame for frame in outside if is_users_own(frame[0])]
    found = (own or outside)[-1:]
    return f" ({found[0][0]}, line {found[0][1]})" if found else ""


def is_raised_by_user(exc: BaseException) -> bool:
    """Whether the exception passed code other than rlsweep's and the libraries' below environments."""
    return any(not _is_of_library(file) for file in _files(exc.__traceback__))


def is_users_own(file: str) -> bool:
    """Whether code lies in none of: rlsweep, Python's standard library, installed packages."""
    return not _is_of_library(file) and not _is_installed(file)


def place_of_function(env: object, name: str) -> str:
    """Where the method or property `name` of an environment is written, as ` (file, line 3)`; empty if unknown.

    Of wrappers, the outermost one that is not Gymnasium's counts. The class stands for a method that it lacks.
    """
    for layer in layers_of(env):
        for owner in (layer, type(layer)):  # an instance may have a function that a check put there
            function = inspect.getattr_static(owner, name, None)
            if isinstance(function, property):
                function = function.fget
            elif isinstance(function, functools.cached_property):
                function = function.func
            code = getattr(getattr(function, "__func__", function), "__code__", None)
            if code is not None and not _is_of_library(code.co_filename):
                return f" ({code.co_filename}, line {code.co_firstlineno})"
    return next((place for layer in layers_of(env) if (place := _place_of_class(layer))), "")


def layers_of(env: Any) -> Iterator[Any]:
    """The environment's wrappers from the outside inwards, and the environment itself."""
    yield env
    while (inner := inspect.getattr_static(env, "env", None)) is not None and not isinstance(inner, property):
        env = inner
        yield env


def _place_of_class(layer: object) -> str:
    kind = layer if isinstance(layer, type) else type(layer)
    try:
        file, (_, line) = inspect.getsourcefile(kind), inspect.getsourcelines(kind)
    except (OSError, TypeError):  # of built-in classes and those without a file
        return ""
    return "" if file is None or _is_of_library(file) else f" ({file}, line {line})"


def _files(trace: TracebackType | None) -> Iterator[str]:
    while trace is not None:
        yield trace.tb_frame.f_code.co_filename
        trace = trace.tb_next


def _is_of_library(file: str) -> bool:
    if file.startswith((OURS, "<")):
        return True
    if _is_installed(file):
        return re.split(_PACKAGES, file)[-1].partition("/")[0] in _LIBRARIES
    return file.startswith(_STANDARD_LIBRARY)


def _is_installed(file: str) -> bool:
    return re.search(_PACKAGES, file) is not None
