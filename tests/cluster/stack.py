"""The compose file as its user runs it: a copy of the repository, cluster/README.md's own commands, Docker Compose.

Two things differ from a user's machine: a second file lowers the limits of files and processes to what this machine
allows; and cluster/.env has free ports.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.images import PYTHON_INDEX, REPOSITORY
from tests.cluster.podman import Podman, ulimits

TOOLS = Path(sys.executable).parent
COMPOSE = "docker compose --file cluster/compose.yaml"
LIMITS = "limits.yaml"


def readme_lines() -> list[str]:
    """Each line of the commands in cluster/README.md's section on containers."""
    text = (REPOSITORY / "cluster" / "README.md").read_text()
    section = text.partition("\n## One machine, in containers\n")[2].partition("\n## ")[0]
    return [line for block in re.findall(r"```bash\n(.*?)```", section, re.DOTALL) for line in block.splitlines()]


def readme_line(beginning: str) -> str:
    """The one command in that section that begins so."""
    (found,) = [line for line in readme_lines() if line.startswith(beginning)]
    return found


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass
class Stack:
    """A copy of the repository in `folder`, whose services run on `podman`; its Docker API listens on `docker_host`."""

    podman: Podman
    docker_host: str
    folder: Path

    def __post_init__(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        listed = ("git", "-C", REPOSITORY, "ls-files", "--cached", "--others", "--exclude-standard")
        for name in subprocess.run(listed, check=True, capture_output=True, text=True).stdout.splitlines():
            target = self.folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, target, follow_symlinks=False)
        services = yaml.safe_load((self.folder / "cluster" / "compose.yaml").read_text())["services"]
        limits = {"services": {name: {"ulimits": ulimits()} for name in services}}
        (self.folder / LIMITS).write_text(yaml.safe_dump(limits))

    @property
    def settings(self) -> dict[str, str]:
        """The variables of cluster/.env."""
        lines = (self.folder / "cluster" / ".env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    @property
    def address(self) -> str:
        """The head's Jobs API, as --address takes it."""
        return f"http://127.0.0.1:{self.settings['DASHBOARD_PORT']}"

    def make_settings(self, **more: object) -> None:
        """Run README's command for the secrets; then add ports, the index of torch's builds and `more`."""
        self.shell(readme_line("(umask 077;"))
        ports = {name: free_port() for name in ("POSTGRES_PORT", "DASHBOARD_PORT", "PAGE_PORT")}
        added = {**ports, "TORCH_INDEX": PYTHON_INDEX, **more}
        with (self.folder / "cluster" / ".env").open("a") as file:
            file.writelines(f"{name}={value}\n" for name, value in added.items())

    def shell(self, script: str, *, check: bool = True, seconds: float = 600) -> subprocess.CompletedProcess[str]:
        """Run a script in the copy, with rlsweep and Docker Compose at hand; its output is returned and printed."""
        print(f"$ {script}", flush=True)
        script = re.sub(rf"^{COMPOSE}\b", f"docker-compose --file cluster/compose.yaml --file {LIMITS}", script)
        done = subprocess.run(
            ("bash", "-euo", "pipefail", "-c", script), cwd=self.folder, env=self._environ(), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds, check=False,
        )  # fmt: skip
        print(done.stdout, flush=True)
        assert not check or done.returncode == 0, f"exit code {done.returncode}: {script}"
        return done

    def compose(self, words: str, *, check: bool = True, seconds: float = 600) -> subprocess.CompletedProcess[str]:
        """Run a command of Docker Compose on the file."""
        return self.shell(f"{COMPOSE} {words}", check=check, seconds=seconds)

    def client(self, words: str) -> str:
        """A script that runs a command on the machine itself, with the variables that README sets there."""
        lines = readme_lines()
        start = lines.index("set -a; source cluster/.env; set +a")
        return "\n".join((*lines[start : start + 4], words))

    def rlsweep(self, words: str, *, check: bool = True) -> str:
        """Run rlsweep on the machine itself; returns what it printed."""
        return self.shell(self.client(f"rlsweep {words}"), check=check).stdout

    def start(self, words: str, log: Path) -> subprocess.Popen[str]:
        """Start an rlsweep command that is to run beside others; its output goes into a file."""
        print(f"$ rlsweep {words} &", flush=True)
        with log.open("w") as file:
            return subprocess.Popen(
                ("bash", "-euo", "pipefail", "-c", self.client(f"exec rlsweep {words}")), cwd=self.folder,
                env=self._environ(), stdout=file, stderr=subprocess.STDOUT, text=True,
            )  # fmt: skip

    def containers(self) -> list[str]:
        """The names of all containers, running or not."""
        return self.podman.output("ps", "--all", "--format={{.Names}}").split()

    def inspect(self, container: str) -> dict[str, Any]:
        """What Podman knows of a container."""
        (found,) = json.loads(self.podman.output("inspect", container))
        return dict(found)

    def inside(self, container: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in a running container."""
        words = ("podman", "exec", container, *command)
        return subprocess.run(words, env=self.podman.environ, capture_output=True, text=True, timeout=120, check=False)

    def _environ(self) -> dict[str, str]:
        """A new shell's variables: none of this one's settings of rlsweep, Ray or Compose, and a home of its own."""
        path = f"{TOOLS}:{os.environ['PATH']}"
        home = {"HOME": str(self.folder), "LANG": "C.UTF-8", "PATH": path, "COLUMNS": "120"}
        return {**home, "DOCKER_HOST": self.docker_host, "COMPOSE_PROGRESS": "quiet"}
