"""Sweeps on record: `rlsweep.sweep` and `rlsweep.sweeps`."""

from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from rlsweep import sweep_records
from rlsweep.api.annotations import Annotated
from rlsweep.api.opening import database_of
from rlsweep.api.references import find_sweep
from rlsweep.api.settling import settle_all_abandoned
from rlsweep.reports.formats import ExportFormat
from rlsweep.runs import TrainingRun
from rlsweep.settings import Settings
from rlsweep.store import sweeps as store
from rlsweep.store import training_runs

if TYPE_CHECKING:
    import pyarrow as pa

    from rlsweep.reports.diagnosis import SweepDiagnosis
    from rlsweep.reports.importance import Importance
    from rlsweep.reports.prospects import Prospects
    from rlsweep.reports.race_answer import RaceAnswer
    from rlsweep.reports.shorter_sweep import ShorterSweep
    from rlsweep.reports.summary import SweepReport


class Sweep(Annotated):
    """One sweep on record. Each call reads the record anew, so that a sweep that still runs can be watched.

    Tables are Arrow's, `.to_pandas()` gives a data frame; what a column holds stands in its field's metadata. They are
    joined by `run_id`, which `rlsweep.run` takes. Every call may raise StoreUnavailableError, and NotFoundError once
    the sweep is deleted.
    """

    def __init__(self, record: sweep_records.Sweep, settings: Settings) -> None:
        self.id: UUID = record.id
        self.name: str = record.name
        self._settings = settings

    def __repr__(self) -> str:
        return f"<Sweep {self.name} ({str(self.id)[:8]})>"

    @property
    def record(self) -> sweep_records.Sweep:
        """Everything that is known of the sweep: budget, seeds, base config, versions, who drives it."""
        return store.get(database_of(self._settings), self.id)

    @property
    def status(self) -> sweep_records.SweepStatus:
        """Pending, running, completed, stopped or failed."""
        return self.record.status

    def runs(self) -> "pa.Table":
        """A row a training run, in the order of the plan: status, counters, score, and every hyperparameter."""
        from rlsweep.reports.tables import runs_table

        return runs_table(database_of(self._settings), self._runs())

    def episodes(self) -> "pa.Table":
        """A row a finished episode of any run: reward, length in env steps, outcome, and when it ended."""
        from rlsweep.reports.tables import episodes_table

        return episodes_table(database_of(self._settings), self._runs())

    def updates(self) -> "pa.Table":
        """A row a policy update: losses, entropy and KL in nats, explained variance, env steps a second."""
        from rlsweep.reports.tables import updates_table

        return updates_table(database_of(self._settings), self._runs())

    def evaluations(self) -> "pa.Table":
        """A row an evaluation of a deterministic policy."""
        from rlsweep.reports.tables import evaluations_table

        return evaluations_table(database_of(self._settings), self._runs())

    def report(self) -> "SweepReport":
        """What the sweep's results show: configs best first, with intervals, verdicts, signs and next steps.

        One that still runs is judged by what it has recorded so far.
        """
        from rlsweep.reports.summary import summarise

        return summarise(database_of(self._settings), self.record)

    def answer(self) -> "RaceAnswer | None":
        """What a race says: which config to take, why, with what risk, at what cost; None if it is no race.

        One that still runs is answered as of its newest decision; None before the first.
        """
        return self.report().race

    def prospects(self) -> "Prospects":
        """What more training would buy: the chance of a safe answer by time, for several ways to go on.

        Of a sweep that still trains, and where the record shows too little, `.text` says so and `.ways` is empty.
        """
        from rlsweep.reports.prospects import prospects

        return prospects(database_of(self._settings), self.record)

    def diagnosis(self) -> "SweepDiagnosis":
        """What is wrong with the training of each config, as far as the values of its updates show it."""
        from rlsweep.reports.diagnosis import sweep_diagnosis

        return sweep_diagnosis(database_of(self._settings), self._runs())

    def shorter(self) -> "ShorterSweep":
        """Whether a shorter sweep would have said the same: ranks at shares of the budget, and sentences."""
        from rlsweep.reports.shorter_sweep import shorter_sweep

        return shorter_sweep(database_of(self._settings), self.record)

    def importance(self) -> "Importance":
        """Which hyperparameters moved the score, each with its share and range, and the belief of each config's score.

        Of a sweep that still trains, and of fewer than 12 configs, `.text` says so and `.keys` is empty.
        """
        from rlsweep.reports.importance import importance

        return importance(database_of(self._settings), self.record)

    def export(self, folder: str | Path, file_format: ExportFormat = ExportFormat.CSV) -> tuple[Path, ...]:
        """Write the four tables into the folder, made if need be, as CSV or Parquet; return the files.

        Raises InputError where the folder cannot be written.
        """
        from rlsweep.reports.export import export

        return export(database_of(self._settings), self.record, file_format, Path(folder))

    def _runs(self) -> list[TrainingRun]:
        return training_runs.of_sweep(database_of(self._settings), self.record.id)


def sweep(reference: str | UUID = "latest", *, settings: Settings | None = None) -> Sweep:
    """The sweep of that name, id or start of an id (4 hex digits or more); `latest` is the newest.

    settings: where the record lies; by default what the RLSWEEP_* variables say now

    Raises NotFoundError, UnreachableError where the database does not answer.

    >>> import rlsweep
    >>> sweep = rlsweep.sweep("calibration")
    >>> sweep.status
    <SweepStatus.COMPLETED: 'completed'>
    >>> sweep.runs().to_pandas()[["config_short_name", "seed", "status", "episodes"]]
       config_short_name  seed     status  episodes
    0       ppo_agent_v1     0  completed       400
    1       ppo_agent_v1     1  completed       400
    2  ppo_agent_lr_high     0  completed       400
    3  ppo_agent_lr_high     1  completed       400
    >>> sweep.episodes().field("reward").metadata[b"doc"].decode()
    "undiscounted sum of the environment's own rewards"
    """
    settings = settings or Settings.from_environ()
    database = database_of(settings)
    settle_all_abandoned(database)
    return Sweep(find_sweep(database, str(reference)), settings)


def sweeps(limit: int = 20, *, settings: Settings | None = None) -> list[Sweep]:
    """The newest sweeps, newest first. Raises UnreachableError where the database does not answer."""
    settings = settings or Settings.from_environ()
    database = database_of(settings)
    settle_all_abandoned(database)
    return [Sweep(listed.sweep, settings) for listed in store.list_recent(database, limit)]
