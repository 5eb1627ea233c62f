"""Take from an error what it gives to paste, and make files of it."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from rlsweep.config.loading import LoadedAgent, load_agent, load_training
from rlsweep.errors import ConfigError


def answer(path: Path, load: Callable[[Path], object] = lambda path: load_agent(path, {}, ())) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert str(caught.value) == "\n\n".join(["\n".join(caught.value.problems), *caught.value.pasted])
    return caught.value


def as_base(path: Path) -> object:
    return load_training(path, ())


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def pasted(error: ConfigError, folder: Path) -> dict[str, Path]:
    """The files that a user makes of an answer's blocks, by name."""
    files = {}
    for block in error.pasted:
        head, _, rest = block.partition("\n")
        name = head.removeprefix("# ")
        if re.fullmatch(r"[\w.]+\.yaml", name):
            files[name] = written(folder, name, rest)
    return files


def pasted_agents(error: ConfigError, folder: Path) -> dict[str, LoadedAgent]:
    return {name: load_agent(path, {}, ()) for name, path in pasted(error, folder).items()}
