"""What stands in for Ray's agents: it says which ports there are, becomes the real one at a call, and ends with Ray."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import ray._raylet
from ray._private import ray_constants

from rlsweep.cluster import idle_agent
from rlsweep.cluster.fork_server import is_supported

pytestmark = pytest.mark.skipif(not is_supported(), reason="the system cannot watch a process that is no child")

NODE = "8dba16"
RAYS_AGENT = """
import os, socket, sys
from pathlib import Path
given = dict(argument.split("=", 1) for argument in sys.argv[1:])
with socket.create_server(("127.0.0.1", 0)) as server:
    name = Path(given["--session-dir"], "runtime_env_agent_port_" + given["--node-id"])
    name.with_suffix(".aside").write_text(str(server.getsockname()[1]))
    name.with_suffix(".aside").rename(name)
    for _ in range(2):
        client, _ = server.accept()
        with client:
            client.sendall(str(os.getpid()).encode() + b" heard " + client.recv(100))
"""


@pytest.fixture
def raylet() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as process:
        yield process
        process.kill()


def start(agent: str, folder: Path, raylet: int) -> subprocess.Popen[bytes]:
    """As `ray_internals` has Ray start it."""
    script = folder / "agent.py"
    script.write_text(RAYS_AGENT)
    command = [sys.executable, "-I", "-S", idle_agent.__file__, agent, str(script)]
    given = [f"--session-dir={folder}", f"--node-id={NODE}", "--node-ip-address=127.0.0.1"]
    return subprocess.Popen([*command, *given], env=os.environ | {idle_agent.RAYLET_VARIABLE: str(raylet)})


def port(folder: Path, name: str) -> int:
    """The port that the raylet would read."""
    file = folder / f"{name}_{NODE}"
    deadline = time.monotonic() + 60
    while not file.exists():
        assert time.monotonic() < deadline, f"nobody wrote {file.name}"
        time.sleep(0.01)
    return int(file.read_text())


def test_the_names_and_files_are_rays(tmp_path: Path) -> None:
    raylet = ray._raylet
    names = [ray_constants.PROCESS_TYPE_DASHBOARD_AGENT, ray_constants.PROCESS_TYPE_RUNTIME_ENV_AGENT]
    assert list(idle_agent.PORTS) == names
    metrics = (raylet.METRICS_AGENT_PORT_NAME, raylet.METRICS_EXPORT_PORT_NAME)
    assert idle_agent.PORTS[names[0]] == (*metrics, raylet.DASHBOARD_AGENT_LISTEN_PORT_NAME)
    assert idle_agent.PORTS[names[1]] == (raylet.RUNTIME_ENV_AGENT_PORT_NAME,)
    node, rays, own = "ab" * 28, tmp_path / "rays", tmp_path / "own"
    for folder in (rays, own):
        folder.mkdir()
    raylet.persist_port(str(rays), node, metrics[0], idle_agent.NO_PORT)
    idle_agent.write_port(own / f"{metrics[0]}_{node}", idle_agent.NO_PORT)
    wrote = [{file.name: file.read_text() for file in folder.iterdir()} for folder in (rays, own)]
    assert wrote[0] == wrote[1]


def test_without_a_dashboard_no_port_of_one_is_told(tmp_path: Path, raylet: subprocess.Popen[bytes]) -> None:
    with start("dashboard_agent", tmp_path, raylet.pid) as agent:
        assert {port(tmp_path, name) for name in idle_agent.PORTS["dashboard_agent"]} == {-1}
        assert agent.poll() is None
        raylet.kill()
        assert agent.wait(60) == 0


def test_rays_own_agent_answers_the_first_call_and_all_others(tmp_path: Path, raylet: subprocess.Popen[bytes]) -> None:
    with start("runtime_env_agent", tmp_path, raylet.pid) as agent:
        told = port(tmp_path, "runtime_env_agent_port")
        assert psutil.Process(agent.pid).children() == []
        answers = []
        for said in (b"one", b"two"):
            with socket.create_connection(("127.0.0.1", told), timeout=60) as client:
                client.sendall(said)
                answers.append(client.recv(100).decode())
        assert answers == [f"{agent.pid} heard one", f"{agent.pid} heard two"], "it is the process that Ray started"
        assert agent.wait(60) == 0
        assert port(tmp_path, "runtime_env_agent_port") != told


def test_an_agent_that_nobody_called_ends_with_its_raylet(tmp_path: Path, raylet: subprocess.Popen[bytes]) -> None:
    with start("runtime_env_agent", tmp_path, raylet.pid) as agent:
        port(tmp_path, "runtime_env_agent_port")
        raylet.kill()
        assert agent.wait(60) == 0
