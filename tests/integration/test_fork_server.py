"""Workers that are forked: what they have of the process that asked for them, and what happens without a server."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from rlsweep.cluster import fork_client
from rlsweep.cluster.fork_server import fork_server, is_supported
from rlsweep.cluster.ray_internals import worker_script

pytestmark = pytest.mark.skipif(not is_supported(), reason="the system cannot watch processes that were forked")

WORKER = """
import json, os, random, signal, sys
import numpy as np
drawn = [random.random(), np.random.random()]
if "ray.tune" in sys.modules:  # it defines actors
    drawn.append(sys.modules["ray"].WorkerID.from_random().hex())
print(json.dumps({
    "arguments": sys.argv, "folder": os.getcwd(), "said": os.environ.get("SAID"), "job": os.environ.get("RAY_JOB_ID"),
    "leads": os.getpgid(0) == os.getpid(), "niceness": os.getpriority(os.PRIO_PROCESS, 0),
    "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])), "waits": signal.getsignal(signal.SIGCHLD) == 0,
    "drawn": drawn, "parent": os.getppid(), "path": sys.path[0],
    "has": sorted({"colorsys", "ray.actor"} & sys.modules.keys()), "is_main": __name__,
}))
"""


@pytest.fixture
def worker(tmp_path: Path) -> str:
    path = tmp_path / "scripts" / "worker.py"
    path.parent.mkdir()
    path.write_text(WORKER)
    return str(path)


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """Short enough for the path of a socket."""
    with tempfile.TemporaryDirectory(prefix="fork-") as folder:
        yield Path(folder)


def ask(folder: Path, *arguments: str, **environ: str) -> dict[str, Any]:
    """What a worker says that is asked for as Ray asks; an ignored signal mask and a low priority are its caller's."""
    done = subprocess.run(
        [sys.executable, fork_client.__file__, *arguments],
        cwd=folder,
        env=os.environ | {"RAY_JOB_ID": "01000000", "RAY_RAYLET_PID": str(os.getpid())} | environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        preexec_fn=lambda: (os.nice(3), signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])),
    )
    return dict(json.loads(done.stdout))


def test_a_fork_client_has_what_its_caller_has(worker: str, short_folder: Path, tmp_path: Path) -> None:
    with fork_server(short_folder, before_ray=("colorsys",), with_ray=("ray.tune",), worker=worker):
        first, second = (ask(tmp_path, "--number", str(number), SAID=f"{number}") for number in (1, 2))
        with socket.socket(socket.AF_UNIX) as stranger:
            stranger.connect(os.environ[fork_client.SOCKET_VARIABLE])
            stranger.sendall(b"nonsense")
        assert ask(tmp_path)["has"] == ["colorsys", "ray.actor"]  # the stranger did no harm
        server = psutil.Process(first["parent"])
        assert "rlsweep.cluster.forking" in server.cmdline()
        assert server.num_fds() < 20, "what workers were given is closed"
    assert not server.is_running()
    assert fork_client.SOCKET_VARIABLE not in os.environ
    assert first["arguments"] == [worker, "--number", "1"]
    assert first["path"] == str(Path(worker).parent)
    assert (first["said"], second["said"]) == ("1", "2")
    assert first["parent"] == second["parent"]
    assert len(first["drawn"]) == 3
    for one, other in zip(first["drawn"], second["drawn"], strict=True):
        assert one != other
    del first["drawn"], first["arguments"], first["path"], first["said"], first["parent"]
    assert first == {
        "folder": str(tmp_path),
        "job": "01000000",
        "leads": True,
        "niceness": os.getpriority(os.PRIO_PROCESS, 0) + 3,
        "blocked": [signal.SIGUSR1],
        "waits": True,
        "has": ["colorsys", "ray.actor"],
        "is_main": "__main__",
    }


def test_a_forked_module_ends_as_its_client_and_with_it(worker: str, short_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "said.py").write_text(
        """
import os, signal, sys, time
how = sys.stdin.readline().strip()
print(__name__, sys.argv, os.getpid(), flush=True)
if how == "killed":
    os.kill(os.getpid(), signal.SIGSEGV)
if how == "waits":
    time.sleep(600)
if how == "raises":
    raise ValueError("a reason")
if how == "exits":
    sys.exit(3)
"""
    )

    def start() -> subprocess.Popen[str]:
        pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        return subprocess.Popen([*fork_client.module_command("said"), "one"], cwd=tmp_path, text=True, **pipes)

    with fork_server(short_folder, before_ray=("colorsys",), with_ray=(), worker=worker):
        for how, exit_code in {"": 0, "exits": 3, "raises": 1, "killed": -signal.SIGSEGV}.items():
            with start() as client:
                said, error = client.communicate(how + "\n", timeout=60)
            assert said.startswith("__main__ ['")
            assert "said.py', 'one'] " in said
            assert client.returncode == exit_code
            assert ("ValueError: a reason" in error) == (how == "raises")
        with start() as client:
            assert client.stdin is not None
            assert client.stdout is not None
            client.stdin.write("waits\n")
            client.stdin.flush()
            forked = psutil.Process(int(client.stdout.readline().split()[-1]))
            assert forked.pid != client.pid
            client.kill()
        assert psutil.wait_procs([forked], timeout=60)[1] == []
    assert fork_client.module_command("said") == [sys.executable, "-m", "said"]


def test_a_module_does_not_wait_for_what_a_worker_imports(
    worker: str, short_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is forked between two imports, for all of which the first worker waits."""
    for name in ("first", "second"):
        wait = f"import time; from pathlib import Path\nPath({str(tmp_path)!r}, 'began-{name}').touch()"
        wait += f"\nwhile not Path({str(tmp_path)!r}, 'end-{name}').exists(): time.sleep(0.01)"
        (tmp_path / f"{name}.py").write_text(wait)
    (tmp_path / "said.py").write_text("print('said')")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    with fork_server(short_folder, before_ray=("colorsys",), with_ray=("first", "second"), worker=worker):
        of_worker = subprocess.Popen([sys.executable, fork_client.__file__], cwd=tmp_path, stdout=subprocess.PIPE)
        deadline = time.monotonic() + 60
        while not (tmp_path / "began-first").exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        monkeypatch.chdir(tmp_path)
        with socket.socket(socket.AF_UNIX) as of_module, (tmp_path / "out").open("w+b") as out:
            of_module.connect(os.environ[fork_client.SOCKET_VARIABLE])
            asked = fork_client.request(["-m", "said"])
            socket.send_fds(of_module, [len(asked).to_bytes(fork_client.LENGTH_BYTES, "big")], [out.fileno()] * 3)
            of_module.sendall(asked)
            (tmp_path / "end-first").touch()
            deadline = time.monotonic() + 60
            while (tmp_path / "out").read_text() != "said\n":
                assert time.monotonic() < deadline
                time.sleep(0.01)
            assert of_worker.poll() is None
            (tmp_path / "end-second").touch()
            of_module.settimeout(60)
            with of_module.makefile("rb") as answer:
                assert answer.read() == fork_client.FORKED + b"0"
        assert b'"is_main": "__main__"' in of_worker.communicate(timeout=60)[0]


@pytest.mark.parametrize("modules", [("rlsweep.no_such_module",), ("ray",)])
def test_without_a_server_a_worker_starts_by_itself(
    modules: tuple[str, ...], worker: str, short_folder: Path, tmp_path: Path
) -> None:
    """What trials need cannot be imported, or it imports Ray, whose library would not know its raylet."""
    with fork_server(short_folder, before_ray=modules, with_ray=(), worker=worker):
        alone = ask(tmp_path, "--number", "1", SAID="1")
    assert (alone["arguments"], alone["said"], alone["has"]) == ([worker, "--number", "1"], "1", [])
    assert modules[0] in (short_folder / "fork_server.log").read_text()


def test_the_server_ends_with_the_process_that_started_it(worker: str, short_folder: Path) -> None:
    script = f"""
import time
from pathlib import Path
from rlsweep.cluster.fork_server import fork_server, is_supported
with fork_server(Path({str(short_folder)!r}), before_ray=("colorsys",), with_ray=(), worker={worker!r}):
    print("up", flush=True)
    time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "up\n"
        (server,) = psutil.Process(parent.pid).children()
        parent.kill()
    assert psutil.wait_procs([server], timeout=60)[1] == []


def test_rays_own_script_of_a_worker_is_found_without_ray() -> None:
    found = "import sys; from rlsweep.cluster.ray_internals import worker_script as w; print(w(), 'ray' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", found], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == [worker_script(), "False"]
    assert "main_loop()" in Path(worker_script()).read_text()
