"""The provenance of a result: versions, git commit, host and command."""

import importlib.metadata
import platform
import shlex
import socket
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rlsweep.sweep_records import Sweep

_PACKAGES = ("rlsweep", "ray", "torch", "stable-baselines3", "sb3-contrib", "gymnasium", "numpy", "open-spiel")


@dataclass(frozen=True, kw_only=True, slots=True)
class Provenance:
    """What is needed to run the same thing again.

    versions: versions of Python and the packages that affect results, without packages that are not installed
    git_commit, git_dirty: state of the repository that contains the configs; None outside a repository
    """

    versions: dict[str, str]
    git_commit: str | None
    git_dirty: bool | None
    host: str
    command: str

    def as_metadata(self) -> dict[str, Any]:
        """In the form of `training_runs.metadata`."""
        return asdict(self)


def collect_provenance(folder: Path) -> Provenance:
    """Collect the provenance from Python, git (for the repository of `folder`) and the operating system."""
    commit = _git(folder, "rev-parse", "HEAD")
    status = _git(folder, "status", "--porcelain") if commit else None
    return Provenance(
        versions={"python": platform.python_version(), **_installed_versions()},
        git_commit=commit,
        git_dirty=None if status is None else status != "",
        host=socket.gethostname(),
        command=this_command(),
    )


def provenance_elsewhere(sweep: Sweep, command: str) -> Provenance:
    """Provenance of a sweep submitted from another machine: versions of this machine, the rest from its record."""
    return Provenance(
        versions={"python": platform.python_version(), **_installed_versions()},
        git_commit=sweep.git_commit,
        git_dirty=sweep.git_dirty,
        host=socket.gethostname(),
        command=command,
    )


def this_command() -> str:
    """The command line of this process."""
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])


def _installed_versions() -> dict[str, str]:
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def _git(folder: Path, *arguments: str) -> str | None:
    """Output of a git command; None without git or outside a repository."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False, timeout=10
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
