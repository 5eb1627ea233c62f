"""What the call of a command came with: its environment variables and the settings that they make."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from rlsweep.settings import Settings

_environ: ContextVar[Mapping[str, str]] = ContextVar("environ", default=os.environ)
_debug: ContextVar[bool] = ContextVar("debug", default=False)


@contextmanager
def called_with(environ: Mapping[str, str], *, debug: bool) -> Iterator[None]:
    """The environment variables of the call, and whether it came with --debug, while the context lasts."""
    of_environ, of_debug = _environ.set(environ), _debug.set(debug)
    try:
        yield
    finally:
        _environ.reset(of_environ)
        _debug.reset(of_debug)


def debug() -> bool:
    """Whether tracebacks are wanted."""
    return _debug.get()


def add_defaults(variables: Mapping[str, str]) -> None:
    """Variables for the rest of the call; those that it came with win."""
    _environ.set({**variables, **_environ.get()})


def environ() -> Mapping[str, str]:
    """The environment variables of this call, those of the file of --settings included."""
    return _environ.get()


def settings() -> Settings:
    """The settings of this call. Raises InputError where they cannot be used."""
    return Settings.from_environ(environ())
