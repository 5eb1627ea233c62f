"""Configs given as dicts: convert one to the values that a config file with the same content has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from os import PathLike, fspath
from typing import Any

from rlsweep.config.limits import MAX_DEPTH, MAX_TOLD, MAX_VALUES
from rlsweep.config.reading import value_problems
from rlsweep.config.stepped import takes_whole_keys
from rlsweep.errors import ConfigError


@dataclass(frozen=True, slots=True)
class GivenConfig:
    """A config given as a dict.

    name: its name in messages, such as `configs[0]`
    data: its content as JSON types
    """

    name: str
    data: dict[str, Any]

    def __str__(self) -> str:
        return self.name


def given_config(data: Mapping[str, Any], *, name: str) -> GivenConfig:
    """Convert a dict to a config: classes become `module:Class`, NumPy's numbers Python's, tuples lists.

    Raises ConfigError for values that a config file cannot contain, each with its key.
    """
    reader = _Reader()
    plain = reader.read(data, "", 1)
    problems = reader.problems[:MAX_TOLD] or value_problems(plain)
    if problems:
        raise ConfigError(*(f"{name}: {problem}" for problem in problems))
    assert isinstance(plain, dict)
    return GivenConfig(name, plain)


def class_id(environment: type) -> str:
    """The id `module:Class` of an environment class.

    Raises ValueError for a class that other processes cannot import: one defined in a notebook, a script or a function.
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


class _Reader:
    """Converts values to JSON types, and collects those that cannot be converted, with their keys."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._values = 0

    def read(self, value: Any, key: str, depth: int) -> Any:
        """Return the value as JSON types, truncated beyond the limits; `value_problems` then reports its size."""
        self._values += 1
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return str(value)
        if isinstance(value, Integral):
            return int(value)
        if isinstance(value, Real):
            return float(value)
        if isinstance(value, PathLike):
            return fspath(value)
        if isinstance(value, type):
            return self._class(value, key)
        is_text = isinstance(value, bytes | bytearray)
        if isinstance(value, Mapping | Sequence) and not is_text:
            if depth > MAX_DEPTH or self._values > MAX_VALUES:
                return None
            return self._mapping(value, key, depth) if isinstance(value, Mapping) else self._list(value, key, depth)
        found = "bytes" if is_text else f"{type(value).__module__}.{type(value).__name__}"
        self.problems.append(f"{key}: must be a number, text, true or false, a list or a mapping, got {found}")
        return None

    def _class(self, environment: type, key: str) -> str | None:
        try:
            return class_id(environment)
        except ValueError as error:
            self.problems.append(f"{key}: {error}")
            return None

    def _list(self, values: Sequence[Any], key: str, depth: int) -> list[Any]:
        return [self.read(value, f"{key}[{index}]", depth + 1) for index, value in enumerate(values)]

    def _mapping(self, data: Mapping[Any, Any], key: str, depth: int) -> dict[str, Any]:
        plain = {}
        for name, value in data.items():
            is_step = isinstance(name, Integral) and not isinstance(name, bool) and takes_whole_keys(key)
            if isinstance(name, str) or is_step:
                plain[str(name)] = self.read(value, f"{key}.{name}" if key else name, depth + 1)
            else:
                self.problems.append(f"{key or 'the config'}: a key must be text, got {name!r:.60}")
        return plain
