"""Where a result comes from: versions, git commit, host and command."""

import importlib.metadata
import platform
import shlex
import socket
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rlsweep.runs import Sweep

_PACKAGES = ("rlsweep", "ray", "torch", "stable-baselines3", "sb3-contrib", "gymnasium", "numpy", "open-spiel")


@dataclass(frozen=True, kw_only=True, slots=True)
class Provenance:
    """What must be known to run the same thing again.

    versions: of Python and the packages that decide results; a package that is not installed is left out
    git_commit, git_dirty: of the repository the configs lie in; None outside one
    """

    versions: dict[str, str]
    git_commit: str | None
    git_dirty: bool | None
    host: str
    command: str

    def as_metadata(self) -> dict[str, Any]:
        """As `training_runs.metadata` holds it."""
        return asdict(self)


def collect_provenance(folder: Path) -> Provenance:
    """Ask Python, git (about the repository around `folder`) and the operating system."""
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
    """Of a sweep that was submitted from elsewhere: what is installed here, and the rest as its record has it."""
    return Provenance(
        versions={"python": platform.python_version(), **_installed_versions()},
        git_commit=sweep.git_commit,
        git_dirty=sweep.git_dirty,
        host=socket.gethostname(),
        command=command,
    )


def this_command() -> str:
    """As it was typed."""
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
    """Output of a git command, or None where there is no git or no repository."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False, timeout=10
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
