"""The driver of one sweep: hands what is unfinished to Ray Tune, watches over it, and settles the record.

Postgres is the truth and Tune a disposable scheduler: Tune is told run ids and reports nothing but their ends. Any
driver can be followed by another one, which asks the database what is left.
"""

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeVar
from uuid import UUID

from rlsweep.attempts.execution import WorkerContext
from rlsweep.attempts.recorder import PATIENCE_SECONDS
from rlsweep.attempts.spool import send_left
from rlsweep.cluster.actor_location import has_live_actor
from rlsweep.cluster.resources import Resources
from rlsweep.driver.meters import Meters
from rlsweep.driver.selection import RunSelection
from rlsweep.driver.stop_flag import StopFlag
from rlsweep.driver.trainable import TrialTrainable
from rlsweep.driver.tune import RESTARTS, Fit, LiveTrials
from rlsweep.errors import DriverBusyError, RlsweepError, StoreUnavailableError
from rlsweep.paths import Paths
from rlsweep.runs import Overview, RunStatus, Sweep, TrainingRun
from rlsweep.scratch import scratch_folder
from rlsweep.store import sweeps, training_runs, transitions
from rlsweep.store.database import Database
from rlsweep.store.liveness import LEASE_PATIENCE_SECONDS, actor_alive_error, run_busy_error
from rlsweep.store.overview import overview, recorded
from rlsweep.store.retry import retry_while_away

logger = logging.getLogger(__name__)

WATCH_SECONDS = 0.5
"""Between two looks at the record."""

LEASE_SECONDS = 3.0
"""Between two signs of life of the driver."""

ACTOR_PATIENCE_SECONDS = 4 * LEASE_PATIENCE_SECONDS
"""How long a driver waits for actors that Ray says are alive. Ray notices that a node is gone within half a minute."""

Result = TypeVar("Result")
Watcher = Callable[[Overview], None]


class Driver:
    """Drives one sweep to its end. `run` blocks; `request_stop` may be called from a signal handler or a thread."""

    def __init__(
        self,
        database: Database,
        sweep: Sweep,
        context: WorkerContext,
        resources: Resources,
        *,
        selection: RunSelection,
        slots: int,
        grace_seconds: float,
    ) -> None:
        """slots: trials at a time; grace_seconds: after which a trial that was asked to stop is killed."""
        self._selection = selection
        self._own: set[UUID] = set()
        self._slots = slots
        self._grace_seconds = grace_seconds
        self._database = database
        self._sweep = sweep
        self._workplace = context
        self._resources = resources
        # Containers may share a host name and a process id.
        self._name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(2)}"
        self._flag = StopFlag(sweep.id)
        self._trials = LiveTrials()
        self._meters = Meters(sweep.name)
        self._stop = threading.Event()
        self._flag_raised = False
        self._stop_recorded = False
        self._is_away = False
        self._last_sign = time.monotonic()
        self._lost: dict[UUID, str] = {}
        self._stopping_since: dict[UUID, float] = {}

    def request_stop(self) -> None:
        """Ask all trials to end by themselves; those that do not are killed after a grace period."""
        self._stop.set()

    def run(self, watch: Watcher) -> Sweep:
        """Run this driver's selection, calling `watch` at each look at the record; return the sweep as it ended.

        A trial that fails of itself or loses its process for good is on record as failed and disturbs no other.
        Whatever ends it before, a KeyboardInterrupt too, passes through once what is unfinished is settled as stopped.
        Raises DriverBusyError where another driver holds the sweep, or another process trains a run of the selection;
        RlsweepError where Tune itself fails.
        """
        self._wait(lambda: sweeps.take_lease(self._database, self._sweep.id, self._name))
        try:
            self._flag.lower()  # a driver that was killed as it stopped may have left it
            self._take_up()
            if self._is_to_stop():
                self._stop.set()
            # A trial whose actor died before the trial began is not Tune's to repeat: another round takes it up.
            for _ in range(1 + RESTARTS):
                unfinished = self._wait(self._own_unfinished)
                if not unfinished or self._stop.is_set():
                    break
                self._run_trials(unfinished, watch)
        except (DriverBusyError, StoreUnavailableError):
            raise  # what is unfinished is the other driver's, or waits for one
        except RlsweepError as error:
            self._settle(str(error))
            raise
        except BaseException:
            # Ctrl-C once more, or whatever ends this process: trials end with Ray, and until then the database
            # refuses what they send.
            with suppress(StoreUnavailableError, DriverBusyError):
                sweeps.request_stop(self._database, self._sweep.id)
                self._settle("Its driver ended.")
            raise
        else:
            if self._stop.is_set():  # perhaps before there was anything to look at
                self._wait(lambda: sweeps.request_stop(self._database, self._sweep.id))
            ended = self._wait(lambda: self._settle("The trial could not be started."))
            self._wait(lambda: self._show(watch, at_the_end=True))
            return ended
        finally:
            self._flag.lower()
            with suppress(StoreUnavailableError):
                sweeps.release(self._database, self._sweep.id, self._name)

    def _wait(self, call: Callable[[], Result]) -> Result:
        """Call, and again for a while where the database is away."""
        return retry_while_away(call, seconds=PATIENCE_SECONDS)

    def _take_up(self) -> None:
        """Make the selection this driver's own; wait until workers whose driver was killed are known to be gone.

        A run that has a worker is taken from it once its signs of life are old and Ray does not say that its actor is
        alive. Raises DriverBusyError where a worker gives another sign, or where its actor lives on and on.
        """
        statuses, from_start = self._selection.statuses, self._selection.from_start
        take_up = partial(transitions.take_up, self._database, self._sweep.id)
        self._own.update(self._wait(lambda: take_up(statuses, from_start=from_start)))
        if RunStatus.RUNNING not in statuses:
            return
        seen: dict[UUID, TrainingRun] = {}
        deadline = time.monotonic() + ACTOR_PATIENCE_SECONDS
        while running := self._wait(lambda: training_runs.running(self._database, self._sweep.id)):
            for run in running:
                if seen.setdefault(run.id, run).heartbeat_at != run.heartbeat_at:
                    raise run_busy_error(run)
            alive = [run for run in running if has_live_actor(run)]
            if alive and time.monotonic() >= deadline:
                raise actor_alive_error(alive[0])
            lost = {run.id for run in running} - {run.id for run in alive}
            self._own.update(self._wait(partial(take_up, {RunStatus.RUNNING}, lost=lost)))
            if self._is_to_stop() or self._stop.wait(WATCH_SECONDS):
                return
            self._wait(self._renew_lease)

    def _is_to_stop(self) -> bool:
        """Whether somebody asked the sweep to stop since it was handed over: of its runs nothing was taken up then."""
        return self._wait(lambda: sweeps.is_to_stop(self._database, self._sweep.id))

    def _run_trials(self, run_ids: Sequence[UUID], watch: Watcher) -> None:
        with scratch_folder("tune") as folder:
            fit = Fit(
                TrialTrainable,
                {"context": self._workplace, "flag": self._flag},
                run_ids,
                resources=self._resources,
                slots=self._slots,
                trials=self._trials,
                folder=folder,
            )
            fit.start()
            try:
                while not fit.wait(WATCH_SECONDS):
                    self._look(watch)
                self._look(watch)
            finally:
                fit.begin_no_more()  # it may outlive this driver, in the service, and others have the sweep then
        if fit.error is not None:
            raise RlsweepError(f"Ray Tune gave up on the sweep: {fit.error}") from fit.error

    def _settle(self, reason: str) -> Sweep:
        """Put an end on record for every run that left without a word, then one for the sweep.

        Raises DriverBusyError, and settles no more, where another driver has taken the sweep.
        """
        for run_id in self._own_unfinished():
            self._settle_lost(run_id, reason)
        return sweeps.settle(self._database, self._sweep.id)

    def _settle_lost(self, run_id: UUID, reason: str) -> None:
        """Send what the run's process left on this machine, then put its end on record."""
        sweeps.renew_lease(self._database, self._sweep.id, self._name)
        send_left(self._database, Paths(self._workplace.settings).spool, run_id)
        transitions.fail_lost(self._database, run_id, reason)

    def _look(self, watch: Watcher) -> None:
        """Pass on a wish to stop, give a sign of life, settle what died, end what is overdue, show the rest."""
        if self._stop.is_set() and not self._flag_raised:
            self._flag.raise_()
            self._flag_raised = True
        try:
            if self._stop.is_set() and not self._stop_recorded:
                sweeps.request_stop(self._database, self._sweep.id)
                self._stop_recorded = True
            self._renew_lease()
            self._settle_all_lost()
            self._kill_overdue()
            self._show(watch)
        except StoreUnavailableError as error:
            if not self._is_away:
                self._is_away = True
                logger.warning("Trials go on and keep their records until the database is back. %s", error)
            return
        self._is_away = False

    def _settle_all_lost(self) -> None:
        """Put an end on record for runs whose processes died; one that had not begun is left to another round."""
        self._lost |= self._trials.take_lost()
        for run_id, reason in list(self._lost.items()):
            if training_runs.get(self._database, run_id).attempt > 0:
                self._settle_lost(run_id, reason)
            del self._lost[run_id]

    def _renew_lease(self) -> None:
        if time.monotonic() - self._last_sign >= LEASE_SECONDS:
            sweeps.renew_lease(self._database, self._sweep.id, self._name)
            self._last_sign = time.monotonic()

    def _kill_overdue(self) -> None:
        now = time.monotonic()
        for run in training_runs.stopping(self._database, self._sweep.id):
            since = self._stopping_since.setdefault(run.id, now)
            if now - since >= self._grace_seconds and self._trials.kill(run.id):
                logger.warning("%s did not end within %.0f s: its process is killed", run.label, self._grace_seconds)

    def _own_unfinished(self) -> list[UUID]:
        unfinished = training_runs.unfinished_ids(self._database, self._sweep.id)
        return [run_id for run_id in unfinished if run_id in self._own]

    def _show(self, watch: Watcher, *, at_the_end: bool = False) -> None:
        """Show how far the whole sweep has come to whoever watches, and to Ray's metrics."""
        seen = overview(self._database, self._sweep.id)
        if at_the_end or self._meters.is_due():
            self._meters.set(seen, recorded(self._database, self._sweep.id))
        watch(seen)
