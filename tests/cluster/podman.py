"""Podman with storage, networks and settings of its own in one folder: what a check makes there goes away with it.

Nothing of the machine's own Podman is read or changed. Needs root and PACKAGES.
"""

import os
import resource
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

PACKAGES = {
    "podman": "/usr/bin/podman",
    "runc": "/usr/sbin/runc",
    "netavark": "/usr/lib/podman/netavark",  # networks in which containers have addresses of their own
    "aardvark-dns": "/usr/lib/podman/aardvark-dns",  # names of services in them
    "catatonit": "/usr/bin/catatonit",  # what `init: true` puts before a command
    "debootstrap": "/usr/sbin/debootstrap",
}
"""Debian's packages, each with a file of it."""

SETTINGS = """
[containers]
default_ulimits = ["nofile={files}:{files}", "nproc={processes}:{processes}"]
[network]
network_backend = "netavark"
network_config_dir = "{folder}/networks"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
init_path = "/usr/bin/catatonit"
tmp_dir = "{runtime}/tmp"
[engine.runtimes]
runc = ["/usr/sbin/runc"]
"""
STORAGE = """
[storage]
driver = "overlay"
graphroot = "{folder}/storage"
runroot = "{runtime}/run"
"""

MAX_ULIMIT = 20_000
"""Above 32,768 processes, a build in a chroot is refused."""

HEALTH_SECONDS = 1.0
"""Time between two health checks of each container, whatever interval it asks for."""


def wait_until(condition: Callable[[], object], seconds: float, problem: str) -> None:
    """Wait for a condition; AssertionError with the problem after so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, problem
        time.sleep(0.2)


def ulimits() -> dict[str, int]:
    """Files and processes that a container may have here: at most what this process may have, else it is refused."""
    limits = {"nofile": resource.RLIMIT_NOFILE, "nproc": resource.RLIMIT_NPROC}
    hard = {name: resource.getrlimit(limit)[1] for name, limit in limits.items()}
    return {name: MAX_ULIMIT if limit < 0 else min(limit, MAX_ULIMIT) for name, limit in hard.items()}


@dataclass
class Podman:
    """Podman over one folder. `runtime`: a folder below /run, for locks and sockets."""

    folder: Path
    environ: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.runtime.mkdir(parents=True, exist_ok=True)
        limits = ulimits()
        places = {"folder": self.folder, "runtime": self.runtime}
        settings = SETTINGS.format(files=limits["nofile"], processes=limits["nproc"], **places)
        for name, text in (("containers.conf", settings), ("storage.conf", STORAGE.format(**places))):
            (self.folder / name).write_text(text)
        self.environ = {
            **os.environ,
            "CONTAINERS_CONF": str(self.folder / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(self.folder / "storage.conf"),
            "BUILDAH_ISOLATION": "chroot",  # a build needs no right that a machine in a sandbox has not
            "DISABLE_HC_SYSTEMD": "true",  # health checks are run by `healthy`, for there may be no systemd
        }

    @property
    def runtime(self) -> Path:
        return Path("/run") / self.folder.name

    @property
    def socket(self) -> str:
        """The address of the Docker API, as DOCKER_HOST takes it."""
        return f"unix://{self.runtime}/api.sock"

    def run(self, *arguments: str | Path, given: bytes | None = None) -> None:
        """Run a podman command whose output goes where ours goes; CalledProcessError where it fails."""
        subprocess.run(("podman", *arguments), check=True, env=self.environ, input=given)

    def output(self, *arguments: str | Path) -> str:
        """What a podman command prints, without the space around it; CalledProcessError where it fails."""
        done = subprocess.run(("podman", *arguments), check=True, env=self.environ, stdout=subprocess.PIPE, text=True)
        return done.stdout.strip()

    def refusal(self) -> str | None:
        """Why no container of its own network starts on this machine; None if one starts."""
        words = ("podman", "run", "--rm", "--network=bridge", "--rootfs", "/:O", "/bin/true")
        done = subprocess.run(words, check=False, env=self.environ, capture_output=True, text=True)
        return None if done.returncode == 0 else f"Podman starts no container: {done.stderr.strip()}"

    def container(self, image: str, *command: str, options: Sequence[str] = ()) -> str:
        """Run a command in a new container to its end; returns what it printed."""
        return self.output("run", "--rm", "--init", *options, image, *command)

    @contextmanager
    def service(self) -> Iterator[str]:
        """The Docker API over this Podman while the context lasts, with health checks; yields its address."""
        log = (self.folder / "service.log").open("ab")
        command = ("podman", "system", "service", "--time=0", self.socket)
        process = subprocess.Popen(command, env=self.environ, stdout=log, stderr=log)
        done = threading.Event()
        checks = threading.Thread(target=self._check_health, args=(done,), daemon=True)
        try:
            wait_until(Path(self.socket.removeprefix("unix://")).exists, 30, "podman system service does not start")
            checks.start()
            yield self.socket
        finally:
            done.set()
            checks.join()
            process.terminate()
            process.wait(30)
            log.close()

    def _check_health(self, done: threading.Event) -> None:
        """Run the containers' health checks until `done`, as a container engine would; they keep the results."""
        quiet: Mapping[str, int] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        while not done.wait(HEALTH_SECONDS):
            for name in self.output("ps", "--quiet", "--filter", "status=running").split():
                subprocess.run(("podman", "healthcheck", "run", name), env=self.environ, check=False, **quiet)

    def remove(self) -> None:
        """Remove the containers and networks of this folder, and the folder with its images and volumes."""
        self.run("rm", "--all", "--force", "--time=0")
        self.run("network", "prune", "--force")
        for folder in (self.runtime, self.folder):
            mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
            for mount in sorted((mount for mount in mounts if Path(mount).is_relative_to(folder)), reverse=True):
                subprocess.run(("umount", mount), check=True)
            shutil.rmtree(folder)
