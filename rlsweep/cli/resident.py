"""The process behind `rlsweep up`: it holds the database and Ray, keeps the page up, and drives what it is asked to."""

import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO
from uuid import UUID

from rich.console import Console

from rlsweep.attempts.provenance import provenance_elsewhere
from rlsweep.cli.driving import conclude, make_driver
from rlsweep.cli.output import PIPE_WIDTH
from rlsweep.cli.progress import LiveProgress
from rlsweep.cli.service import describe
from rlsweep.cli.signals import on_interrupt
from rlsweep.cluster.resources import Resources
from rlsweep.cluster.session import RayOptions, RaySession
from rlsweep.errors import InputError, NotFoundError, RlsweepError
from rlsweep.paths import Paths
from rlsweep.places.service import Request, RequestServer, ray_token, service_lock
from rlsweep.runs import Sweep
from rlsweep.settings import Settings
from rlsweep.storage import check_usable
from rlsweep.store import sweeps
from rlsweep.store.opening import open_database

if TYPE_CHECKING:
    from rlsweep.driver.driver import Driver

logger = logging.getLogger(__name__)

WATCH_SECONDS = 0.5
PAGE_PATIENCE_SECONDS = 5.0
"""Between two starts of a page server that ends by itself."""


class Resident:
    """One service. `run` blocks until a signal ends it; its sweeps then stop as at Ctrl-C."""

    def __init__(
        self,
        settings: Settings,
        *,
        environ: Mapping[str, str],
        page_port: int,
        dashboard_port: int,
        cpus: int | None,
        say: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._environ = environ
        self._folder = Paths(settings).service
        self._page_port = page_port
        self._dashboard_port = dashboard_port
        self._cpus = cpus
        self._say = say
        self._lock = threading.Lock()
        self._driving: dict[UUID, tuple[Driver, Sweep]] = {}
        self._threads: list[threading.Thread] = []
        self._ending = threading.Event()

    def run(self) -> None:
        """Raises InputError where a service is up already or a port is taken; what the database or Ray fail of."""
        with service_lock(self._folder), on_interrupt(self._ending.set):
            for port, flag in ((self._page_port, "--port"), (self._dashboard_port, "--dashboard-port")):
                _check_free(port, flag)
            check_usable(self._settings.storage)
            token, token_file = ray_token(self._folder)
            options = RayOptions(cpus=self._cpus, dashboard=True, dashboard_port=self._dashboard_port, token=token)
            with RaySession(options) as session, open_database(self._settings) as database:
                session.ready()
                assert session.dashboard_url is not None
                self._database, self._session = database, session
                with _page(self._page_port, self._environ) as keep_page:
                    card = RequestServer(self._take, self._driven, self._ending.set).open(
                        self._folder,
                        resources=session.resources(),
                        page_url=f"http://localhost:{self._page_port}/training",
                        dashboard_url=session.dashboard_url,
                        token_file=token_file,
                    )
                    self._say(describe(card))
                    while not self._ending.wait(WATCH_SECONDS):
                        keep_page()
                    self._end()

    def _take(self, request: Request) -> None:
        """Begin to drive a sweep. Raises RlsweepError where that cannot be."""
        try:
            sweep = sweeps.get(self._database, request.sweep_id)
        except NotFoundError as error:
            raise RlsweepError(
                f"it works with another database, {self._database.location}, where that is not on record. End it with "
                "`rlsweep down` and start it anew with this one."
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

    def _driven(self) -> dict[UUID, str]:
        with self._lock:
            return {sweep_id: sweep.name for sweep_id, (_, sweep) in self._driving.items()}

    def _drive(self, driver: "Driver", sweep: Sweep) -> None:
        path = Paths(self._settings).sweep_log(sweep.id)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a") as file, _warnings_into(file):
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
        out = Console(file=file, width=PIPE_WIDTH, highlight=False)
        try:
            with LiveProgress(out) as watch:
                ended = driver.run(watch)
            conclude(self._database, ended, out, json=False)
        except RlsweepError as error:
            out.print(f"Error: {error}", markup=False, soft_wrap=True)

    def _end(self) -> None:
        """Stop every sweep and wait until each has settled its record."""
        with self._lock:
            driving, threads = list(self._driving.values()), list(self._threads)
        for driver, _ in driving:
            driver.request_stop()
        for thread in threads:
            thread.join()


@contextmanager
def _page(port: int, environ: Mapping[str, str]) -> Iterator[Callable[[], None]]:
    """Training History in a process of its own; what is yielded starts it again where it ended."""
    process, started = _start_page(port, environ), time.monotonic()
    _wait_for_page(process, port)

    def keep() -> None:
        nonlocal process, started
        if process.poll() is not None and time.monotonic() - started >= PAGE_PATIENCE_SECONDS:
            logger.warning("Training History ended (%s) and is started again", process.returncode)
            process, started = _start_page(port, environ), time.monotonic()

    try:
        yield keep
    finally:
        process.terminate()
        process.wait()


def _start_page(port: int, environ: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "rlsweep", "serve", "--port", str(port), "--with-parent"]
    kept = {name: value for name, value in environ.items() if not name.startswith("RAY_")}
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, env=kept, start_new_session=True)


def _wait_for_page(process: "subprocess.Popen[bytes]", port: int) -> None:
    """Until it answers. Raises RlsweepError where it ends instead, having said why."""
    while process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1.0):
            return
        time.sleep(0.1)
    raise RlsweepError(f"Training History ended at once ({process.returncode}).")


@contextmanager
def _warnings_into(file: Any) -> Iterator[None]:
    """Write what this thread warns of into the file too."""
    handler = logging.StreamHandler(file)
    thread = threading.get_ident()
    handler.addFilter(lambda record: record.thread == thread)
    root = logging.getLogger("rlsweep")
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)


def _check_free(port: int, flag: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise InputError(f"Port {port} is taken. Choose another one: {flag} {port + 1}") from error
