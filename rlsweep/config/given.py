"""Configs given as Python values: a dict becomes what a config file with the same content would be read as."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from os import PathLike, fspath
from typing import Any

from rlsweep.config.limits import MAX_DEPTH, MAX_TOLD
from rlsweep.config.reading import value_problems
from rlsweep.errors import ConfigError


@dataclass(frozen=True, slots=True)
class GivenConfig:
    """A config that was given as a dict.

    name: what messages call it, such as `configs[0]`
    data: its content as JSON's types
    """

    name: str
    data: dict[str, Any]

    def __str__(self) -> str:
        return self.name


def given_config(data: Mapping[str, Any], *, name: str) -> GivenConfig:
    """Take a dict as a config. Classes become their `module:Class`, NumPy's numbers Python's, tuples lists.

    Raises ConfigError for values that no config file could hold, each with its key.
    """
    problems: list[str] = []
    plain = _plain(data, "", 1, problems)
    problems = problems or value_problems(plain)
    if problems:
        raise ConfigError(*(f"{name}: {problem}" for problem in problems[:MAX_TOLD]))
    assert isinstance(plain, dict)
    return GivenConfig(name, plain)


def class_id(environment: type) -> str:
    """The id of an environment given by its class, `module:Class`.

    Raises ValueError for a class that no other process can import: one made in a notebook, a script or a function.
    """
    module, name = environment.__module__, environment.__qualname__
    if module == "__main__":
        raise ValueError(
            f"class {name} is defined in a notebook or script, which trials cannot import; write it to a file such as "
            f"my_env.py beside it, and import it: from my_env import {name}"
        )
    if "<locals>" in name:
        raise ValueError(
            f"class {name} is defined in a function, which trials cannot import; move it to the top level of a module"
        )
    return f"{module}:{name}"


def _plain(value: Any, key: str, depth: int, problems: list[str]) -> Any:
    """The value as JSON's types; what is none is noted under its key, at most MAX_TOLD times."""
    if depth > MAX_DEPTH or len(problems) >= MAX_TOLD:  # deeper levels are a problem of `value_problems`
        return value if isinstance(value, dict | list) else None
    if value is None or isinstance(value, bool | str):
        return str(value) if isinstance(value, str) else value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    if isinstance(value, Mapping):
        return _plain_mapping(value, key, depth, problems)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [_plain(child, f"{key}[{index}]", depth + 1, problems) for index, child in enumerate(value)]
    if isinstance(value, PathLike):
        return fspath(value)
    if isinstance(value, type):
        try:
            return class_id(value)
        except ValueError as error:
            problems.append(f"{key}: {error}")
            return None
    found = "bytes" if isinstance(value, bytes | bytearray) else f"{type(value).__module__}.{type(value).__name__}"
    problems.append(f"{key}: must be a number, text, true or false, a list or a mapping, got {found}")
    return None


def _plain_mapping(data: Mapping[Any, Any], key: str, depth: int, problems: list[str]) -> dict[str, Any]:
    plain = {}
    for name, value in data.items():
        if isinstance(name, str):
            plain[str(name)] = _plain(value, f"{key}.{name}" if key else name, depth + 1, problems)
        else:
            problems.append(f"{key or 'the config'}: a key must be text, got {name!r:.60}")
    return plain
