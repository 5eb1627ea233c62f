"""A cluster of hosts that have names, addresses and folders of their own: network namespaces on this machine."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from victims import Server

from rlsweep.store import schema

CAN_MAKE_HOSTS = os.geteuid() == 0 and shutil.which("ip") is not None and shutil.which("unshare") is not None

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.skipif(not CAN_MAKE_HOSTS, reason="network namespaces need root, ip (iproute2) and unshare"),
]

TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "b057" * 16}
PATIENCE_S = 240
RAY_PORT, JOBS_PORT = "6379", "8265"


@dataclass
class Hosts:
    """Hosts on one bridge, 10.77.NUMBER.0/24, of which this machine is .1."""

    folder: Path
    number: int
    names: list[str] = field(default_factory=list)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def bridge(self) -> str:
        return f"rls{self.number}"

    def address(self, name: str | None = None) -> str:
        return f"10.77.{self.number}.{1 if name is None else self.names.index(name) + 2}"

    def make(self, *names: str) -> None:
        self.names.extend(names)
        ip("link", "add", self.bridge, "type", "bridge")
        ip("addr", "add", f"{self.address()}/24", "dev", self.bridge)
        ip("link", "set", self.bridge, "up")
        for position, name in enumerate(names):
            host, outside = self.host(name), f"{self.bridge}v{position}"
            ip("netns", "add", host)
            ip("link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", host)
            ip("link", "set", outside, "master", self.bridge, "up")
            ip("-n", host, "addr", "add", f"{self.address(name)}/24", "dev", "eth0")
            ip("-n", host, "link", "set", "eth0", "up")
            ip("-n", host, "link", "set", "lo", "up")

    def host(self, name: str) -> str:
        return f"{self.bridge}-{name}"

    def start(self, name: str, command: list[str], environ: dict[str, str], private: Path | None = None) -> None:
        """Run something on a host for as long as it lasts; a `private` folder is another one there than here."""
        hide = f"mount -t tmpfs none {private} && " if private else ""
        script = f"hostname {self.host(name)} && {hide}exec {' '.join(command)}"
        with (self.folder / f"{name}.log").open("wb") as log:
            self.processes.append(
                subprocess.Popen(
                    ["ip", "netns", "exec", self.host(name), "unshare", "--uts", "--mount", "sh", "-c", script],
                    env=environ,
                    stdout=log,
                    stderr=log,
                )
            )

    def uncover(self, private: Path) -> None:
        """From now on, the host that was started last has the folder that is here."""
        there = ["nsenter", "--mount", "--target", str(self.processes[-1].pid)]
        subprocess.run([*there, "umount", "--lazy", private], check=True)

    def end(self) -> None:
        for name in self.names:
            pids = subprocess.run(["ip", "netns", "pids", self.host(name)], capture_output=True, text=True).stdout
            for pid in pids.split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            ip("netns", "delete", self.host(name))
        for process in self.processes:
            process.wait(30)
        ip("link", "delete", self.bridge)


def ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr}"


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    trial = f"rls-trial-{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", trial], capture_output=True).returncode:
        pytest.skip("this machine lets nobody make network namespaces")
    ip("netns", "delete", trial)
    with tempfile.TemporaryDirectory(prefix="rlsweep-hosts-", ignore_cleanup_errors=True) as name:
        made = Hosts(Path(name), os.getpid() % 250 + 1)
        try:
            yield made
        finally:
            made.end()


def ray(hosts: Hosts, name: str, *arguments: str) -> list[str]:
    """`ray start` on a host, in sight of those who started it."""
    folder = hosts.folder / f"ray-{name}"
    return [
        f"{Path(sys.executable).parent}/ray", "start", "--block", "--num-cpus=1", "--disable-usage-stats",
        f"--node-ip-address={hosts.address(name)}", f"--temp-dir={folder}",
        "--object-store-memory=80000000", *arguments,
    ]  # fmt: skip


def test_a_sweep_runs_on_hosts_of_their_own(rlsweep_at_home: Any, hosts: Hosts) -> None:
    rlsweep = rlsweep_at_home
    hosts.make("head", "work")
    database, shared = hosts.folder / "database", hosts.folder / "shared"
    database.mkdir()
    shared.mkdir()
    server = Server(database, 5432, hosts.address())
    server.start()
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environ = (
        rlsweep.environ
        | TOKEN
        | {"PATH": path, "RLSWEEP_HOME": str(hosts.folder / "home-there"), "RAY_worker_niceness": "0"}
    )
    head = f"{hosts.address('head')}:{RAY_PORT}"
    try:
        schema.upgrade(server.database)
        listen = (f"--port={RAY_PORT}", f"--dashboard-host={hosts.address('head')}", f"--dashboard-port={JOBS_PORT}")
        hosts.start("head", ray(hosts, "head", "--head", *listen), environ)
        url = f"http://{hosts.address('head')}:{JOBS_PORT}"
        base = rlsweep.base("Calm", seconds=0.01)
        plan = ("submit", rlsweep.agents("a", "b"), "--episodes", "60", "--base-config", base, "--address", url)
        _wait_for_nodes(url, 1)

        # The embedded database is out of its reach, which is said before anything is sent.
        refused = rlsweep.drive(*plan, expect=2, **TOKEN).stderr
        assert f"runs on {hosts.host('head')}, which cannot reach the embedded database" in refused
        assert "Set RLSWEEP_DATABASE_URL" in refused

        # A node that sees another folder under the storage's name is found out before a trial lands on it.
        there = {"RLSWEEP_DATABASE_URL": server.database.url, "RLSWEEP_STORAGE": str(shared), **TOKEN}
        hosts.start("work", ray(hosts, "work", f"--address={head}"), environ, private=shared)
        _wait_for_nodes(url, 2)
        blind = rlsweep.drive(*plan, "--name", "blind", expect=1, **there).stderr
        assert f"Node {hosts.host('work')} ({hosts.address('work')}) cannot be used" in blind
        assert "RLSWEEP_STORAGE" in blind
        hosts.uncover(shared)

        done = rlsweep.drive(*plan, "--name", "far", **there).stdout
        assert "Sweep far: completed" in done
        runs = rlsweep.drive("status", "far", "--json", **there).stdout
        assert {f'"host": "{hosts.host(name)}"' in runs for name in ("head", "work")} == {True}, "one trial each"
        assert len(list(shared.rglob("*.zip"))) >= 2
        assert rlsweep.look("sweeps").stdout.startswith("No sweeps yet"), (
            "nothing went into this machine's own database"
        )
    finally:
        server.stop()


def _wait_for_nodes(url: str, count: int) -> None:
    """Until the cluster has so many live nodes, asked for as `submit` asks."""
    asked = urllib.request.Request(
        f"{url}/nodes?view=summary", headers={"Authorization": f"Bearer {TOKEN['RAY_AUTH_TOKEN']}"}
    )
    deadline = time.monotonic() + PATIENCE_S
    said = ""
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(asked, timeout=30) as answer:
                said = answer.read().decode()
        except OSError as error:
            said = str(error)
        else:
            nodes = json.loads(said)["data"]["summary"]
            if sum(node["raylet"].get("state") == "ALIVE" for node in nodes) == count:
                return
        time.sleep(1.0)
    raise AssertionError(f"{count} nodes were not there before long: {said}")
