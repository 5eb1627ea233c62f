"""The agent configs of a sweep as its record has them, and as files."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from rlsweep.api.opening import database_of
from rlsweep.api.references import find_sweep
from rlsweep.config.agent import AgentConfig
from rlsweep.config.differences import HASH_DIGITS, differing_keys, flat_record
from rlsweep.config.foreign.blocks import file_of
from rlsweep.config.promotion import fresh_text, write_all_new
from rlsweep.settings import Settings

if TYPE_CHECKING:
    from rlsweep.runs import TrainingRun


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedConfig:
    """An agent config of a sweep.

    config: its short name
    path: of the file that it was read from; None if it was drawn from a search space, or given as a dict
    differing: dotted key → value, for the hyperparameters in which the sweep's configs differ
    runs: its training runs, one a seed
    written: the file that was written now; None where none was
    """

    config: str
    config_hash: str
    path: str | None
    differing: dict[str, Any]
    runs: tuple[UUID, ...]
    written: Path | None = None


def configs_of(reference: str, settings: Settings, *, folder: Path | None = None) -> tuple[str, list[RecordedConfig]]:
    """The name of a sweep, and its configs in the order of its plan.

    folder: write each config there, whole, as a file named after it; none may exist yet

    Raises NotFoundError; InputError, with nothing written, where a file exists or the folder cannot be written.
    """
    from rlsweep.store import training_runs

    database = database_of(settings)
    sweep = find_sweep(database, reference)
    runs: dict[tuple[str, str], list[TrainingRun]] = {}
    for run in training_runs.of_sweep(database, sweep.id):
        runs.setdefault((run.config_short_name, run.config_hash), []).append(run)
    differing = differing_keys({key: flat_record(same[0].config["agent"]) for key, same in runs.items()})
    files = {} if folder is None else _files(folder, [same[0] for same in runs.values()])
    if folder is not None:
        texts = {files[key]: fresh_text(_agent(same[0])) for key, same in runs.items()}
        write_all_new(texts, elsewhere="Name another folder with --write.")
    return sweep.name, [
        RecordedConfig(
            config=key[0],
            config_hash=key[1],
            path=same[0].config_path,
            differing={name: values[key] for name, values in differing.items()},
            runs=tuple(run.id for run in same),
            written=files.get(key),
        )
        for key, same in runs.items()
    ]


def _files(folder: Path, runs: "list[TrainingRun]") -> dict[tuple[str, str], Path]:
    """The file of each config: its usual name, with a part of its hash where several would have the same."""
    names = [file_of(run.config["agent"]) for run in runs]
    found = {}
    for run, name in zip(runs, names, strict=True):
        path = folder / name
        if names.count(name) > 1:
            path = path.with_name(f"{path.stem}_{run.config_hash[:HASH_DIGITS]}{path.suffix}")
        found[run.config_short_name, run.config_hash] = path
    return found


def _agent(run: "TrainingRun") -> AgentConfig:
    from rlsweep.config.run import RunConfig

    return RunConfig.from_record(run.config).agent
