"""What is killed: each victim by name, with what brings it back."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random

import psutil

from rlsweep.store.database import Database
from rlsweep.store.embedded import program
from rlsweep.store.keeper import server_processes, stop_server
from rlsweep.store.owner import Owner

HERE = Path(__file__).parent


class Server:
    """A PostgreSQL server of a user's own, on an address of this machine."""

    def __init__(self, folder: Path, port: int, host: str = "127.0.0.1") -> None:
        self._owner, self._folder, self._data, self._port = Owner.for_this_process(), folder, folder / "data", port
        self._host = host
        self._owner.give(folder)
        self._owner.open_way_to(folder)
        self._owner.run([program("initdb"), "-D", self._data, "--username=someone", "--auth=trust"])
        with (self._data / "pg_hba.conf").open("a") as rules:
            rules.write("host all all samenet trust\n")
        self.database = Database(f"postgresql://someone@{host}:{port}/postgres")

    def start(self) -> None:
        listen = f"-c listen_addresses={self._host} -c unix_socket_directories= -p {self._port}"
        log = self._folder / "log"
        self._owner.run([program("pg_ctl"), "start", "-D", self._data, "-l", log, "-o", listen, "-w", "-s"])

    def restart(self, seconds: float) -> None:
        """Away for so long, in good order."""
        stop_server(self._data)
        time.sleep(seconds)
        self.start()

    def kill(self, seconds: float) -> None:
        """Away for so long, as after a crash."""
        for process in server_processes(self._data):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        while server_processes(self._data):
            time.sleep(0.02)
        time.sleep(seconds)
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        self.start()

    def stop(self) -> None:
        stop_server(self._data)


class Nodes:
    """A Ray cluster of a head and others, in a process of its own."""

    def __init__(self, count: int, environ: Mapping[str, str], log: Path, *, dashboard_port: int | None = None) -> None:
        self._log = log
        dashboard = [] if dashboard_port is None else [str(dashboard_port)]
        with log.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, str(HERE / "nodes.py"), str(count), *dashboard],
                env={**environ, "RAY_worker_niceness": "0", "RAY_raylet_start_wait_time_s": "120"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=out,
                text=True,
            )
        self.address = self._line()

    def kill_one(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("kill\n")
        self.process.stdin.flush()
        assert self._line() == "killed"

    def workers(self) -> list[psutil.Process]:
        """Processes in which trials run."""
        found = []
        for process in psutil.Process(self.process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                title = "".join(process.cmdline()[:1])
                if title.startswith("ray::") and "Trainable" in title:
                    found.append(process)
        return found

    def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.communicate(timeout=60)

    def _line(self) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if not line.startswith(("20", "[")):  # Ray logs there too
                return line.strip()
        raise AssertionError(f"the cluster ended: {self._log.read_text()[-4000:]}")


class Command:
    """`rlsweep submit`, and then `rlsweep resume` as often as it takes."""

    def __init__(self, folder: Path, environ: Mapping[str, str], flags: Sequence[str]) -> None:
        self._folder, self._environ, self._flags = folder, environ, flags
        self._log = folder / "driver.log"
        self.process: subprocess.Popen[str] | None = None

    def run(self, *arguments: str) -> None:
        with self._log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "rlsweep", *arguments, *self._flags],
                cwd=self._folder,
                env=self._environ,
                stdout=log,
                stderr=log,
                text=True,
            )

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(30)

    def is_at_work(self, driver: str | None) -> bool:
        """Whether it runs and holds the lease, whose owner is given."""
        assert self.process is not None
        return self.process.poll() is None and driver is not None and f":{self.process.pid}:" in driver

    @property
    def said(self) -> str:
        return self._log.read_text()[-4000:]


def victims(server: Server, nodes: Nodes, command: Command, spool: Path, rng: Random) -> dict[str, Callable[[], bool]]:
    """Each kills, and says whether it found anything to kill."""

    def trial() -> bool:
        workers = nodes.workers()
        if workers:
            with contextlib.suppress(psutil.NoSuchProcess):
                rng.choice(sorted(workers, key=lambda process: process.pid)).send_signal(signal.SIGKILL)
        return bool(workers)

    def node() -> bool:
        nodes.kill_one()
        return True

    def driver() -> bool:
        assert command.process is not None
        if command.process.poll() is not None:
            return False
        command.kill()
        return True

    def database() -> bool:
        server.kill(rng.uniform(0, 4))
        return True

    def database_in_order() -> bool:
        server.restart(rng.uniform(0, 4))
        return True

    def disk() -> bool:
        """While the database is away, what waits for it is lost."""
        stop_server(server._data)
        deadline = time.monotonic() + 5
        while not (files := sorted(spool.glob("*.jsonl"))) and time.monotonic() < deadline:
            time.sleep(0.1)
        for file in files[:1]:
            file.unlink(missing_ok=True)
        server.start()
        return bool(files)

    return {
        "trial": trial, "node": node, "driver": driver, "database killed": database,
        "database restarted": database_in_order, "spool": disk,
    }  # fmt: skip


def environ_of(home: Path, **given: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("RLSWEEP_", "RAY_"))}
    return kept | {"RLSWEEP_HOME": str(home), "PYTHONPATH": f"{HERE.parents[1]}:{HERE}", "OMP_NUM_THREADS": "1"} | given
