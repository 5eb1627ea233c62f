"""The driver of one sweep: hands what is unfinished to Ray Tune, watches over it, and settles the record.

Postgres is the truth and Tune a disposable scheduler: Tune is told run ids and reports nothing but their ends. Any
driver can be followed by another one, which asks the database what is left.
"""

import logging
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import UUID

import ray
from ray import tune
from ray.tune.experiment import Trial
from ray.tune.search.basic_variant import BasicVariantGenerator
from typing_extensions import override

from rlsweep.errors import StoreUnavailableError
from rlsweep.runs import RunStatus, Sweep, TrainingRun
from rlsweep.store import sweeps, training_runs
from rlsweep.store.database import Database
from rlsweep.sweep.execution import Workplace
from rlsweep.sweep.flags import StopFlag
from rlsweep.sweep.resources import Resources
from rlsweep.sweep.trainable import TrialTrainable

logger = logging.getLogger(__name__)

WATCH_SECONDS = 0.5
"""Between two looks at the record."""

LEASE_SECONDS = 3.0
"""Between two signs of life of the driver."""

RESTARTS = 3
"""How often a trial whose process died is taken up again."""


Watcher = Callable[[Sequence[TrainingRun]], None]


class Driver:
    """Drives one sweep to its end. `run` blocks; `request_stop` may be called from a signal handler or a thread."""

    def __init__(
        self, database: Database, sweep: Sweep, workplace: Workplace, resources: Resources, *, grace_seconds: float
    ) -> None:
        """grace_seconds: how long a trial that was asked to stop may take before its process is killed."""
        self._grace_seconds = grace_seconds
        self._database = database
        self._sweep = sweep
        self._workplace = workplace
        self._resources = resources
        self._name = f"{socket.gethostname()}:{os.getpid()}"
        self._flag = StopFlag(sweep.id)
        self._trials = _StartedTrials()
        self._stop = threading.Event()
        self._stopping_since: dict[UUID, float] = {}

    def request_stop(self) -> None:
        """Ask all trials to end by themselves; those that do not are killed after a grace period."""
        self._stop.set()

    def run(self, watch: Watcher) -> Sweep:
        """Run what is unfinished, calling `watch` at each look at the record; return the sweep as it ended.

        A trial that fails of itself or loses its process for good is on record as failed and disturbs no other.
        A KeyboardInterrupt, which passes through, settles at once what is unfinished as stopped.
        Raises DriverBusyError where another driver holds the sweep.
        """
        sweeps.take_lease(self._database, self._sweep.id, self._name)
        try:
            unfinished = [run for run in self._runs() if not run.status.is_finished]
            if unfinished:
                self._run_trials(unfinished, watch)
            return sweeps.settle(self._database, self._sweep.id)
        except KeyboardInterrupt:
            # Their processes end with Ray; until then the database refuses what they send.
            sweeps.request_stop(self._database, self._sweep.id)
            self._settle_unfinished()
            sweeps.settle(self._database, self._sweep.id)
            raise
        finally:
            self._flag.lower()
            sweeps.release(self._database, self._sweep.id, self._name)

    def _run_trials(self, runs: Sequence[TrainingRun], watch: Watcher) -> None:
        folder = Path(tempfile.mkdtemp(prefix="rlsweep-tune-"))
        fit = _Fit(self._tuner(runs, folder))
        fit.start()
        try:
            self._watch_over(fit, watch)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        self._settle_unfinished()
        watch(self._runs())
        if fit.error is not None:
            raise fit.error

    def _settle_unfinished(self) -> None:
        """Put the end of every run on record whose process left without a word."""
        for run in self._runs():
            if not run.status.is_finished:
                training_runs.fail_lost(self._database, run.id, self._trials.reason(run.id))

    def _watch_over(self, fit: "_Fit", watch: Watcher) -> None:
        last_sign = time.monotonic()
        while not fit.wait(WATCH_SECONDS):
            try:
                if self._stop.is_set() and not self._flag.is_raised():
                    self._flag.raise_()
                    sweeps.request_stop(self._database, self._sweep.id)
                if time.monotonic() - last_sign >= LEASE_SECONDS:
                    last_sign = time.monotonic()
                    sweeps.renew_lease(self._database, self._sweep.id, self._name)
                runs = self._runs()
            except StoreUnavailableError as error:
                logger.warning("%s", error)
                continue
            self._kill_overdue(runs)
            watch(runs)

    def _kill_overdue(self, runs: Sequence[TrainingRun]) -> None:
        now = time.monotonic()
        for run in runs:
            if not run.stop_requested or run.status is not RunStatus.RUNNING:
                continue
            since = self._stopping_since.setdefault(run.id, now)
            if now - since >= self._grace_seconds:
                logger.warning("%s did not end within %.0f s: its process is killed", run.label, self._grace_seconds)
                self._trials.kill(run.id)

    def _runs(self) -> list[TrainingRun]:
        return training_runs.of_sweep(self._database, self._sweep.id)

    def _tuner(self, runs: Sequence[TrainingRun], folder: Path) -> tune.Tuner:
        trainable = tune.with_resources(
            tune.with_parameters(TrialTrainable, workplace=self._workplace, flag=self._flag),
            tune.PlacementGroupFactory([self._resources.bundle]),
        )
        return tune.Tuner(
            trainable,
            param_space={"run_id": None},
            tune_config=tune.TuneConfig(
                num_samples=len(runs),
                search_alg=BasicVariantGenerator(
                    points_to_evaluate=[{"run_id": str(run.id)} for run in runs],
                    max_concurrent=self._resources.max_concurrent or 0,
                ),
                reuse_actors=True,
            ),
            run_config=tune.RunConfig(
                name=str(self._sweep.id),
                storage_path=str(folder),
                failure_config=tune.FailureConfig(max_failures=RESTARTS),
                # Checkpoints are the trainer's own; Tune would otherwise save the trainable when it is done.
                checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=0, checkpoint_at_end=False),
                callbacks=[self._trials],
                verbose=0,
            ),
        )


class _Fit(threading.Thread):
    """`Tuner.fit` in a thread, so that the main thread can watch, answer signals, and leave whatever Tune does."""

    def __init__(self, tuner: tune.Tuner) -> None:
        super().__init__(name="tune", daemon=True)
        self.error: Exception | None = None
        self._tuner = tuner

    def run(self) -> None:
        try:
            self._tuner.fit()
        except Exception as error:  # noqa: BLE001 - raised again in the main thread
            self.error = error

    def wait(self, seconds: float) -> bool:
        """Whether it ended within the time."""
        self.join(seconds)
        return not self.is_alive()


class _StartedTrials(tune.Callback):
    """Knows Tune's trial of each run, to kill its actor and to tell why its process died."""

    def __init__(self) -> None:
        self._by_run: dict[UUID, Trial] = {}

    @override
    def on_trial_start(self, iteration: int, trials: list[Trial], trial: Trial, **info: object) -> None:
        self._by_run[UUID(trial.config["run_id"])] = trial

    def kill(self, run_id: UUID) -> None:
        """End the process of a trial, whatever it does."""
        trial = self._by_run.get(run_id)
        actor = None if trial is None else trial.temporary_state.ray_actor
        if actor is not None:
            ray.kill(actor)

    def reason(self, run_id: UUID) -> str:
        """Why the trial of a run left nothing on its record."""
        trial = self._by_run.get(run_id)
        if trial is None:
            return "The trial was never started: the driver ended before its turn."
        details = (trial.error_file and Path(trial.error_file).is_file()) and Path(trial.error_file).read_text()
        return f"The trial's process died, {RESTARTS + 1} times.\n{details or ''}".rstrip()
