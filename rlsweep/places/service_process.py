"""The process behind `rlsweep up`: it holds the database and Ray, keeps the page up, and drives what it is asked to."""

import logging
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO
from uuid import UUID

from rlsweep.attempts.provenance import provenance_elsewhere
from rlsweep.cluster.resources import Resources
from rlsweep.cluster.session import RayOptions, RaySession
from rlsweep.errors import InputError, NotFoundError, RlsweepError
from rlsweep.paths import Paths
from rlsweep.places.interrupts import on_interrupt
from rlsweep.places.observer import SweepObserver
from rlsweep.places.outcome import Ending, conclude
from rlsweep.places.page_process import page_process
from rlsweep.places.request_server import RequestServer, ray_token, service_lock
from rlsweep.places.running import make_driver
from rlsweep.places.service import Request, ServiceCard
from rlsweep.settings import Settings
from rlsweep.storage import check_usable
from rlsweep.store import sweeps
from rlsweep.store.database import Database
from rlsweep.store.opening import open_database
from rlsweep.sweep_records import Sweep

if TYPE_CHECKING:
    from rlsweep.driver.driver import Driver

logger = logging.getLogger(__name__)

KEEP_UP_SECONDS = 0.5
"""Between two looks at the page's process."""

LogObserver = Callable[[TextIO], SweepObserver]
"""Makes an observer that writes into a sweep's log."""


def run_service(
    settings: Settings,
    *,
    environ: Mapping[str, str],
    page_port: int,
    dashboard_port: int,
    cpus: int | None,
    log_observer: LogObserver,
    on_ready: Callable[[ServiceCard], None],
) -> None:
    """Be the service until a signal or a request ends it; its sweeps then stop as at Ctrl-C.

    environ: of the page's process

    Raises InputError where a service is up already or a port is taken; what the database or Ray fail of.
    """
    folder = Paths(settings).service
    ending = threading.Event()
    with service_lock(folder), on_interrupt(ending.set):
        for port, flag in ((page_port, "--port"), (dashboard_port, "--dashboard-port")):
            _check_free(port, flag)
        check_usable(settings.storage)
        token, token_file = ray_token(folder)
        ray = RayOptions(cpus=cpus, dashboard=True, dashboard_port=dashboard_port, token=token)
        with RaySession(ray) as session, open_database(settings, is_service=True) as database:
            session.ready()
            session.wait_for_workers()
            assert session.dashboard_url is not None
            process = ServiceProcess(settings, database, session, ending, log_observer)
            with page_process(page_port, environ) as keep_up:
                card = RequestServer(process.take, process.driven, ending.set).open(
                    folder,
                    resources=session.resources(),
                    page_url=f"http://localhost:{page_port}/training",
                    dashboard_url=session.dashboard_url,
                    token_file=token_file,
                )
                on_ready(card)
                while not ending.wait(KEEP_UP_SECONDS):
                    keep_up()
                process.stop_all()


class ServiceProcess:
    """The sweeps that the service drives, each in a thread."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        session: RaySession,
        ending: threading.Event,
        log_observer: LogObserver,
    ) -> None:
        """ending: once set, no sweep is taken any more."""
        self._paths = Paths(settings)
        self._settings = settings
        self._database = database
        self._session = session
        self._ending = ending
        self._log_observer = log_observer
        self._lock = threading.Lock()
        self._driving: dict[UUID, tuple[Driver, Sweep]] = {}
        self._threads: list[threading.Thread] = []

    def take(self, request: Request) -> None:
        """Begin to drive a sweep. Raises RlsweepError where that cannot be."""
        try:
            sweep = sweeps.get(self._database, request.sweep_id)
        except NotFoundError as error:
            raise RlsweepError(
                f"it works with another database, {self._database.location}, where that is not on record. End it with "
                "`rlsweep down` and start it again with this one."
            ) from error
        resources = Resources.from_record(sweep.resources)
        driver = make_driver(
            self._database,
            sweep,
            request.selection,
            resources=resources,
            slots=self._session.slots(resources),
            settings=self._settings,
            metadata=provenance_elsewhere(sweep, request.command).as_metadata(),
            grace=request.grace_seconds,
            folder=request.folder,
            code_folder=request.folder,
        )
        with self._lock:
            if self._ending.is_set():
                raise RlsweepError("it is about to end.")
            if sweep.id in self._driving:
                raise RlsweepError(f"it drives sweep {sweep.name} already.")
            self._driving[sweep.id] = (driver, sweep)
            thread = threading.Thread(target=self._drive, args=(driver, sweep), name=f"sweep {sweep.name}", daemon=True)
            self._threads.append(thread)
        thread.start()

    def driven(self) -> dict[UUID, str]:
        """The sweeps that it drives now, with their names."""
        with self._lock:
            return {sweep_id: sweep.name for sweep_id, (_, sweep) in self._driving.items()}

    def stop_all(self) -> None:
        """Stop every sweep and wait until each has settled its record."""
        with self._lock:
            driving, threads = list(self._driving.values()), list(self._threads)
        for driver, _ in driving:
            driver.request_stop()
        for thread in threads:
            thread.join()

    def _drive(self, driver: "Driver", sweep: Sweep) -> None:
        try:
            with _open_log(self._paths.sweep_log(sweep.id)) as file:
                self._drive_into(file, driver)
        except Exception:  # a fault of ours, or a full disk, ends this sweep's driver, not the service
            logger.exception("the driver of sweep %s failed", sweep.name)
        finally:
            with self._lock:
                del self._driving[sweep.id]
                is_idle = not self._driving and not self._ending.is_set()
            if is_idle:
                self._session.prestart_workers()

    def _drive_into(self, file: TextIO, driver: "Driver") -> None:
        observer = self._log_observer(file)
        try:
            with observer.live_progress() as show:
                ended = driver.run(show)
            observer.ended(conclude(self._database, ended, Ending.FINISHED))
        except RlsweepError as error:
            observer.message(f"Error: {error}")


@contextmanager
def _open_log(path: Path) -> Iterator[TextIO]:
    """A sweep's log, to be appended to, which also takes the warnings that this thread logs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        handler = logging.StreamHandler(file)
        thread = threading.get_ident()
        handler.addFilter(lambda record: record.thread == thread)
        root = logging.getLogger("rlsweep")
        root.addHandler(handler)
        try:
            yield file
        finally:
            root.removeHandler(handler)


def _check_free(port: int, flag: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise InputError(f"Port {port} is taken. Choose another one: {flag} {port + 1}") from error
