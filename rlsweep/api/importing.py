"""Files of other tools, written as ours: what `rlsweep import` does."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from rlsweep.config.promotion import write_all_new
from rlsweep.config.reading import read_any_file
from rlsweep.errors import ConfigError
from rlsweep.spaces.foreign.importing import Imported, import_data


@dataclass(frozen=True, kw_only=True, slots=True)
class Import:
    """A file of another tool as files of ours.

    files: text by path; they are written if a folder was given
    left_out: what could not be translated, with the reason, by its name there
    changed: what is not quite the same here, likewise
    command: what to type next
    """

    files: dict[Path, str]
    left_out: dict[str, str]
    changed: dict[str, str]
    command: str


def import_file(path: Path, *, folder: Path | None = None) -> Import:
    """Translate a sweep file of W&B, hyperparameters of rl-zoo, or distributions of Optuna.

    folder: write the files there; none may exist yet

    Raises ConfigError for a file that cannot be read or translated; InputError, with nothing written, where a file
    exists or the folder cannot be written.
    """
    try:
        found = import_data(read_any_file(path, kind="Imported"), path.stem)
    except ConfigError as exc:
        named = [problem if str(path) in problem else f"{path}: {problem}" for problem in exc.problems]
        raise ConfigError(*named) from exc
    into = folder or Path()
    files = {into / name: text for name, text in found.files.items()}
    if folder is not None:
        write_all_new(files, elsewhere="Name another folder with --write.")
    return Import(files=files, left_out=found.left_out, changed=found.changed, command=_with_paths(found, into))


def _with_paths(found: Imported, folder: Path) -> str:
    """The command with the paths of the files."""
    words = shlex.split(found.command)
    return shlex.join([str(folder / word) if word in found.files else word for word in words])
