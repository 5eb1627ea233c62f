"""The driver of one sweep: hands what is unfinished to Ray Tune, watches over it, and settles the record.

Postgres is the truth and Tune a disposable scheduler: Tune is told run ids and reports nothing but their ends. Any
driver can be followed by another one, which asks the database what is left.
"""

import logging
import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import UUID

from rlsweep.errors import StoreUnavailableError
from rlsweep.runs import RunStatus, Sweep, TrainingRun
from rlsweep.store import sweeps, training_runs
from rlsweep.store.database import Database
from rlsweep.sweep.execution import Workplace
from rlsweep.sweep.flags import StopFlag
from rlsweep.sweep.resources import Resources
from rlsweep.sweep.trainable import TrialTrainable
from rlsweep.sweep.tuning import Fit, LiveTrials

logger = logging.getLogger(__name__)

WATCH_SECONDS = 0.5
"""Between two looks at the record."""

LEASE_SECONDS = 3.0
"""Between two signs of life of the driver."""

Watcher = Callable[[Sequence[TrainingRun]], None]


class Driver:
    """Drives one sweep to its end. `run` blocks; `request_stop` may be called from a signal handler or a thread."""

    def __init__(
        self,
        database: Database,
        sweep: Sweep,
        workplace: Workplace,
        resources: Resources,
        *,
        slots: int,
        grace_seconds: float,
    ) -> None:
        """slots: trials at a time; grace_seconds: after which a trial that was asked to stop is killed."""
        self._slots = slots
        self._grace_seconds = grace_seconds
        self._database = database
        self._sweep = sweep
        self._workplace = workplace
        self._resources = resources
        self._name = f"{socket.gethostname()}:{os.getpid()}"
        self._flag = StopFlag(sweep.id)
        self._trials = LiveTrials()
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
        with tempfile.TemporaryDirectory(prefix="rlsweep-tune-", ignore_cleanup_errors=True) as folder:
            fit = Fit(
                TrialTrainable,
                {"workplace": self._workplace, "flag": self._flag},
                [run.id for run in runs],
                resources=self._resources,
                slots=self._slots,
                trials=self._trials,
                folder=Path(folder),
            )
            fit.start()
            self._watch_over(fit, watch)
        self._settle_unfinished()
        watch(self._runs())
        if fit.error is not None:
            raise fit.error

    def _settle_unfinished(self) -> None:
        """Put the end of every run on record whose process left without a word."""
        for run in self._runs():
            if not run.status.is_finished:
                training_runs.fail_lost(self._database, run.id, self._trials.reason(run.id))

    def _watch_over(self, fit: Fit, watch: Watcher) -> None:
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
            if now - since >= self._grace_seconds and self._trials.kill(run.id):
                logger.warning("%s did not end within %.0f s: its process is killed", run.label, self._grace_seconds)

    def _runs(self) -> list[TrainingRun]:
        return training_runs.of_sweep(self._database, self._sweep.id)
