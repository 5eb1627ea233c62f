"""One training run on record: `rlsweep.run`."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from rlsweep.api.annotations import Annotated
from rlsweep.api.opening import database_of
from rlsweep.api.settling import settle_all_abandoned
from rlsweep.runs import Checkpoint, RunStatus, TrainingRun
from rlsweep.settings import Settings
from rlsweep.store import curves, training_runs

if TYPE_CHECKING:
    import pyarrow as pa

    from rlsweep.reports.comparison import Comparison
    from rlsweep.reports.diagnosis import RunDiagnosis
    from rlsweep.reports.run_scores import RunScore


class Run(Annotated):
    """One training run on record. Each call reads the record anew.

    Tables are Arrow's, `.to_pandas()` gives a data frame; what a column holds stands in its field's metadata.
    Every call may raise StoreUnavailableError, and NotFoundError once the run is deleted.
    """

    def __init__(self, record: TrainingRun, settings: Settings) -> None:
        self.id: UUID = record.id
        self.label: str = record.label
        self._settings = settings

    def __repr__(self) -> str:
        return f"<Run {str(self.id)[:8]}: {self.label}>"

    @property
    def record(self) -> TrainingRun:
        """Everything that is known of the run: config, status, counters, means over the last 100 episodes, error."""
        return training_runs.get(database_of(self._settings), self.id)

    @property
    def status(self) -> RunStatus:
        """Pending, running, paused, completed, stopped or failed."""
        return self.record.status

    @property
    def agent_config(self) -> dict[str, Any]:
        """The agent config that it learns with, complete; `rlsweep.train` takes it."""
        config: dict[str, Any] = self.record.config["agent"]
        return config

    @property
    def training_config(self) -> dict[str, Any]:
        """The base config that it is trained under, complete; `rlsweep.train` takes it as `base_config`."""
        config: dict[str, Any] = self.record.config["training"]
        return config

    def episodes(self) -> "pa.Table":
        """A row a finished episode: reward, length in env steps, outcome, and when it ended."""
        from rlsweep.reports.tables import episodes_table

        return episodes_table(database_of(self._settings), [self.record])

    def updates(self) -> "pa.Table":
        """A row a policy update: losses, entropy and KL in nats, explained variance, env steps a second."""
        from rlsweep.reports.tables import updates_table

        return updates_table(database_of(self._settings), [self.record])

    def evaluations(self) -> "pa.Table":
        """A row an evaluation of the deterministic policy."""
        from rlsweep.reports.tables import evaluations_table

        return evaluations_table(database_of(self._settings), [self.record])

    def checkpoints(self) -> list[Checkpoint]:
        """The checkpoints whose files are kept, oldest first."""
        return curves.checkpoints_of(database_of(self._settings), self.id)

    @property
    def score(self) -> "RunScore | None":
        """Its score, with what that is in words; None before it has an episode."""
        from rlsweep.reports.run_scores import run_scores

        return run_scores(database_of(self._settings), [self.record]).get(self.id)

    def diagnosis(self) -> "RunDiagnosis":
        """What is wrong with its training, as far as KL, entropy and the other values of its updates show it."""
        from rlsweep.reports.diagnosis import run_diagnosis

        return run_diagnosis(database_of(self._settings), self.record)

    def report(self) -> "Comparison":
        """What the run's results show, as a sweep's report says it of each config."""
        from rlsweep.reports.summary import compare

        return compare(database_of(self._settings), [self.record])


def run(reference: str | UUID, *, settings: Settings | None = None) -> Run:
    """The training run of that id, or of the only id that starts so (4 hex digits or more).

    settings: where the record lies; by default what the RLSWEEP_* variables say now

    Raises NotFoundError, UnreachableError where the database does not answer.

    >>> import rlsweep
    >>> best = rlsweep.sweep("calibration").report().configs[0].seeds[0]
    >>> run = rlsweep.run(best.run_id)
    >>> run
    <Run ...: ppo_agent_lr_high seed 0>
    >>> run.episodes().to_pandas().reward.tail(100).mean().item() == run.record.mean_reward
    True
    >>> run.score.definition
    'training reward, mean of the last fifth'
    """
    settings = settings or Settings.from_environ()
    database = database_of(settings)
    settle_all_abandoned(database)
    return Run(training_runs.get(database, reference), settings)
