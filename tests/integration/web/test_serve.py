"""`rlsweep serve` as a process of its own: how it starts, what it says, and how it ends."""

import io
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest
from in_process import call

from rlsweep.paths import Paths
from rlsweep.settings import Settings
from rlsweep.store.database import Database
from rlsweep.store.embedded import program
from rlsweep.store.keeper import postmaster_pid, stop_server
from rlsweep.store.owner import Owner

pytestmark = pytest.mark.integration

WAIT_S = 40


class Served:
    """A running `rlsweep serve`."""

    def __init__(self, *arguments: str, home: Path, **environ: str) -> None:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("RLSWEEP_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "rlsweep", "serve", "--port", "0", *arguments],
            env=kept | {"RLSWEEP_HOME": str(home), "PYTHONUNBUFFERED": "1"} | environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said = ""
        assert self.process.stdout is not None
        while "Ctrl-C ends it." not in self.said:
            line = self.process.stdout.readline()
            assert line, self.said
            self.said += line

    @property
    def address(self) -> str:
        found = re.search(r"http://\S+", self.said)
        assert found is not None, self.said
        return found[0]

    def end(self, sign: int = signal.SIGINT) -> int:
        self.process.send_signal(sign)
        rest, _ = self.process.communicate(timeout=WAIT_S)
        self.said += rest
        return self.process.returncode


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    """Starts servers; what is left of them at the end is killed."""
    started: list[Served] = []

    def start(*arguments: str, **given: object) -> Served:
        started.append(Served(*arguments, **given))  # type: ignore[arg-type]
        return started[-1]

    yield start
    for served in started:
        if served.process.poll() is None:
            served.process.kill()
            served.process.communicate()


def get(url: str, **given: object) -> httpx.Response:
    return httpx.get(url, timeout=20, trust_env=False, **given)  # type: ignore[arg-type]


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_it_says_where_it_is_and_ends_when_asked(
    serve: Callable[..., Served], home: Path, processes_of: Callable[[Path], list[psutil.Process]]
) -> None:
    served = serve(home=home)
    assert re.fullmatch(r"http://localhost:\d+/training", served.address)
    assert get(served.address).status_code == 200
    api = served.address.replace("/training", "/api")
    assert get(f"{api}/training-runs").json()["total"] == 0
    listening = [
        each.laddr.ip for each in psutil.Process(served.process.pid).net_connections() if each.status == "LISTEN"
    ]
    assert listening == ["127.0.0.1"]
    children = psutil.Process(served.process.pid).children()
    (computes,) = [each for each in children if "rlsweep.spaces.importance_child" in each.cmdline()]
    assert served.end(signal.SIGTERM) == 0
    assert not computes.is_running()
    assert "Traceback" not in served.said
    until(lambda: not processes_of(Paths(Settings(home=home, storage=home, database_url=None)).embedded_database))


def refused(folder: Path, *arguments: str, **environ: str) -> str:
    """What `rlsweep serve` says, which ends at once and prints nothing."""
    environ = {"PATH": os.environ["PATH"], "RLSWEEP_HOME": str(folder)} | environ
    done = call(("serve", *arguments), environ, folder, io.StringIO).expect(2)
    assert done.stdout == ""
    return done.stderr


def test_a_port_that_is_taken(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = refused(home, "--port", str(port))
    assert said.startswith(f"Error: Port {port} is taken on 127.0.0.1")
    assert f"--port {port + 1}" in said
    assert said.count("\n") == 1


def test_an_address_of_another_machine(home: Path) -> None:
    assert "--host 127.0.0.1" in refused(home, "--port", "0", "--host", "192.0.2.1")


@pytest.mark.parametrize(
    ("arguments", "environ", "says"),
    [
        (["--token", "short"], {}, "--token: use at least 8"),
        (["--token", "with a space in it"], {}, "--token: use at least 8"),
        ([], {"RLSWEEP_DATABASE_URL": "postgresql://me:p@ss@host/x"}, "special characters of the password"),
    ],
)
def test_what_can_never_work_is_said_at_once(
    tmp_path: Path, arguments: list[str], environ: dict[str, str], says: str
) -> None:
    assert says in refused(tmp_path, "--port", "0", *arguments, **environ)


def test_other_machines_need_the_token_that_it_makes(
    serve: Callable[..., Served], database: Database, tmp_path: Path
) -> None:
    served = serve("--host", "0.0.0.0", home=tmp_path, RLSWEEP_DATABASE_URL=database.url)
    (token,) = re.findall(r"\?token=([\w-]{32})$", served.said, flags=re.MULTILINE)
    port = httpx.URL(served.address).port
    assert get(f"http://127.0.0.1:{port}/api/training-runs").status_code == 401
    assert get(f"http://127.0.0.1:{port}/training?token={token}").status_code == 303
    headers = {"Authorization": f"Bearer {token}"}
    assert get(f"http://127.0.0.1:{port}/api/training-runs", headers=headers).status_code == 200
    assert served.end() == 0
    assert served.said.count(token) == 1, "it is said once and logged nowhere"


def test_a_proxys_name_is_answered_to_and_needs_a_token_too(
    serve: Callable[..., Served], database: Database, tmp_path: Path
) -> None:
    served = serve("--allowed-host", "runs.example.org", home=tmp_path, RLSWEEP_DATABASE_URL=database.url)
    (token,) = re.findall(r"\?token=([\w-]{32})$", served.said, flags=re.MULTILINE)
    url = f"http://127.0.0.1:{httpx.URL(served.address).port}/api/training-runs"
    known = {"Authorization": f"Bearer {token}"}
    assert get(url, headers={"Host": "runs.example.org"}).status_code == 401
    assert get(url, headers={"Host": "runs.example.org"} | known).status_code == 200
    assert get(url, headers={"Host": "evil.example.org"} | known).status_code == 400


def test_a_token_given_is_asked_for_here_too(serve: Callable[..., Served], database: Database, tmp_path: Path) -> None:
    served = serve(home=tmp_path, RLSWEEP_DATABASE_URL=database.url, RLSWEEP_TOKEN="mine-alone")
    assert served.address.endswith("/training?token=mine-alone")
    assert get(served.address.replace("?token=mine-alone", "")).status_code == 401


def test_the_embedded_database_may_die_and_comes_back(serve: Callable[..., Served], home: Path) -> None:
    served = serve(home=home)
    api = served.address.replace("/training", "/api")
    assert get(f"{api}/health").status_code == 200
    data = Paths(Settings(home=home, storage=home, database_url=None)).embedded_database / "data"
    pid = postmaster_pid(data)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: get(f"{api}/health").status_code == 200 and postmaster_pid(data) != pid)
    assert get(f"{api}/training-runs").json()["total"] == 0
    assert served.end(signal.SIGINT) == 0
    assert "Traceback" not in served.said


@contextmanager
def stopped_server(folder: Path) -> Iterator[tuple[str, Callable[[], None], Callable[[], None]]]:
    """A server of a user's own that is not running yet: its URL, and what starts and stops it."""
    owner = Owner.for_this_process()
    owner.give(folder)
    owner.open_way_to(folder)
    data = folder / "data"
    owner.run([program("initdb"), "-D", data, "--username=someone", "--auth=trust", "--no-sync"])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    listen = f"-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -p {port}"

    def start() -> None:
        owner.run([program("pg_ctl"), "start", "-D", data, "-l", folder / "log", "-o", listen, "-w", "-s"])

    try:
        yield f"postgresql://someone:secret@127.0.0.1:{port}/postgres", start, lambda: stop_server(data)
    finally:
        stop_server(data)


def test_a_server_of_the_users_own_may_come_later_go_and_come_back(serve: Callable[..., Served], home: Path) -> None:
    with stopped_server(home) as (url, start, stop):
        served = serve(home=home, RLSWEEP_DATABASE_URL=url)
        assert "Cannot work with the database" in served.said
        assert "as soon as it answers" in served.said
        api = served.address.replace("/training", "/api")
        for running in (False, True, False, True):
            (start if running else stop)()
            if running:
                until(lambda: get(f"{api}/training-runs").status_code == 200)
                assert get(f"{api}/health").status_code == 200
                continue
            for path in ("training-runs", "health", "sweeps/latest", "training-runs/agents/list"):
                answer = get(f"{api}/{path}")
                assert answer.status_code == 503
                assert answer.json()["error"]["code"] == "database_unavailable"
                assert "secret" not in answer.text
            page = get(served.address)
            assert page.status_code == 200, "the shell loads, and says what is wrong"
        assert served.end() == 0
        assert "Traceback" not in served.said
        assert "secret" not in served.said
