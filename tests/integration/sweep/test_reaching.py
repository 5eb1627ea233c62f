"""Heads and services that are out of reach, or not what they were taken for: stubs, for no real one misbehaves so."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from rich.console import Console

from rlsweep.cli.app import main
from rlsweep.cli.observer import ConsoleObserver
from rlsweep.cluster.joining import ask_jobs_api
from rlsweep.cluster.node_checks import _complaint
from rlsweep.errors import ClusterUnavailableError, RlsweepError, StoreUnavailableError
from rlsweep.places import driver_checks, following
from rlsweep.places.jobs import JobsCluster
from rlsweep.places.outcome import Ending
from rlsweep.places.request_server import RequestServer, service_lock
from rlsweep.places.service import find_service, sweeps_driven_by
from rlsweep.store import sweeps
from rlsweep.store.database import Database
from rlsweep.sweep_records import Sweep, SweepStatus

pytestmark = pytest.mark.integration

VERSION = {"version": "4", "ray_version": "2.60.0", "ray_commit": "0", "session_name": "session"}
Head = tuple[str, list[str]]


@contextmanager
def answering(jobs: int = 200) -> Iterator[Head]:
    """What a head without jobs answers; its URL, and the paths that it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            is_about_jobs = self.path.startswith("/api/jobs")
            self.send_response(jobs if is_about_jobs else 200)
            self.end_headers()
            self.wfile.write(json.dumps([] if is_about_jobs else VERSION).encode())

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def head() -> Iterator[Head]:
    with answering() as found:
        yield found


def test_the_address_that_was_given_is_asked_whatever_rays_variables_say(
    head: Head, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering() as (other_url, other_asked):
        for name in ("RAY_ADDRESS", "RAY_API_SERVER_ADDRESS"):
            monkeypatch.setenv(name, other_url)
        assert JobsCluster(head[0]).job_of(uuid4()) is None
        assert other_asked == []
        assert [os.environ[name] for name in ("RAY_ADDRESS", "RAY_API_SERVER_ADDRESS")] == [other_url] * 2
    assert "/api/jobs/" in head[1]


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}", "http://he ad:8265"], ids=["another protocol", "a space"])
def test_what_is_no_jobs_api_is_told_without_a_traceback(url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            with suppress(OSError):
                ours, _ = listener.accept()
                with ours:
                    ours.sendall(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" * 4)

        threading.Thread(target=greet, daemon=True).start()
        with pytest.raises(ClusterUnavailableError, match="by default on port 8265"):
            ask_jobs_api(url.format(port=listener.getsockname()[1]), "/api/version")


def test_a_head_that_goes_away_or_is_in_trouble_is_out_of_reach() -> None:
    with answering(jobs=500) as (url, _):
        cluster = JobsCluster(url)
        with pytest.raises(ClusterUnavailableError, match="cannot be worked with"):
            cluster.job_of(uuid4())
    with pytest.raises(ClusterUnavailableError, match="cannot be worked with"):
        cluster.job_of(uuid4())


def test_who_follows_a_sweep_that_no_job_drives_is_told(head: Head, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver_checks, "CHECK_SECONDS", 0.0)
    sweep: Sweep = SimpleNamespace(id=uuid4(), name="lost")  # type: ignore[assignment]
    check = driver_checks.job_check(JobsCluster(head[0]), sweep)
    check()
    with pytest.raises(RlsweepError, match=r"knows no job of sweep lost.*rlsweep resume lost"):
        check()


def test_who_follows_a_sweep_through_a_tunnel_that_drops_waits_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver_checks, "CHECK_SECONDS", 0.0)
    sweep: Sweep = SimpleNamespace(id=uuid4(), name="far")  # type: ignore[assignment]
    with answering() as (url, _):
        cluster = JobsCluster(url)
    check = driver_checks.job_check(cluster, sweep)
    for _ in range(driver_checks.MAX_FAILED_POLLS - 1):
        check()
    with pytest.raises(ClusterUnavailableError):
        check()


@pytest.fixture
def service(tmp_path: Path) -> Callable[..., Any]:
    """The side of a service that takes requests."""

    def open_counter(names: Callable[[], Any]) -> Any:
        return RequestServer(lambda _: None, names, lambda: None).open(
            tmp_path, resources={}, page_url="", dashboard_url="", token_file=tmp_path / "token"
        )

    return open_counter


def test_whoever_says_nothing_keeps_nobody_else_waiting(service: Callable[..., Any]) -> None:
    driving = {uuid4(): "night"}
    card = service(lambda: driving)
    with socket.create_connection(("127.0.0.1", card.port)):
        assert sweeps_driven_by(card) == driving


ENDING_SERVICE = """
import sys, threading
from pathlib import Path
from rlsweep.places.interrupts import on_interrupt
from rlsweep.places.request_server import RequestServer, service_lock

folder, ending = Path(sys.argv[1]), threading.Event()

def end():
    ending.set()
    print("asked to end", flush=True)

with service_lock(folder), on_interrupt(end):
    requests = RequestServer(lambda _: None, dict, end)
    requests.open(folder, resources={}, page_url="", dashboard_url="", token_file=folder / "token")
    print("ready", flush=True)
    ending.wait()
    sys.stdin.readline()
"""


def test_down_ends_a_service_whose_database_is_away_and_twice_is_as_clean_as_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ENDING_SERVICE, str(tmp_path / "service")]
    elsewhere = {"RLSWEEP_HOME": str(tmp_path), "RLSWEEP_DATABASE_URL": "postgresql://u@127.0.0.1:1/rl"}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as service:
        try:
            assert service.stdin is not None
            assert service.stdout is not None
            assert service.stdout.readline() == "ready\n"
            downs = []
            for _ in range(2):
                downs.append(
                    subprocess.Popen(
                        [sys.executable, "-m", "rlsweep", "down"],
                        env=os.environ | elsewhere,
                        stdout=subprocess.PIPE,
                        stderr=subprocess.STDOUT,
                        text=True,
                    )
                )
                assert service.stdout.readline() == "asked to end\n"
            service.stdin.write("\n")
            service.stdin.flush()
            # Its process stays on the kernel's list until it is waited for, here as where the first process reaps none.
            assert [down.communicate(timeout=120)[0] for down in downs] == ["The service has ended.\n"] * 2
            assert service.wait(10) == 0
        finally:
            service.kill()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_in_one_answer_is_not_the_last(service: Callable[..., Any]) -> None:
    answers = iter([RuntimeError("a fault"), {}])

    def names() -> Any:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    card = service(names)
    with pytest.raises(RlsweepError, match="does not answer"):
        sweeps_driven_by(card)
    assert sweeps_driven_by(card) == {}


def test_a_service_that_is_frozen_is_waited_for_in_vain_but_not_for_ever(
    service: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rlsweep.places.service.ANSWER_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as frozen:  # the kernel takes connections for it
        card = replace(service(dict), port=frozen.getsockname()[1])
        with pytest.raises(RlsweepError, match="does not answer: nothing for"):
            sweeps_driven_by(card)


def test_a_service_of_another_host_is_left_alone(tmp_path: Path) -> None:
    """RLSWEEP_HOME lies in a folder that both share, with its locks; the process of that number here is another."""
    folder = tmp_path / "service"
    with service_lock(folder), subprocess.Popen(["sleep", "60"]) as innocent:
        try:
            RequestServer(lambda _: None, dict, lambda: None).open(
                folder, resources={}, page_url="", dashboard_url="", token_file=folder / "token"
            )
            card = folder / "service.json"
            card.write_text(json.dumps(json.loads(card.read_text()) | {"host": "elsewhere", "pid": innocent.pid}))
            assert find_service(folder) is None
            for command, says in (("down", "is up on elsewhere"), ("up", "is up already on elsewhere")):
                done = subprocess.run(
                    [sys.executable, "-m", "rlsweep", command],
                    env=os.environ | {"RLSWEEP_HOME": str(tmp_path)},
                    capture_output=True,
                    text=True,
                    timeout=120,
                )
                assert done.returncode == 2
                assert says in done.stderr
            assert innocent.poll() is None
        finally:
            innocent.kill()


def test_ctrl_c_while_the_database_is_away_is_passed_on_when_it_is_back(
    database: Database, new_sweep: Any, new_run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = {"budget": {"episodes": 100, "total_timesteps": None}}
    sweep = sweeps.create(database, new_sweep(), [new_run(config=config)])
    away = [True, True]

    def sometimes(call: Callable[..., Any]) -> Callable[..., Any]:
        def call_if_back(*arguments: Any) -> Any:
            if away:
                if len(away) == 2:
                    os.kill(os.getpid(), signal.SIGINT)
                away.pop()
                raise StoreUnavailableError("It is away.")
            return call(*arguments)

        return call_if_back

    monkeypatch.setattr("rlsweep.store.retry.RETRY_SECONDS", 0.01)
    monkeypatch.setattr(sweeps, "get", sometimes(sweeps.get))
    monkeypatch.setattr(sweeps, "request_stop", sometimes(sweeps.request_stop))
    monkeypatch.setattr(following, "FOLLOW_SECONDS", 0.01)
    looks = iter(range(100))  # at a sweep without a driver; in vain they would be without end
    # A report of it would want a whole plan.
    monkeypatch.setattr(following, "conclude", lambda _, __, ending: ending)
    observer = ConsoleObserver(Console(file=io.StringIO()))
    ending: Any = following.follow_own(database, sweep, observer, lambda: next(looks) and None)
    assert ending is Ending.INTERRUPTED
    assert sweeps.get(database, sweep.id).status is SweepStatus.STOPPED


def test_status_that_follows_a_sweep_which_no_job_drives_ends(
    head: Head, database: Database, new_sweep: Any, new_run: Any, tmp_path: Path
) -> None:
    config = {"budget": {"episodes": 100, "total_timesteps": None}}
    sweep = sweeps.create(database, new_sweep(name="lost"), [new_run(config=config)])
    sweeps.assign(database, sweep.id, resources={}, address=head[0])
    done = subprocess.run(
        [sys.executable, "-m", "rlsweep", "status", "lost", "--follow"],
        env=os.environ | {"RLSWEEP_HOME": str(tmp_path), "RLSWEEP_DATABASE_URL": database.url},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1
    assert "knows no job of sweep lost, and nobody drives it. Continue it: rlsweep resume lost" in done.stderr


def test_a_node_that_may_not_look_into_the_storage_says_so(database: Database) -> None:
    marker = "/" + "x" * 300  # a name that no folder takes: rights are no hindrance to root
    complaint = _complaint._function(database.url, marker)
    assert complaint == f"{marker} cannot be read: File name too long. " + (
        "Trials there need the rights to read and write it."
    )


def test_a_cluster_that_goes_away_while_its_sweep_is_followed_ends_attach_with_1(
    database: Database, new_sweep: Any, new_run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(driver_checks, "CHECK_SECONDS", 0.0)
    monkeypatch.setattr(following, "FOLLOW_SECONDS", 0.01)
    config = {"budget": {"episodes": 100, "total_timesteps": None}}
    sweep = sweeps.create(database, new_sweep(name="far"), [new_run(config=config)])
    check = driver_checks.driver_check
    with ExitStack() as answers:
        url, _ = answers.enter_context(answering())
        sweeps.assign(database, sweep.id, resources={}, address=url)

        def check_then_lose(*arguments: Any) -> Callable[[], None]:
            look = check(*arguments)
            answers.close()
            return look

        monkeypatch.setattr(driver_checks, "driver_check", check_then_lose)
        code = main(("attach", "far"), {"RLSWEEP_HOME": str(tmp_path), "RLSWEEP_DATABASE_URL": database.url})
    assert code == 1
    assert f"The Ray cluster at {url} cannot be worked with" in capsys.readouterr().err
