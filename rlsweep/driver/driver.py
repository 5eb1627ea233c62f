"""The driver of one sweep: it schedules unfinished runs with Ray Tune, monitors them, and records lost ones as failed.

All state is in PostgreSQL; Tune only schedules run ids and reports when a trial ends. If a driver dies, the next one
reads from the database which runs are left.
"""

import logging
import math
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar
from uuid import UUID

from rlsweep.attempts.execution import WorkerContext
from rlsweep.attempts.recorder import PATIENCE_SECONDS
from rlsweep.attempts.spool import send_left
from rlsweep.cluster.actor_location import has_live_actor
from rlsweep.cluster.resources import Resources
from rlsweep.cluster.session import LOADING, POLL_SECONDS
from rlsweep.driver.deaths import cause_of_death
from rlsweep.driver.decided_runs import DecidedRuns
from rlsweep.driver.meters import Meters
from rlsweep.driver.rules import rule_of, undecided
from rlsweep.driver.run_source import RESTARTS, PlannedRuns, RunSource
from rlsweep.driver.selection import UNFINISHED, RunSelection
from rlsweep.driver.stop_flag import StopFlag
from rlsweep.driver.trainable import TrialTrainable
from rlsweep.driver.tune import Fit, LiveTrials
from rlsweep.driver.waiting import WaitingTrials
from rlsweep.errors import DriverBusyError, RlsweepError, StoreUnavailableError
from rlsweep.paths import Paths
from rlsweep.process_identity import is_here, own_process
from rlsweep.runs import RunStatus, TrainingRun
from rlsweep.scratch import scratch_folder
from rlsweep.stages import stage
from rlsweep.store import decisions, sweeps, training_runs, transitions
from rlsweep.store.database import Database
from rlsweep.store.kept_connection import KeptConnection
from rlsweep.store.liveness import LEASE_PATIENCE_SECONDS, actor_alive_error, is_lost_here, run_busy_error
from rlsweep.store.overview import overview, recorded
from rlsweep.store.retry import retry_while_away
from rlsweep.sweep_records import Overview, Sweep

logger = logging.getLogger(__name__)

WATCH_SECONDS = 0.5
"""Time between two checks for a stop request and for lost processes."""

READ_SECONDS = 0.9
"""Shortest time between two readings of the sweep's progress; its trials record theirs about once a second."""

LEASE_SECONDS = 3.0
"""Time between two heartbeats of the driver."""

ACTOR_PATIENCE_SECONDS = 4 * LEASE_PATIENCE_SECONDS
"""How long a driver waits while Ray reports that an actor is alive. Ray detects a lost node within half a minute."""

DYING_SECONDS = 10.0
"""How long a worker on this host may still write heartbeats after another driver has taken its sweep."""

Result = TypeVar("Result")
Watcher = Callable[[Overview], None]


class Driver:
    """Drives one sweep to its end. `run` blocks; a signal handler or another thread may call `request_stop`."""

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
        has_workers: Callable[[], bool] = lambda: True,
    ) -> None:
        """slots: trials at the same time; grace_seconds: time after a stop request until a trial is killed.

        has_workers: whether trials may begin; the driver waits until they may
        """
        self._selection = selection
        self._own: set[UUID] = set()
        self._slots = slots
        self._grace_seconds = grace_seconds
        self._has_workers = has_workers
        self._database = database
        self._sweep = sweep
        self._worker_context = context
        self._resources = resources
        self._name = f"{own_process()}.{secrets.token_hex(2)}"  # a process may drive a sweep twice, one after the other
        self._flag = StopFlag(sweep.id)
        self._trials = LiveTrials()
        self._meters = Meters(sweep.name)
        self._looks = KeptConnection(database.url)  # a new connection for each query took 2% of two cores
        self._waiting = WaitingTrials(self._looks, sweep.id)
        self._stop = threading.Event()
        self._flag_raised = False
        self._stop_recorded = False
        self._is_away = False
        self._last_sign = time.monotonic()
        self._last_read = -math.inf
        self._lost: dict[UUID, str] = {}
        self._stopping_since: dict[UUID, float] = {}

    def request_stop(self) -> None:
        """Request all trials to stop; those that do not are killed after the grace period."""
        self._stop.set()

    def run(self, watch: Watcher) -> Sweep:
        """Run the selected runs, and call `watch` after each check of the database; return the ended sweep.

        A trial that fails or loses its process is recorded as failed and does not affect the others. If an exception
        ends the driver early, such as KeyboardInterrupt, unfinished runs are recorded as stopped first.
        Raises DriverBusyError if another driver has the sweep or another process trains a selected run; RlsweepError
        if Tune itself fails.
        """
        self._wait(lambda: sweeps.take_lease(self._database, self._sweep.id, self._name))
        try:
            self._flag.lower()  # a driver that was killed while stopping may have left it
            self._take_up()
            if self._is_to_stop():
                self._stop.set()
            # Tune does not retry a trial whose actor died before the trial began; the next round runs it
            for _ in range(1 + RESTARTS):
                source = self._wait(self._next_source)
                if source is None or self._stop.is_set():
                    break
                self._run_trials(source, watch)
        except (DriverBusyError, StoreUnavailableError):
            raise  # unfinished runs belong to the other driver, or wait for the next one
        except RlsweepError as error:
            self._settle(str(error))
            raise
        except BaseException:
            # such as a second Ctrl-C: trials end with Ray, and until then the database refuses their records
            with suppress(StoreUnavailableError, DriverBusyError):
                sweeps.request_stop(self._database, self._sweep.id)
                self._settle("Its driver ended.")
            raise
        else:
            if self._stop.is_set():  # a stop before the first check is not recorded yet
                self._wait(lambda: sweeps.request_stop(self._database, self._sweep.id))
            ended = self._wait(lambda: self._settle("The trial could not be started."))
            self._wait(lambda: self._show(watch, at_the_end=True))
            return ended
        finally:
            self._looks.close()
            self._flag.lower()
            with suppress(StoreUnavailableError):
                sweeps.release(self._database, self._sweep.id, self._name)

    def _wait(self, call: Callable[[], Result]) -> Result:
        """Call, and retry for PATIENCE_SECONDS while the database is unreachable."""
        return retry_while_away(call, seconds=PATIENCE_SECONDS)

    def _take_up(self) -> None:
        """Take the selected runs for this driver; wait until workers of a killed driver are known to be dead.

        A running run is taken over once its process has ended on this host, or once its heartbeat is old and Ray does
        not report its actor as alive. Raises DriverBusyError if its worker writes another heartbeat, or its actor stays
        alive. A worker on this host has DYING_SECONDS to end: its own driver may just have been killed.
        """
        statuses, from_start = self._selection.statuses, self._selection.from_start
        self._wait(lambda: decisions.pause_waiting(self._database, self._sweep.id))
        decider = self._wait(lambda: undecided(self._database, self._sweep.id))
        take_up = partial(transitions.take_up, self._database, self._sweep.id)
        self._own.update(self._wait(lambda: take_up(statuses, from_start=from_start)))
        if decider is not None:
            statuses = UNFINISHED.statuses  # what is not decided goes on with all that it has begun
            self._own.update(self._wait(lambda: take_up(statuses)))
        if RunStatus.RUNNING not in statuses:
            return
        seen: dict[UUID, TrainingRun] = {}
        began = time.monotonic()
        while running := self._wait(lambda: training_runs.running(self._database, self._sweep.id)):
            gone = {run.id for run in running if is_lost_here(run)}
            waited = time.monotonic() - began
            for run in running:
                is_dying = run.id in gone or (is_here(run.metadata.get("process")) and waited < DYING_SECONDS)
                if seen.setdefault(run.id, run).heartbeat_at != run.heartbeat_at and not is_dying:
                    raise run_busy_error(run)
            alive = [run for run in running if run.id not in gone and has_live_actor(run)]
            if alive and waited >= ACTOR_PATIENCE_SECONDS:
                raise actor_alive_error(alive[0])
            lost = {run.id for run in running} - {run.id for run in alive}
            self._own.update(self._wait(partial(take_up, {RunStatus.RUNNING}, lost=lost, gone=gone)))
            if self._is_to_stop() or self._stop.wait(WATCH_SECONDS):
                return
            self._wait(self._renew_lease)

    def _is_to_stop(self) -> bool:
        """Whether a stop was requested after the submission; then none of its runs was taken."""
        return self._wait(lambda: sweeps.is_to_stop(self._database, self._sweep.id))

    def _next_source(self) -> RunSource | None:
        """What gives the runs that are left; None if none is."""
        decider = undecided(self._database, self._sweep.id)
        if decider is not None:
            rule, own = rule_of(self._database, decider), self._own
            return DecidedRuns(self._database, rule, driver=self._name, slots=self._slots, on_scheduled=own.update)
        unfinished = self._own_unfinished()
        return PlannedRuns(unfinished) if unfinished else None

    def _run_trials(self, source: RunSource, watch: Watcher) -> None:
        with scratch_folder("tune") as folder:
            fit = Fit(
                TrialTrainable,
                {"context": self._worker_context, "flag": self._flag, "sweep_name": self._sweep.name},
                source,
                resources=self._resources,
                slots=self._slots,
                trials=self._trials,
                folder=folder,
            )
            if not self._wait_for_workers():
                return
            fit.start()
            try:
                while not fit.wait(WATCH_SECONDS):
                    self._look(watch)
                self._look(watch, at_the_end=True)
            except KeyboardInterrupt:
                fit.abandon()  # Ray ends next
                raise
            finally:
                fit.begin_no_more()  # in the service it may outlive this driver, and another one may have the sweep
        if fit.error is not None:
            raise RlsweepError(f"Ray Tune gave up on the sweep: {fit.error}") from fit.error

    def _wait_for_workers(self) -> bool:
        """Wait until trials may begin; return False if a stop is requested first."""
        with stage(LOADING):
            while not (self._has_workers() or self._stop.wait(POLL_SECONDS)):
                self._wait(self._renew_lease)
        return not self._stop.is_set()

    def _settle(self, reason: str) -> Sweep:
        """Record an end for every run that ended without recording one, then for the sweep.

        Stops and raises DriverBusyError if another driver has taken the sweep.
        """
        for run_id in self._own_unfinished():
            self._settle_lost(run_id, reason)
        return sweeps.settle(self._database, self._sweep.id)

    def _settle_lost(self, run_id: UUID, reason: str) -> None:
        """Send the spool file of the run's process, then record the run's end."""
        sweeps.renew_lease(self._database, self._sweep.id, self._name)
        send_left(self._database, Paths(self._worker_context.settings).spool, run_id)
        transitions.fail_lost(self._database, run_id, reason)

    def _look(self, watch: Watcher, *, at_the_end: bool = False) -> None:
        """Pass on a stop request, write a heartbeat, record lost runs, kill overdue trials, tell and show progress."""
        if self._stop.is_set() and not self._flag_raised:
            self._flag.raise_()
            self._flag_raised = True
        try:
            if self._stop.is_set() and not self._stop_recorded:
                sweeps.request_stop(self._database, self._sweep.id)
                self._stop_recorded = True
            self._renew_lease()
            self._settle_all_lost()
            if at_the_end or time.monotonic() - self._last_read >= READ_SECONDS:
                self._last_read = time.monotonic()
                self._kill_overdue()
                self._waiting.tell()
                self._show(watch)
        except StoreUnavailableError as error:
            if not self._is_away:
                self._is_away = True
                logger.warning("Trials continue and keep their records until the database is reachable. %s", error)
            return
        self._is_away = False

    def _settle_all_lost(self) -> None:
        """Record an end for runs whose processes died; a run that had not begun is left to the next round."""
        self._lost |= self._trials.take_lost()
        spool = Paths(self._worker_context.settings).spool
        for run_id, details in list(self._lost.items()):
            run = training_runs.get(self._database, run_id)
            if run.attempt > 0:
                self._settle_lost(run_id, cause_of_death(run, details, spool))
            del self._lost[run_id]

    def _renew_lease(self) -> None:
        if time.monotonic() - self._last_sign >= LEASE_SECONDS:
            sweeps.renew_lease(self._database, self._sweep.id, self._name)
            self._last_sign = time.monotonic()

    def _kill_overdue(self) -> None:
        now = time.monotonic()
        for run in training_runs.stopping(self._looks, self._sweep.id):
            since = self._stopping_since.setdefault(run.id, now)
            if now - since >= self._grace_seconds and self._trials.kill(run.id):
                logger.warning("%s did not stop within %.0f s; killing its process", run.label, self._grace_seconds)

    def _own_unfinished(self) -> list[UUID]:
        unfinished = training_runs.unfinished_ids(self._database, self._sweep.id)
        return [run_id for run_id in unfinished if run_id in self._own]

    def _show(self, watch: Watcher, *, at_the_end: bool = False) -> None:
        """Pass the sweep's progress to `watch` and to Ray's metrics."""
        seen = overview(self._looks, self._sweep.id)
        if at_the_end or self._meters.is_due():
            self._meters.set(seen, recorded(self._looks, self._sweep.id))
        watch(seen)
